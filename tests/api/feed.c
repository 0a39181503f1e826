/* feed.c: feeds: order, revisions, weather, and the files of each provider. */
#include "test.h"
#include <cybertwin/cybertwin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static ctw_ctx *ctx;

static void set_up(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
}

static const char *file(const char *name, const char *text)
{
    const char *path = ctw_test_tmp(name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    return path;
}

START_TEST(test_rows_in_any_order)
{
    ctw_feed *f = NULL;
    double v, s[2], e[2] = {1, 2};
    uint64_t ns, nv, ni, rev;
    set_up();
    CTW_OKAY(ctw_feed_new(ctx, 3600, &f));
    CTW_OKAY(ctw_feed_add_source(f, "wind", 11));
    CTW_OKAY(ctw_feed_add_source(f, "gas", NAN));
    CTW_FAILS(ctw_feed_add_source(f, "gas", 1), CTW_E_ARG, "already");
    CTW_FAILS(ctw_feed_add_source(f, "x", -1), CTW_E_RANGE, "factor");
    ck_assert_uint_eq(ctw_feed_rows(f), 0);
    CTW_OKAY(ctw_feed_put(f, 7200, 20, e));
    CTW_OKAY(ctw_feed_put(f, 0, 10, NULL));
    CTW_OKAY(ctw_feed_put(f, 18000, 50, e));
    CTW_OKAY(ctw_feed_put(f, 7200, 21, e));
    CTW_FAILS(ctw_feed_put(f, 100, 1, NULL), CTW_E_SHAPE, "grid");
    CTW_FAILS(ctw_feed_put(f, 0, INFINITY, NULL), CTW_E_NONFINITE, "value");
    e[1] = -INFINITY;
    CTW_FAILS(ctw_feed_put(f, 0, 1, e), CTW_E_NONFINITE, "sources[1]");
    CTW_FAILS(ctw_feed_put(f, 3600ll * 100000000, 1, NULL), CTW_E_RANGE, NULL);
    CTW_FAILS(ctw_feed_add_source(f, "late", 1), CTW_E_STATE, "first row");
    ck_assert_uint_eq(ctw_feed_rows(f), 6);
    ck_assert_int_eq(ctw_feed_start(f), 0);
    ck_assert(ctw_feed_step(f) == 3600.0);
    CTW_OKAY(ctw_feed_row(f, 2, &v, s));
    ck_assert(v == 21 && s[0] == 1 && s[1] == 2);
    CTW_OKAY(ctw_feed_row(f, 1, &v, s));
    ck_assert(isnan(v) && isnan(s[0]));
    CTW_FAILS(ctw_feed_row(f, 6, &v, s), CTW_E_RANGE, "rows");
    CTW_OKAY(ctw_feed_counts(f, &ns, &nv, &ni, &rev));
    ck_assert(ns == 2 && nv == 0 && ni == 0 && rev == 1);
    const char *name;
    CTW_OKAY(ctw_feed_source(f, 0, &name, &v));
    ck_assert_str_eq(name, "wind");
    CTW_FAILS(ctw_feed_source(f, 2, &name, &v), CTW_E_RANGE, NULL);
    ctw_feed_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_weather_issues)
{
    ctw_feed *f = NULL;
    double w[3] = {1, NAN, 3};
    uint64_t ni;
    set_up();
    CTW_FAILS(ctw_feed_new(ctx, 0.5, &f), CTW_E_RANGE, "step_s");
    CTW_FAILS(ctw_feed_new(ctx, 1.5, &f), CTW_E_RANGE, "whole");
    CTW_OKAY(ctw_feed_new(ctx, 3600, &f));
    CTW_FAILS(ctw_feed_put_weather(f, 0, 0, 3600, w, 3), CTW_E_KEY, "variable");
    CTW_FAILS(ctw_feed_add_weather(f, "w", 77), CTW_E_RANGE, "kind");
    CTW_OKAY(ctw_feed_add_weather(f, "w", CTW_WEATHER_WIND));
    CTW_OKAY(ctw_feed_put_weather(f, 86400, 0, 3600, w, 3));
    CTW_OKAY(ctw_feed_put_weather(f, 0, 0, 3600, w, 3));
    CTW_OKAY(ctw_feed_put_weather(f, 0, 0, 3600, w, 3));
    CTW_FAILS(ctw_feed_put_weather(f, 0, 0, 3600, w, 2), CTW_E_SHAPE, "leads");
    CTW_FAILS(ctw_feed_put_weather(f, 0, 0, 10800, w, 3), CTW_E_SHAPE, "leads");
    CTW_FAILS(ctw_feed_put_weather(f, 0, 0, 3600, NULL, 3), CTW_E_ARG, "leads");
    w[0] = INFINITY;
    CTW_FAILS(ctw_feed_put_weather(f, 0, 0, 3600, w, 3), CTW_E_NONFINITE, "leads[0]");
    CTW_FAILS(ctw_feed_add_weather(f, "late", 0), CTW_E_STATE, "first issue");
    CTW_OKAY(ctw_feed_counts(f, NULL, NULL, &ni, NULL));
    ck_assert_uint_eq(ni, 2);
    ctw_feed_unref(f);
    ctw_ctx_unref(ctx);
}
END_TEST

typedef struct layout {
    int32_t format;
    const char *name, *text, *column;
    uint64_t rows;
    int64_t start;
    double first, last;
} layout;

START_TEST(test_layouts)
{
    const layout rows[] = {
        {CTW_FEED_HOURLY_CSV, "a.csv",
         "time_utc,ci_lifecycle_gco2_kwh,ci_direct_gco2_kwh,coal_mwh,wind_mwh\n"
         "2021-07-01T00:00Z,300,250,10,5\n2021-07-01T02:00Z,310,260,11,\n2021-07-01T01:00Z,305,255,10,5\n",
         NULL, 3, 1625097600, 300, 310},
        {CTW_FEED_ELECTRICITYMAPS, "b.csv",
         "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO\xe2\x82\x82"
         "eq/kWh (direct),Carbon Intensity gCO\xe2\x82\x82"
         "eq/kWh (LCA),Low Carbon Percentage\n"
         "2022-01-01 00:00:00,Germany,Germany,DE,200.5,250.5,60\n2022-01-01 01:00:00,Germany,Germany,DE,201,251,60\n",
         NULL, 2, 1640995200, 250.5, 251},
        {CTW_FEED_EIA930, "c.csv",
         "Balancing Authority,Data Date,Hour Number,UTC Time at End of Hour,Net Generation (MW) from Coal,"
         "Net Generation (MW) from Wind,Net Generation (MW) from Wind (Adjusted)\n"
         "PJM,01/01/2022,1,1/1/2022 6:00:00 AM,\"1,000\",1000,5\nPJM,01/01/2022,2,1/1/2022 7:00:00 AM,0,500,5\n"
         "ERCO,01/01/2022,2,1/1/2022 7:00:00 AM,700,500,5\n",
         "PJM", 2, 1641013200, 415.5, 11},
        {CTW_FEED_ENTSOE, "d.csv",
         "Area,MTU,Biomass  - Actual Aggregated [MW],Fossil Gas  - Actual Aggregated [MW],"
         "Fossil Gas  - Actual Consumption [MW]\n"
         "BZN|NL,01.01.2021 00:00 - 01.01.2021 00:15 (UTC),100,100,0\n"
         "BZN|NL,01.01.2021 00:15 - 01.01.2021 00:30 (UTC),n/e,100,0\n",
         NULL, 2, 1609459200, 360, 490},
        {CTW_FEED_NESO_JSON, "e.json",
         "{\"data\":[{\"from\":\"2018-01-20T12:00Z\",\"to\":\"2018-01-20T12:30Z\",\"intensity\":{\"forecast\":266,"
         "\"actual\":263,\"index\":\"moderate\"}},{\"from\":\"2018-01-20T12:30Z\",\"intensity\":{\"actual\":270}}]}",
         NULL, 2, 1516449600, 263, 270},
        {CTW_FEED_WATTTIME_JSON, "f.json",
         "{\"data\":[{\"point_time\":\"2022-07-15T00:00:00+00:00\",\"value\":1000,\"x\":[1,{}]},"
         "{\"point_time\":\"2022-07-15T00:05:00+00:00\",\"value\":500}],"
         "\"meta\":{\"region\":\"CAISO\",\"units\":\"lbs_co2_per_mwh\"}}",
         NULL, 2, 1657843200, 453.59237, 226.796185},
    };
    set_up();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const layout *r = &rows[i];
        ctw_feed *f = NULL;
        double a, b;
        CTW_OKAY(ctw_feed_load(ctx, file(r->name, r->text), r->format, r->column, CTW_FACTORS_LIFECYCLE, &f));
        ck_assert_uint_eq(ctw_feed_rows(f), r->rows);
        ck_assert_msg(ctw_feed_start(f) == r->start, "%s: starts at %lld", r->name, (long long)ctw_feed_start(f));
        CTW_OKAY(ctw_feed_row(f, 0, &a, NULL));
        CTW_OKAY(ctw_feed_row(f, r->rows - 1, &b, NULL));
        ck_assert_double_eq_tol(a, r->first, 1e-9);
        ck_assert_double_eq_tol(b, r->last, 1e-9);
        ctw_feed_unref(f);
    }
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_bad_files)
{
    const struct {
        int32_t format;
        const char *text;
        ctw_status status;
        const char *says;
    } rows[] = {
        {CTW_FEED_HOURLY_CSV, "time_utc,x\n", CTW_E_KEY, "ci_lifecycle"},
        {CTW_FEED_HOURLY_CSV, "time_utc,ci_lifecycle_gco2_kwh\n", CTW_E_FORMAT, "no rows"},
        {CTW_FEED_HOURLY_CSV, "time_utc,ci_lifecycle_gco2_kwh\nyesterday,3\n", CTW_E_FORMAT, "no time"},
        {CTW_FEED_HOURLY_CSV, "time_utc,ci_lifecycle_gco2_kwh\n2021-02-28T00:00Z,x\n", CTW_E_FORMAT, "no number"},
        {CTW_FEED_HOURLY_CSV, "time_utc,ci_lifecycle_gco2_kwh\n2021-13-01T00:00Z,1\n", CTW_E_FORMAT, "no time"},
        {CTW_FEED_HOURLY_CSV, "time_utc,ci_lifecycle_gco2_kwh\n2021-01-01T00:00Z,1\n", CTW_E_FORMAT, "apart"},
        {CTW_FEED_HOURLY_CSV,
         "time_utc,ci_lifecycle_gco2_kwh\n2021-01-01T00:00Z,1\n2021-01-01T01:00Z,1\n2021-01-01T02:00Z,1\n"
         "2021-01-01T02:20Z,1\n2021-01-01T03:00Z,1\n2021-01-01T04:00Z,1\n2021-01-01T05:00Z,1\n",
         CTW_E_FORMAT, "grid"},
        {CTW_FEED_ELECTRICITYMAPS, "Datetime (UTC),x\n", CTW_E_KEY, "carbon intensity"},
        {CTW_FEED_EIA930, "UTC Time at End of Hour,x\n", CTW_E_FORMAT, "generation"},
        {CTW_FEED_EIA930,
         "Balancing Authority,UTC Time at End of Hour,Net Generation (MW) from Coal\nA,1/1/2022 1:00:00 AM,1\n"
         "B,1/1/2022 1:00:00 AM,1\n",
         CTW_E_FORMAT, "choose one"},
        {CTW_FEED_EIA930, "UTC Time at End of Hour,Net Generation (MW) from Magic\n", CTW_E_KEY, "Magic"},
        {CTW_FEED_ENTSOE, "MTU,Biomass  - Actual Aggregated [MW]\n01.01.2021 00:00 - 01.01.2021 01:00 (CET/CEST),1\n",
         CTW_E_FORMAT, "UTC"},
        {CTW_FEED_NESO_JSON, "[1]", CTW_E_FORMAT, "object"},
        {CTW_FEED_NESO_JSON, "{\"data\":[1]}", CTW_E_FORMAT, "no object"},
        {CTW_FEED_NESO_JSON, "{\"data\":[{\"intensity\":{\"actual\":1}}]}", CTW_E_FORMAT, "without a time"},
        {CTW_FEED_WATTTIME_JSON, "{\"data\":[{\"point_time\":\"x\"}]}", CTW_E_FORMAT, "no time"},
        {CTW_FEED_WATTTIME_JSON, "{\"data\":[", CTW_E_FORMAT, NULL},
    };
    ctw_feed *f = NULL;
    set_up();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CTW_FAILS(ctw_feed_load(ctx, file("bad", rows[i].text), rows[i].format, NULL, 0, &f), rows[i].status,
                  rows[i].says);
        ck_assert_ptr_null(f);
    }
    CTW_FAILS(ctw_feed_load(ctx, ctw_test_tmp("none"), 0, NULL, 0, &f), CTW_E_IO, NULL);
    CTW_FAILS(ctw_feed_load(ctx, "x", 99, NULL, 0, &f), CTW_E_RANGE, "format");
    CTW_FAILS(ctw_feed_load(ctx, "x", 0, NULL, 9, &f), CTW_E_RANGE, "factors");
    ctw_ctx_unref(ctx);
}
END_TEST

