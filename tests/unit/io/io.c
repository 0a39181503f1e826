/* io.c: bytes, checksum, container, whole files, JSON events. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/handle.h"
#include "base/params.h"
#include "io/bytes.h"
#include "io/container.h"
#include "io/crc32c.h"
#include "io/file.h"
#include "io/json.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIND CTW_FOUR('T', 'E', 'S', 'T')
#define DATA CTW_FOUR('D', 'A', 'T', 'A')
#define MORE CTW_FOUR('M', 'O', 'R', 'E')

static ctw_ctx *ctx;

static void setup(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
}

static void teardown(void)
{
    ctw_ctx_unref(ctx);
}

START_TEST(checksum)
{
    ck_assert_uint_eq(ctw_io__crc32c(0, "123456789", 9), 0xE3069283u);
    ck_assert_uint_eq(ctw_io__crc32c(ctw_io__crc32c(0, "1234", 4), "56789", 5), 0xE3069283u);
    ck_assert_uint_eq(ctw_io__crc32c(0, "", 0), 0);
}
END_TEST

START_TEST(bytes_round_trip)
{
    double v[3] = {1.5, -2, 1e-300}, back[3];
    ctw_io__writer w = {0};
    setup();
    w.ctx = ctx;
    ctw_io__put_u8(&w, 200);
    ctw_io__put_u16(&w, 60000);
    ctw_io__put_u32(&w, 4000000000u);
    ctw_io__put_u64(&w, UINT64_MAX);
    ctw_io__put_i64(&w, -5);
    ctw_io__put_f64(&w, 0.1);
    ctw_io__put_vec(&w, v, 3);
    ctw_io__put_raw(&w, "abc", 3);
    ck_assert(!w.failed);
    ctw_io__reader r = {w.data, w.size, 0};
    ck_assert_uint_eq(ctw_io__get_u8(&r), 200);
    ck_assert_uint_eq(ctw_io__get_u16(&r), 60000);
    ck_assert_uint_eq(ctw_io__get_u32(&r), 4000000000u);
    ck_assert(ctw_io__get_u64(&r) == UINT64_MAX);
    ck_assert_int_eq(ctw_io__get_i64(&r), -5);
    ck_assert(ctw_io__get_f64(&r) == 0.1);
    ck_assert_uint_eq(ctw_io__get_count(&r, 8), 3);
    ctw_io__get_f64s(&r, back, 3);
    ck_assert(memcmp(v, back, sizeof v) == 0);
    ck_assert(memcmp(ctw_io__get_raw(&r, 3), "abc", 3) == 0);
    CTW_OKAY(ctw_io__in_end(&r, "f", "it"));
    ctw_io__get_u8(&r);
    ck_assert(r.failed && ctw_io__get_u64(&r) == 0);
    CTW_FAILS(ctw_io__in_end(&r, "f", "it"), CTW_E_FORMAT, "ends early");
    r = (ctw_io__reader){w.data, w.size, 0};
    CTW_FAILS(ctw_io__in_end(&r, "f", "it"), CTW_E_FORMAT, "too many");
    ctw_io__writer_free(&w);
    teardown();
}
END_TEST

START_TEST(hostile_numbers)
{
    unsigned char nan_bytes[8] = {0, 0, 0, 0, 0, 0, 0xF8, 0x7F}, count[8];
    double v;
    ctw_io__reader r = {nan_bytes, 8, 0};
    ctw_io__get_f64s(&r, &v, 1);
    ck_assert(r.failed);
    memset(count, 0xFF, sizeof count);
    r = (ctw_io__reader){count, 8, 0};
    ck_assert_uint_eq(ctw_io__get_count(&r, 8), 0);
    ck_assert(r.failed);
}
END_TEST

/* A file with two sections, one of them skippable. */
static void sample(ctw_io__out *o, uint16_t major)
{
    ctw_io__out_begin(o, ctx, KIND, major, 3);
    ctw_io__out_open(o, DATA, 1, 0);
    ctw_io__put_f64(&o->w, 42);
    ctw_io__out_close(o);
    ctw_io__out_open(o, MORE, 1, 1);
    ctw_io__put_u8(&o->w, 1);
    ctw_io__out_close(o);
}

static size_t sample_bytes(unsigned char *buf, size_t cap, uint16_t major)
{
    ctw_io__out o;
    uint64_t need;
    sample(&o, major);
    CTW_OKAY(ctw_io__out_to_mem(&o, buf, cap, &need, "save"));
    return (size_t)need;
}

