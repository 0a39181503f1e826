/* forecast_daily.c: the day models through the public interface: accuracy, causality, streaming, files. */
#include "region.h"
#include "test.h"
#include <cybertwin/cybertwin.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DAYS 150
#define H    72

static ctw_ctx *ctx;
static ctw_test_region region;

static void set_up(void)
{
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    ctw_test_region_make(&region, DAYS, 11);
}

static void tear_down(void)
{
    ctw_test_region_free(&region);
    ctw_ctx_unref(ctx);
}

static int64_t at_day(size_t d)
{
    return REGION_START + (int64_t)d * 86400;
}

static ctw_forecast *fresh(void)
{
    ctw_params *p = NULL;
    ctw_forecast *f = NULL;
    CTW_OKAY(ctw_params_new(ctx, "forecast", &p));
    CTW_OKAY(ctw_params_set_i64(p, "horizon", H));
    CTW_OKAY(ctw_forecast_new(ctx, p, &f));
    ctw_params_unref(p);
    return f;
}

static ctw_feed *feed_of(size_t after)
{
    ctw_feed *feed = NULL;
    CTW_OKAY(ctw_test_region_feed(ctx, &region, after, &feed));
    return feed;
}

START_TEST(test_accuracy_with_weather)
{
    double m[H], lo[H], hi[H], err = 0, naive = 0, inside = 0, n = 0;
    set_up();
    ctw_feed *feed = feed_of(SIZE_MAX);
    ctw_forecast *f = fresh();
    int64_t flags;
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
    for (size_t d = 130; d < DAYS - H / 24; d++) {
        CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(d)));
        CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, lo, hi));
        for (size_t l = 0; l < H; l++) {
            double y = region.ci[d * 24 + l];
            err += fabs(m[l] - y) / y;
            naive += fabs(region.ci[d * 24 - 24 + l % 24] - y) / y;
            inside += y >= lo[l] && y <= hi[l];
            n++;
        }
    }
    ck_assert_msg(err < 0.5 * naive, "error %g, naive %g", err / n, naive / n);
    ck_assert_msg(inside / n > 0.75, "coverage %g", inside / n);
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert_int_eq(flags & ~CTW_FORECAST_DRIFT, CTW_FORECAST_OK);
    CTW_OKAY(ctw_forecast_refit(f, NULL));
    CTW_OKAY(ctw_forecast_predict(f, 2 * H, 0.9, NULL, 0, (double[2 * H]){0}, NULL, NULL));
    ctw_forecast_unref(f);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

START_TEST(test_nothing_after_the_origin)
{
    double a[3][H], b[3][H];
    set_up();
    /* Two feeds that agree up to the start of day 132: the forecasts are the same bits. */
    for (int k = 0; k < 2; k++) {
        ctw_feed *feed = feed_of(k ? 132 * 24 : SIZE_MAX);
        ctw_forecast *f = fresh();
        double(*out)[H] = k ? b : a;
        CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
        CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(132)));
        CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, out[0], out[1], out[2]));
        ctw_forecast_unref(f);
        ctw_feed_unref(feed);
    }
    ck_assert_mem_eq(a, b, sizeof a);
    tear_down();
}
END_TEST

START_TEST(test_within_a_day)
{
    double m[24], first[24];
    set_up();
    ctw_feed *feed = feed_of(SIZE_MAX);
    ctw_forecast *f = fresh();
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
    CTW_OKAY(ctw_forecast_predict(f, 24, 0.9, NULL, 0, first, NULL, NULL));
    CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(130) + 5 * 3600));
    CTW_OKAY(ctw_forecast_predict(f, 24, 0.9, NULL, 0, m, NULL, NULL));
    /* Five hours on it is the same forecast, moved, and corrected where the newest error still tells. */
    ck_assert_double_ne(m[0], first[5]);
    ck_assert_double_eq_tol(m[18], first[23], 0.05 * first[23]);
    double off = fabs(m[0] - region.ci[130 * 24 + 5]), before = fabs(first[5] - region.ci[130 * 24 + 5]);
    ck_assert(off < before + 0.1 * first[5]);
    ctw_forecast_unref(f);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