START_TEST(test_weather_file)
{
    ctw_feed *f = NULL;
    uint64_t nv, ni;
    set_up();
    CTW_OKAY(ctw_feed_new(ctx, 3600, &f));
    CTW_OKAY(ctw_feed_load_weather(f, file("w.csv", "issue_time_utc,wind10m_ms_h03,wind10m_ms_h06,dswrf_wm2_h03,"
                                                    "dswrf_wm2_h06\n2020-01-01T00:00Z,3,4,100,50\n"
                                                    "2020-01-02T00:00Z,,4,100,150\n")));
    CTW_OKAY(ctw_feed_counts(f, NULL, &nv, &ni, NULL));
    ck_assert(nv == 2 && ni == 2);
    CTW_FAILS(ctw_feed_load_weather(f, file("w2.csv", "issue_time_utc,x\n")), CTW_E_FORMAT, "_hNN");
    CTW_FAILS(ctw_feed_load_weather(f, file("w3.csv", "issue_time_utc,a_h03,a_h05\n")), CTW_E_FORMAT, "multiple");
    CTW_FAILS(ctw_feed_load_weather(f, file("w4.csv", "t,a_h03\n")), CTW_E_STATE, "first issue");
    ctw_feed_unref(f);
    double x;
    CTW_OKAY(ctw_feed_factor("Wind Onshore", CTW_FACTORS_LIFECYCLE, &x));
    ck_assert(x == 11);
    CTW_OKAY(ctw_feed_factor("Fossil Hard coal", CTW_FACTORS_DIRECT, &x));
    ck_assert(x == 760);
    CTW_OKAY(ctw_feed_factor("Hydro Water Reservoir", CTW_FACTORS_LIFECYCLE, &x));
    ck_assert(x == 24);
    CTW_FAILS(ctw_feed_factor("magic", 0, &x), CTW_E_KEY, "magic");
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"rows_in_any_order", test_rows_in_any_order},
        {"weather_issues", test_weather_issues},
        {"layouts", test_layouts},
        {"bad_files", test_bad_files},
        {"weather_file", test_weather_file},
    };
    return ctw_test_main("api-feed", cases, sizeof cases / sizeof *cases, 60);
}