START_TEST(container_round_trip)
{
    unsigned char buf[256];
    ctw_io__in in;
    ctw_io__reader r;
    uint32_t known[] = {DATA, MORE};
    setup();
    size_t n = sample_bytes(buf, sizeof buf, 1);
    CTW_OKAY(ctw_io__in_begin(&in, buf, n, KIND, 1, "load"));
    ck_assert_int_eq(in.minor, 3);
    CTW_OKAY(ctw_io__in_known(&in, known, 2, "load"));
    CTW_OKAY(ctw_io__in_known(&in, known, 1, "load"));
    CTW_FAILS(ctw_io__in_known(&in, known + 1, 1, "load"), CTW_E_VERSION, "\"DATA\"");
    CTW_OKAY(ctw_io__in_section(&in, DATA, &r, "load"));
    ck_assert(ctw_io__get_f64(&r) == 42);
    CTW_OKAY(ctw_io__in_end(&r, "load", "DATA"));
    CTW_FAILS(ctw_io__in_section(&in, KIND, &r, "load"), CTW_E_FORMAT, "\"TEST\" is missing");
    ck_assert(ctw_io__in_has(&in, MORE) && !ctw_io__in_has(&in, KIND));
    teardown();
}
END_TEST

START_TEST(container_sizes)
{
    unsigned char buf[256];
    ctw_io__out o;
    uint64_t need = 0;
    setup();
    sample(&o, 1);
    CTW_OKAY(ctw_io__out_to_mem(&o, NULL, 0, &need, "save"));
    sample(&o, 1);
    CTW_FAILS(ctw_io__out_to_mem(&o, buf, need - 1, &need, "save"), CTW_E_BUFFER, "are needed");
    sample(&o, 1);
    CTW_FAILS(ctw_io__out_to_mem(&o, NULL, 9, &need, "save"), CTW_E_ARG, "buf");
    sample(&o, 1);
    CTW_FAILS(ctw_io__out_to_mem(&o, buf, need, NULL, "save"), CTW_E_ARG, "need");
    sample(&o, 1);
    CTW_FAILS(ctw_io__out_to_file(&o, NULL, "save"), CTW_E_ARG, "path");
    teardown();
}
END_TEST