START_TEST(test_save_load_continue)
{
    double a[3][H], b[3][H];
    set_up();
    ctw_feed *feed = feed_of(SIZE_MAX);
    ctw_forecast *f = fresh(), *g = NULL;
    uint64_t need, again;
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
    CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(131) + 7 * 3600));
    CTW_OKAY(ctw_forecast_save_mem(f, NULL, 0, &need));
    unsigned char *buf = malloc(need), *buf2 = malloc(need);
    CTW_OKAY(ctw_forecast_save_mem(f, buf, need, &need));
    CTW_OKAY(ctw_forecast_load_mem(ctx, buf, need, &g));
    CTW_OKAY(ctw_forecast_save_mem(g, buf2, need, &again));
    ck_assert_uint_eq(need, again);
    ck_assert_mem_eq(buf, buf2, need);
    for (int k = 0; k < 2; k++) {
        ctw_forecast *x = k ? g : f;
        double(*out)[H] = k ? b : a;
        CTW_OKAY(ctw_forecast_update_feed(x, feed, at_day(134)));
        CTW_OKAY(ctw_forecast_refit(x, NULL));
        CTW_OKAY(ctw_forecast_update_feed(x, feed, at_day(136)));
        CTW_OKAY(ctw_forecast_predict(x, H, 0.9, NULL, 0, out[0], out[1], out[2]));
    }
    ck_assert_mem_eq(a, b, sizeof a);
    ctw_forecast_unref(g);
    for (uint64_t cut = 0; cut < need; cut += need / 50 + 1)
        CTW_FAILS(ctw_forecast_load_mem(ctx, buf, cut, &g), CTW_E_FORMAT, NULL);
    free(buf);
    free(buf2);
    ctw_forecast_unref(f);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

START_TEST(test_bad_feeds)
{
    double m[H];
    set_up();
    ctw_feed *feed = feed_of(SIZE_MAX), *other = NULL;
    ctw_forecast *f = fresh();
    CTW_FAILS(ctw_forecast_fit_feed(f, NULL, 0, NULL), CTW_E_ARG, "feed");
    CTW_FAILS(ctw_forecast_fit_feed(f, feed, REGION_START, NULL), CTW_E_ARG, "no value");
    CTW_OKAY(ctw_feed_new(ctx, 1800, &other));
    CTW_FAILS(ctw_forecast_fit_feed(f, other, 0, NULL), CTW_E_SHAPE, "step");
    CTW_FAILS(ctw_forecast_refit(f, NULL), CTW_E_STATE, "not fitted");
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
    CTW_FAILS(ctw_forecast_update_feed(f, other, at_day(131)), CTW_E_SHAPE, "step");
    ctw_feed_unref(other);
    CTW_OKAY(ctw_feed_new(ctx, 3600, &other));
    CTW_OKAY(ctw_feed_put(other, REGION_START, 1, NULL));
    CTW_FAILS(ctw_forecast_update_feed(f, other, at_day(131)), CTW_E_SHAPE, "sources");
    /* Short history: no day models, but a forecast. */
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(40), NULL));
    CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(41)));
    CTW_OKAY(ctw_forecast_refit(f, NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL));
    for (size_t l = 0; l < H; l++) ck_assert(m[l] > 50 && m[l] < 900);
    ctw_forecast_unref(f);
    ctw_feed_unref(other);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

START_TEST(test_each_expert_alone)
{
    const char *model[] = {"day-ridge", "day-kernel", "mix-ridge", "mix-kernel"};
    double m[4][H], blend[H];
    set_up();
    ctw_feed *feed = feed_of(SIZE_MAX), *bare = NULL;
    ctw_forecast *f = fresh();
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, blend, NULL, NULL));
    ctw_forecast_unref(f);
    CTW_OKAY(ctw_feed_new(ctx, 3600, &bare));
    for (size_t t = 0; t < region.hours; t++)
        CTW_OKAY(ctw_feed_put(bare, at_day(0) + (int64_t)t * 3600, region.ci[t], NULL));
    for (size_t k = 0; k < 4; k++) {
        ctw_params *p = NULL;
        CTW_OKAY(ctw_params_new(ctx, "forecast", &p));
        CTW_OKAY(ctw_params_set_i64(p, "horizon", H));
        CTW_OKAY(ctw_params_set_str(p, "model", model[k]));
        CTW_OKAY(ctw_forecast_new(ctx, p, &f));
        CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
        CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m[k], NULL, NULL));
        if (k < 2)
            CTW_OKAY(ctw_forecast_fit_feed(f, bare, at_day(130), NULL));
        else
            CTW_FAILS(ctw_forecast_fit_feed(f, bare, at_day(130), NULL), CTW_E_ARG, "sources");
        ctw_forecast_unref(f);
        ctw_params_unref(p);
    }
    /* The blend lies among its experts. */
    for (size_t l = 0; l < H; l++) {
        double lo = fmin(fmin(m[0][l], m[1][l]), fmin(m[2][l], m[3][l]));
        double hi = fmax(fmax(m[0][l], m[1][l]), fmax(m[2][l], m[3][l]));
        ck_assert(blend[l] >= lo * (1 - 1e-9) && blend[l] <= hi * (1 + 1e-9));
    }
    ctw_feed_unref(bare);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

