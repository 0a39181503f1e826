/* Readers of spans.h: the same four spans in every format, what they pass over, and what they refuse. */
#include "test.h"
#include <cybertwin/spans.h>
#include <stdio.h>
#include <string.h>

static ctw_ctx *ctx;

static const char otlp[] =
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["
    "{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"b7ad6b7169203331\",\"parentSpanId\":\"\","
    "\"name\":\"GET /\",\"kind\":2,\"startTimeUnixNano\":\"1000000\",\"endTimeUnixNano\":\"1100000\","
    "\"links\":[{\"traceId\":\"ff\",\"spanId\":\"ee\"}],\"status\":{\"message\":\"no\",\"code\":2}},"
    "{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"b7ad6b7169203332\","
    "\"parentSpanId\":\"b7ad6b7169203331\",\"name\":\"ask\",\"kind\":\"SPAN_KIND_CLIENT\","
    "\"startTimeUnixNano\":1010000,\"endTimeUnixNano\":1060000,\"attributes\":[{\"key\":\"x\",\"value\":{"
    "\"arrayValue\":"
    "{\"values\":[{\"stringValue\":\"service.name\"}]}}}]}]}],"
    "\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"a\"}},"
    "{\"key\":\"k8s.pod.name\",\"value\":{\"stringValue\":\"a-1\"}}]}},"
    "{\"resource\":{\"attributes\":[{\"value\":{\"stringValue\":\"?\"},\"key\":\"other\"},"
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"b\"}}]},\"instrumentationLibrarySpans\":[{\"spans\":["
    "{\"traceId\":\"CvdlGRbNQ92ESOshHIAxnA==\",\"spanId\":\"t61rcWkgMzM=\",\"parentSpanId\":\"t61rcWkgMzI=\","
    "\"name\":\"serve\",\"kind\":2,\"startTimeUnixNano\":\"1020000\",\"endTimeUnixNano\":\"1050000\"}]}]}]}\n"
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"1\",\"spanId\":\"2\",\"name\":\"lone\","
    "\"startTimeUnixNano\":\"5\",\"endTimeUnixNano\":\"7\"}]}]}]}\n";

static const char jaeger[] =
    "{\"data\":[{\"traceID\":\"af7651916cd43dd8448eb211c80319c\",\"spans\":["
    "{\"traceID\":\"af7651916cd43dd8448eb211c80319c\",\"spanID\":\"b7ad6b7169203331\",\"operationName\":\"GET /\","
    "\"references\":[],\"startTime\":1000,\"duration\":100,\"processID\":\"p1\",\"tags\":[{\"key\":\"error\","
    "\"type\":\"bool\",\"value\":true},{\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"server\"}],"
    "\"logs\":[{\"timestamp\":3,\"fields\":[{\"key\":\"spanID\",\"value\":\"9\"}]}]},"
    "{\"traceID\":\"af7651916cd43dd8448eb211c80319c\",\"spanID\":\"b7ad6b7169203332\",\"operationName\":\"ask\","
    "\"references\":[{\"refType\":\"FOLLOWS_FROM\",\"spanID\":\"77\"},{\"refType\":\"CHILD_OF\",\"traceID\":\"x\","
    "\"spanID\":\"b7ad6b7169203331\"}],\"startTime\":1010,\"duration\":50,\"processID\":\"p1\"},"
    "{\"traceID\":\"af7651916cd43dd8448eb211c80319c\",\"spanID\":\"b7ad6b7169203333\",\"operationName\":\"serve\","
    "\"parentSpanID\":\"b7ad6b7169203332\",\"startTime\":1020,\"duration\":30,\"processID\":\"p2\"}],"
    "\"processes\":{\"p1\":{\"serviceName\":\"a\",\"tags\":[{\"key\":\"hostname\",\"value\":\"a-1\"}]},"
    "\"p2\":{\"serviceName\":\"b\"}},\"warnings\":null},"
    "{\"traceID\":\"1\",\"spans\":[{\"traceID\":\"1\",\"spanID\":\"2\",\"operationName\":\"lone\",\"startTime\":5,"
    "\"duration\":2}]}],\"total\":0,\"errors\":null}";

static const char zipkin[] =
    "[{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"id\":\"b7ad6b7169203331\",\"name\":\"GET /\","
    "\"kind\":\"SERVER\",\"timestamp\":1000,\"duration\":100,\"localEndpoint\":{\"serviceName\":\"a\",\"ipv4\":\"a-1\","
    "\"port\":80},\"annotations\":[{\"timestamp\":4,\"value\":\"x\"}],\"tags\":{\"error\":\"500\",\"http.path\":\"/"
    "\"}},"
    "{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"id\":\"b7ad6b7169203332\",\"parentId\":\"b7ad6b7169203331\","
    "\"name\":\"ask\",\"kind\":\"CLIENT\",\"timestamp\":1010,\"duration\":50,\"localEndpoint\":{\"serviceName\":\"a\"}}"
    ","
    "{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"id\":\"b7ad6b7169203333\",\"parentId\":\"b7ad6b7169203332\","
    "\"name\":\"serve\",\"timestamp\":1020,\"duration\":30,\"localEndpoint\":{\"serviceName\":\"b\"}},"
    "{\"traceId\":\"1\",\"id\":\"2\",\"timestamp\":5,\"duration\":2,\"localEndpoint\":null}]";

static const char csv[] = "trace_id,span_id,parent_id,svc,op,start_us,dur_us,status,extra\r\n"
                          "t-one,1,,a,GET /,1000,100,2,\r\n"
                          "t-one,2,1,a,ask,1010,50,,\r\n"
                          "t-one,3,2,b,serve,1020,30,0,\r\n"
                          "t-two,1,-1,unknown_service,lone,5,2,1,\r\n";

static void same_story(ctw_spans *s)
{
    ctw_calls *c;
    ck_assert_uint_eq(ctw_spans_count(s), 4);
    ck_assert_uint_eq(ctw_spans_traces(s), 2);
    CTW_OKAY(ctw_calls_new(ctx, NULL, &c));
    CTW_OKAY(ctw_calls_add_spans(c, s, NULL));
    ck_assert_uint_eq(ctw_calls_count(c), 3);
    int64_t component[3], caller[3];
    double client[3], excl[3], error[3];
    CTW_OKAY(ctw_calls_keys(c, 0, 3, NULL, component, NULL, caller));
    CTW_OKAY(ctw_calls_column(c, 0, 3, CTW_CALL_CLIENT, client));
    CTW_OKAY(ctw_calls_column(c, 0, 3, CTW_CALL_EXCL, excl));
    CTW_OKAY(ctw_calls_column(c, 0, 3, CTW_CALL_ERROR, error));
    ck_assert_str_eq(ctw_calls_name_at(c, component[0]), "a");
    ck_assert_str_eq(ctw_calls_name_at(c, component[1]), "b");
    ck_assert_str_eq(ctw_calls_name_at(c, component[2]), "unknown_service");
    ck_assert(caller[0] == -1 && caller[1] == component[0]);
    ck_assert(client[0] == 100 && client[1] == 50 && excl[0] == 50 && excl[1] == 50);
    ck_assert(error[0] == 1 && error[1] == 0);
    ctw_calls_unref(c);
    ctw_spans_unref(s);
}

static ctw_spans *table(void)
{
    ctw_spans *s;
    CTW_OKAY(ctw_spans_new(ctx, NULL, &s));
    return s;
}

START_TEST(one_story)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    const char *text[] = {otlp, jaeger, zipkin};
    for (int i = 0; i < 3; i++) {
        ctw_spans *s = table();
        CTW_OKAY(ctw_spans_read_json_mem(s, text[i], strlen(text[i]), NULL, NULL));
        same_story(s);
    }
    ctw_spans *s = table();
    CTW_OKAY(ctw_spans_read_csv_mem(s, csv, strlen(csv), NULL, NULL));
    same_story(s);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(from_files)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    const char *path = ctw_test_tmp("spans.json");
    FILE *f = fopen(path, "w");
    ck_assert(f && fputs(zipkin, f) >= 0 && fclose(f) == 0);
    ctw_spans *s = table();
    CTW_OKAY(ctw_spans_read_json(s, path, NULL));
    same_story(s);
    path = ctw_test_tmp("spans.csv");
    f = fopen(path, "w");
    ck_assert(f && fputs(csv, f) >= 0 && fclose(f) == 0);
    s = table();
    CTW_OKAY(ctw_spans_read_csv(s, path, NULL));
    same_story(s);
    s = table();
    CTW_FAILS(ctw_spans_read_json(s, "/nowhere/x.json", NULL), CTW_E_IO, "/nowhere");
    CTW_FAILS(ctw_spans_read_csv(s, "/nowhere/x.csv", NULL), CTW_E_IO, "/nowhere");
    ctw_spans_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(refused)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    static const struct {
        const char *text;
        ctw_status status;
        const char *says;
    } json[] = {
        {"[{\"id\":\"2\",\"traceId\":\"1\",\"timestamp\":5,\"duration\":2},{\"id\":\"2\"}]", CTW_E_FORMAT, "trace id"},
        {"[{\"id\":\"2\",\"traceId\":\"1\",\"duration\":-2}]", CTW_E_RANGE, "ends before"},
        {"[{\"id\":\"2\",\"traceId\":\"1\",\"duration\":true}]", CTW_E_FORMAT, "time"},
        {"[{\"id\":\"2\",\"traceId\":\"1\",\"duration\":9007199254740993000}]", CTW_E_FORMAT, "2^61"},
        {"[{\"id\":\"2\",\"traceId\":\"1\",\"duration\":1.5}]", CTW_E_FORMAT, "integer"},
        {"[{\"id\":{},\"traceId\":\"1\"}]", CTW_E_FORMAT, "text"},
        {"[{\"id\":\"2\",\"traceId\":\"1\",\"tags\":5}]", CTW_E_FORMAT, "tags"},
        {"[{\"id\":\"2\",\"traceId\":\"1\"}", CTW_E_FORMAT, "memory:1"},
    };
    ctw_spans *s = table();
    for (size_t i = 0; i < sizeof json / sizeof *json; i++) {
        CTW_FAILS(ctw_spans_read_json_mem(s, json[i].text, strlen(json[i].text), NULL, NULL), json[i].status,
                  json[i].says);
        ck_assert_uint_eq(ctw_spans_count(s), 0);
        ck_assert_uint_eq(ctw_spans_traces(s), 0);
    }
    CTW_OKAY(ctw_spans_read_json_mem(s, "", 0, NULL, NULL));
    CTW_OKAY(ctw_spans_read_json_mem(s, "[1,\"x\",null,{\"spans\":7}]", 24, NULL, NULL));
    static const struct {
        const char *row;
        ctw_status status;
        const char *says;
    } rows[] = {
        {"1,1,,a,o,1,-1,0,0", CTW_E_RANGE, "duration"}, {"1,1,,a,o,1,1,6,0", CTW_E_RANGE, "kind"},
        {"1,1,,a,o,1,1,0,3", CTW_E_RANGE, "status"},    {"1,,,a,o,1,1,0,0", CTW_E_RANGE, "span"},
        {",1,,a,o,1,1,0,0", CTW_E_RANGE, "trace"},      {"1,1,,,o,1,1,0,0", CTW_E_RANGE, "service"},
        {"1,1,,a,o,x,1,0,0", CTW_E_FORMAT, NULL},       {"1,1,,a,o,9223372036854775807,1,0,0", CTW_E_RANGE, "start"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        int n = snprintf(text, sizeof text,
                         "trace,span,parent,service,operation,start_ns,duration_ns,kind,status\n%s\n", rows[i].row);
        CTW_FAILS(ctw_spans_read_csv_mem(s, text, (uint64_t)n, NULL, NULL), rows[i].status, rows[i].says);
        ck_assert_uint_eq(ctw_spans_count(s), 0);
    }
    CTW_FAILS(ctw_spans_read_csv_mem(s, "trace,span\n", 11, NULL, NULL), CTW_E_KEY, "parent");
    ctw_spans_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"one_story", one_story}, {"from_files", from_files}, {"refused", refused}};
    return ctw_test_main("api-spans-read", cases, sizeof cases / sizeof *cases, 10);
}