/* Every truncation and every flipped bit is noticed, before anything is parsed. */
START_TEST(damage)
{
    unsigned char buf[256];
    ctw_io__in in;
    setup();
    size_t n = sample_bytes(buf, sizeof buf, 1);
    for (size_t cut = 0; cut < n; cut++) {
        unsigned char *part = malloc(cut + 1);
        memcpy(part, buf, cut);
        ck_assert(ctw_io__in_begin(&in, part, cut, KIND, 1, "load") == CTW_E_FORMAT);
        free(part);
    }
    for (size_t bit = 0; bit < 8 * n; bit++) {
        buf[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ctw_status s = ctw_io__in_begin(&in, buf, n, KIND, 1, "load");
        ck_assert_msg(s == CTW_E_FORMAT, "bit %zu: %s", bit, ctw_status_name(s));
        buf[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    CTW_FAILS(ctw_io__in_begin(&in, buf, n, DATA, 1, "load"), CTW_E_KIND, "holds a \"TEST\", not a \"DATA\"");
    CTW_FAILS(ctw_io__in_begin(&in, NULL, n, KIND, 1, "load"), CTW_E_ARG, "buf");
    n = sample_bytes(buf, sizeof buf, 2);
    CTW_FAILS(ctw_io__in_begin(&in, buf, n, KIND, 1, "load"), CTW_E_VERSION, "format 2.3");
    teardown();
}
END_TEST

START_TEST(repeated_section)
{
    ctw_io__out o;
    unsigned char buf[256];
    uint64_t need;
    ctw_io__in in;
    uint32_t known[] = {DATA};
    setup();
    ctw_io__out_begin(&o, ctx, KIND, 1, 0);
    for (int i = 0; i < 2; i++) {
        ctw_io__out_open(&o, DATA, 1, 0);
        ctw_io__out_close(&o);
    }
    CTW_OKAY(ctw_io__out_to_mem(&o, buf, sizeof buf, &need, "save"));
    CTW_OKAY(ctw_io__in_begin(&in, buf, need, KIND, 1, "load"));
    CTW_FAILS(ctw_io__in_known(&in, known, 1, "load"), CTW_E_FORMAT, "twice");
    teardown();
}
END_TEST

START_TEST(files)
{
    const char *path = ctw_test_tmp("model.ctw");
    ctw_io__out o;
    unsigned char *data;
    size_t size;
    struct stat st;
    setup();
    for (int i = 0; i < 2; i++) { /* new, then replaced */
        sample(&o, 1);
        CTW_OKAY(ctw_io__out_to_file(&o, path, "save"));
    }
    ck_assert(stat(path, &st) == 0 && (st.st_mode & 0111) == 0);
    CTW_OKAY(ctw_io__file_read(ctx, path, 1 << 20, &data, &size, "load"));
    ck_assert_uint_eq(size, (size_t)st.st_size);
    ctw_base__free(ctx, data);
    CTW_FAILS(ctw_io__file_read(ctx, path, 10, &data, &size, "load"), CTW_E_RANGE, "larger than");
    CTW_FAILS(ctw_io__file_read(ctx, "/no/such/file", 10, &data, &size, "load"), CTW_E_IO, "No such file");
    CTW_FAILS(ctw_io__file_read(ctx, "/tmp", 10, &data, &size, "load"), CTW_E_IO, "/tmp");
    sample(&o, 1);
    CTW_FAILS(ctw_io__out_to_file(&o, "/no/such/dir/x", "save"), CTW_E_IO, "/no/such/dir/x");
    teardown();
}
END_TEST

/* /dev/full cannot be written beside; a directory in the way makes the rename fail: the target stays. */
START_TEST(failed_write_leaves_the_old_file)
{
    const char *dir = ctw_test_tmp("in-the-way");
    setup();
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    CTW_FAILS(ctw_io__file_write(ctx, dir, "x", 1, "save"), CTW_E_IO, "cannot replace");
    char beside[300];
    snprintf(beside, sizeof beside, "%s.new0", dir);
    ck_assert_int_ne(access(beside, F_OK), 0);
    teardown();
}
END_TEST

static ctw_status load_ok(ctw_ctx *c, const void *buf, uint64_t len, void **out)
{
    (void)c, (void)buf, (void)len;
    *out = NULL;
    return CTW_OK;
}

static ctw_status load_bad(ctw_ctx *c, const void *buf, uint64_t len, void **out)
{
    load_ok(c, buf, len, out);
    return ctw_base__fail(CTW_E_FORMAT, "bad %d", (int)len);
}

START_TEST(loading_names_the_file)
{
    const char *path = ctw_test_tmp("x.ctw");
    void *out;
    setup();
    CTW_OKAY(ctw_io__file_write(ctx, path, "abc", 3, "save"));
    CTW_OKAY(ctw_io__file_load(ctx, path, load_ok, &out, "load"));
    CTW_FAILS(ctw_io__file_load(ctx, path, load_bad, &out, "load"), CTW_E_FORMAT, "x.ctw: bad 3");
    teardown();
}
END_TEST

/* ---- JSON ---- */

/* One letter an event: { } [ ] k s n t f 0, and ! for an error. */
static void events(const char *text, char *out, size_t cap)
{
    static const char letter[] = ".{}[]ksntf0";
    ctw_io__json *j;
    ctw_io__json_event ev;
    size_t n = 0;
    CTW_OKAY(ctw_io__json_open_mem(ctx, text, strlen(text), "text", &j));
    for (;;) {
        ctw_status s = ctw_io__json_next(j, &ev);
        if (s != CTW_OK) {
            out[n++] = '!';
            CTW_FAILS(s, CTW_E_FORMAT, "text:");
            CTW_FAILS(ctw_io__json_next(j, &ev), CTW_E_FORMAT, "earlier error");
            break;
        }
        if (ev == CTW_JSON_END || n + 2 > cap) break;
        out[n++] = letter[ev];
    }
    out[n] = 0;
    ctw_io__json_close(j);
}

START_TEST(json_grammar)
{
    static const char *const table[][2] = {
        {"{\"a\":[1,2.5e3,-0],\"b\":{\"c\":null}}", "{k[nnn]k{k0}}"},
        {" [ true , false , \"x\\u00e9\\ud83d\\ude00\\n\" ] ", "[tfs]"},
        {"1\n\"two\"\n{}\n[]", "ns{}[]"},
        {"", ""},
        {"{", "{!"},
        {"[1,]", "[n!"},
        {"[1 2]", "[n!"},
        {"{\"a\" 1}", "{!"},
        {"{\"a\":}", "{k!"},
        {"{1:2}", "{!"},
        {"[}", "[!"},
        {"]", "!"},
        {"tru", "!"},
        {"nul", "!"},
        {"1.", "!"},
        {"-", "!"},
        {"1e", "!"},
        {"\"a", "!"},
        {"\"\\x\"", "!"},
        {"\"\\ud800\"", "!"},
        {"\"\\udc00\"", "!"},
        {"\"\\u0000\"", "!"},
        {"\"\\u12g4\"", "!"},
        {"\"\t\"", "!"},
        {"[1,2", "[nn!"},
        {"{\"a\":1,}", "{kn!"},
        {"?", "!"},
    };
    char got[64];
    setup();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        events(table[i][0], got, sizeof got);
        ck_assert_msg(strcmp(got, table[i][1]) == 0, "%s gave %s, not %s", table[i][0], got, table[i][1]);
    }
    char deep[200];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    events(deep, got, sizeof got);
    teardown();
}
END_TEST

START_TEST(json_values)
{
    static const char text[] = "{\"skip\":{\"x\":[1,{}]},\"i\":\"12\",\"f\":2.5,\"s\":\"\\u00e9\\/\"}";
    ctw_io__json *j;
    ctw_io__json_event ev;
    int64_t i;
    double f;
    char place[64];
    setup();
    CTW_OKAY(ctw_io__json_open_mem(ctx, text, sizeof text - 1, NULL, &j));
    CTW_OKAY(ctw_io__json_next(j, &ev));
    CTW_OKAY(ctw_io__json_next(j, &ev));
    ck_assert_str_eq(ctw_io__json_text(j, NULL), "skip");
    CTW_OKAY(ctw_io__json_next(j, &ev));
    CTW_OKAY(ctw_io__json_skip(j, ev));
    CTW_OKAY(ctw_io__json_next(j, &ev));
    ck_assert_str_eq(ctw_io__json_text(j, NULL), "i");
    CTW_OKAY(ctw_io__json_next(j, &ev));
    CTW_OKAY(ctw_io__json_skip(j, ev));
    CTW_OKAY(ctw_io__json_i64(j, &i));
    ck_assert_int_eq(i, 12);
    CTW_OKAY(ctw_io__json_next(j, &ev));
    CTW_OKAY(ctw_io__json_next(j, &ev));
    CTW_OKAY(ctw_io__json_f64(j, &f));
    ck_assert(f == 2.5);
    CTW_FAILS(ctw_io__json_i64(j, &i), CTW_E_FORMAT, "\"2.5\" is not");
    CTW_OKAY(ctw_io__json_next(j, &ev));
    CTW_OKAY(ctw_io__json_next(j, &ev));
    ck_assert_str_eq(ctw_io__json_text(j, NULL), "\xc3\xa9/");
    CTW_FAILS(ctw_io__json_f64(j, &f), CTW_E_FORMAT, "memory:1:");
    ctw_io__json_place(j, place, sizeof place);
    ck_assert_str_eq(place, "memory:1:43");
    ctw_io__json_close(j);
    ctw_io__json_close(NULL);
    CTW_FAILS(ctw_io__json_open(ctx, "/no/such", &j, "load"), CTW_E_IO, "/no/such");
    ck_assert_ptr_null(j);
    teardown();
}
END_TEST

static ctw_status life(ctw_ctx *c, void *user)
{
    ctw_io__out o;
    ctw_io__json *j = NULL;
    ctw_io__json_event ev = CTW_JSON_NULL;
    uint64_t need;
    ctw_ctx *before = ctx;
    ctx = c;
    sample(&o, 1);
    ctw_status s = ctw_io__out_to_file(&o, user, "save");
    unsigned char *data = NULL;
    size_t size;
    if (s == CTW_OK) s = ctw_io__file_read(c, user, 4096, &data, &size, "load");
    ctw_base__free(c, data);
    sample(&o, 1);
    ctw_status t = ctw_io__out_to_mem(&o, NULL, 0, &need, "save");
    if (s == CTW_OK) s = t;
    if (s == CTW_OK) s = ctw_io__json_open_mem(c, "[\"a longer string\"]", 19, "text", &j);
    while (s == CTW_OK && ev != CTW_JSON_END) s = ctw_io__json_next(j, &ev);
    ctw_io__json_close(j);
    ctx = before;
    return s;
}

START_TEST(out_of_memory)
{
    char path[300];
    snprintf(path, sizeof path, "%s", ctw_test_tmp("oom.ctw"));
    ck_assert_uint_gt(ctw_oom_sweep(life, path, 1), 5);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"checksum", checksum},
        {"bytes", bytes_round_trip},
        {"hostile", hostile_numbers},
        {"container", container_round_trip},
        {"sizes", container_sizes},
        {"damage", damage},
        {"repeated", repeated_section},
        {"files", files},
        {"failed_write", failed_write_leaves_the_old_file},
        {"loading", loading_names_the_file},
        {"json_grammar", json_grammar},
        {"json_values", json_values},
        {"oom", out_of_memory},
    };
    return ctw_test_main("io", cases, sizeof cases / sizeof *cases, 30);
}