START_TEST(test_revisions_and_lost_sources)
{
    double m[H], n[H], e[4];
    int64_t flags;
    set_up();
    ctw_feed *feed = feed_of(SIZE_MAX);
    ctw_forecast *f = fresh();
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(130), NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL));
    /* The provider halves the last day after the fact; the next day's forecast is made from that. */
    for (size_t t = 129 * 24; t < 130 * 24; t++)
        CTW_OKAY(ctw_feed_put(feed, at_day(0) + (int64_t)t * 3600, region.ci[t] / 2, region.src + 4 * t));
    CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(131)));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL));
    ctw_forecast_unref(f);
    f = fresh();
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(131), NULL));
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, n, NULL, NULL));
    for (size_t l = 0; l < H; l++) ck_assert_double_eq_tol(m[l], n[l], 0.15 * n[l]);
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert(!(flags & CTW_FORECAST_SOURCE_LOST));
    for (size_t t = 131 * 24; t < 132 * 24; t++) {
        memcpy(e, region.src + 4 * t, sizeof e);
        e[0] = 0;
        CTW_OKAY(ctw_feed_put(feed, at_day(0) + (int64_t)t * 3600, region.ci[t], e));
    }
    CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(132)));
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert(flags & CTW_FORECAST_SOURCE_LOST);
    ctw_forecast_unref(f);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

START_TEST(test_missing_weather_is_told)
{
    double m[H];
    int64_t flags;
    set_up();
    ctw_feed *full = feed_of(SIZE_MAX), *feed = NULL;
    /* The same rows, weather only up to day 126. */
    CTW_OKAY(ctw_feed_new(ctx, 3600, &feed));
    CTW_OKAY(ctw_feed_add_weather(feed, "wind", CTW_WEATHER_WIND));
    for (size_t t = 0; t < region.hours; t++)
        CTW_OKAY(ctw_feed_put(feed, at_day(0) + (int64_t)t * 3600, region.ci[t], NULL));
    for (size_t d = 0; d < 126; d++) {
        double lead[24];
        for (size_t k = 0; k < 24; k++) lead[k] = region.wind[d * 24 + k];
        CTW_OKAY(ctw_feed_put_weather(feed, at_day(d), 0, 3600, lead, 24));
    }
    ctw_forecast *f = fresh();
    CTW_OKAY(ctw_forecast_fit_feed(f, feed, at_day(126) - 3600, NULL));
    CTW_OKAY(ctw_forecast_update_feed(f, feed, at_day(140) - 3600));
    CTW_OKAY(ctw_forecast_flags(f, &flags));
    ck_assert(flags & CTW_FORECAST_NO_COVARIATES);
    CTW_OKAY(ctw_forecast_predict(f, H, 0.9, NULL, 0, m, NULL, NULL));
    for (size_t l = 0; l < H; l++) ck_assert(m[l] > 50 && m[l] < 900);
    ctw_forecast_unref(f);
    ctw_feed_unref(full);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

typedef struct share {
    ctw_forecast **f;
    uint64_t part;
    ctw_status s;
} share;

static void *refit_share(void *arg)
{
    share *w = arg;
    w->s = ctw_forecast_refit_batch(w->f, 3, w->part, 2, NULL);
    return NULL;
}

START_TEST(test_fleet_on_two_threads)
{
    ctw_feed *feed = NULL;
    ctw_forecast *f[4] = {NULL};
    double mean[4][48];
    pthread_t thread[2];
    set_up();
    feed = feed_of(SIZE_MAX);
    const ctw_feed *feeds[4] = {feed, feed, feed, feed};
    for (int i = 0; i < 4; i++) {
        CTW_OKAY(ctw_forecast_new(ctx, NULL, &f[i]));
        CTW_OKAY(ctw_forecast_fit_feed(f[i], feed, at_day(130), NULL));
    }
    CTW_OKAY(ctw_forecast_update_feed_batch(f, feeds, 4, at_day(138), 0, 2));
    CTW_OKAY(ctw_forecast_update_feed_batch(f, feeds, 4, at_day(138), 1, 2));
    share w[2] = {{f, 0, CTW_OK}, {f, 1, CTW_OK}};
    for (int i = 0; i < 2; i++) ck_assert(!pthread_create(&thread[i], NULL, refit_share, &w[i]));
    for (int i = 0; i < 2; i++) ck_assert(!pthread_join(thread[i], NULL));
    for (int i = 0; i < 2; i++) CTW_OKAY(w[i].s);
    CTW_OKAY(ctw_forecast_refit_batch(f + 3, 1, 0, 1, NULL));
    CTW_OKAY(ctw_forecast_update_feed_batch(f, feeds, 4, at_day(139), 0, 1));
    for (int i = 0; i < 4; i++) CTW_OKAY(ctw_forecast_predict(f[i], 48, 0.9, NULL, 0, mean[i], NULL, NULL));
    for (int i = 0; i < 3; i++) ck_assert_mem_eq(mean[i], mean[3], sizeof mean[3]);
    ck_assert_int_eq(ctw_forecast_refit_batch(f, 4, 2, 2, NULL), CTW_E_RANGE);
    ck_assert_int_eq(ctw_forecast_refit_batch(NULL, 4, 0, 1, NULL), CTW_E_ARG);
    for (int i = 0; i < 4; i++) ctw_forecast_unref(f[i]);
    ctw_feed_unref(feed);
    tear_down();
}
END_TEST

/* A region whose level jumps: the p-values of its values drive a watch from obeying to its fallback. */
START_TEST(test_surprise_drives_a_watch)
{
    ctw_forecast *f = NULL;
    ctw_watch *w = NULL;
    enum { KNOWN = 130 };
    static double y[DAYS * 24];
    double p, low = 0;
    int32_t state = CTW_WATCH_NORMAL;
    set_up();
    ctw_test_carbon(y, DAYS * 24, 300, 0.05, 8);
    CTW_OKAY(ctw_forecast_new(ctx, NULL, &f));
    CTW_OKAY(ctw_watch_new(ctx, NULL, &w));
    ck_assert_int_eq(ctw_forecast_surprise(f, &p), CTW_E_STATE);
    CTW_OKAY(ctw_forecast_fit(f, y, KNOWN * 24, 1, NULL, 0, 0, NULL));
    for (size_t t = KNOWN * 24; t < DAYS * 24; t++) {
        CTW_OKAY(ctw_forecast_update(f, y + t, 1, 1, NULL, 0));
        CTW_OKAY(ctw_forecast_surprise(f, &p));
        ck_assert(p > 0 && p <= 1);
        low += p < 0.1;
    }
    ck_assert_msg(low < 0.25 * (DAYS - KNOWN) * 24, "%g small p-values", low);
    for (int i = 0; i < 24; i++) {
        double strange = 2000 + i;
        CTW_OKAY(ctw_forecast_update(f, &strange, 1, 1, NULL, 0));
        CTW_OKAY(ctw_forecast_surprise(f, &p));
        ck_assert(p < 0.05);
        CTW_OKAY(ctw_watch_step(w, p, 0, &state));
    }
    ck_assert_int_eq(state, CTW_WATCH_FALLBACK);
    double none = NAN;
    CTW_OKAY(ctw_forecast_update(f, &none, 1, 1, NULL, 0));
    CTW_OKAY(ctw_forecast_surprise(f, &p));
    ck_assert_double_eq(p, 1);
    ctw_watch_unref(w);
    ctw_forecast_unref(f);
    tear_down();
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {
        {"accuracy_with_weather", test_accuracy_with_weather},
        {"nothing_after_the_origin", test_nothing_after_the_origin},
        {"within_a_day", test_within_a_day},
        {"save_load_continue", test_save_load_continue},
        {"bad_feeds", test_bad_feeds},
        {"each_expert_alone", test_each_expert_alone},
        {"revisions_and_lost_sources", test_revisions_and_lost_sources},
        {"missing_weather_is_told", test_missing_weather_is_told},
        {"fleet_on_two_threads", test_fleet_on_two_threads},
        {"surprise_drives_a_watch", test_surprise_drives_a_watch},
    };
    return ctw_test_main("api-forecast-daily", cases, sizeof cases / sizeof *cases, 60);
}
