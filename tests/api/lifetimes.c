/* lifetimes.c: what every handle has in common: a constructor that refuses NULL and foreign options and publishes
 * nothing on failure, counting, and any order of destruction. One row a kind of handle. */
#include <cybertwin/cybertwin.h>

#include "test.h"
#include <string.h>

/* Wrappers of one type for constructors, ref and unref of every kind. */
#define KIND(noun)                                                              \
    static ctw_status new_##noun(ctw_ctx *ctx, const ctw_params *p, void **out) \
    {                                                                           \
        return ctw_##noun##_new(ctx, p, (ctw_##noun **)out);                    \
    }                                                                           \
    static void *ref_##noun(void *h)                                            \
    {                                                                           \
        return ctw_##noun##_ref(h);                                             \
    }                                                                           \
    static void unref_##noun(void *h)                                           \
    {                                                                           \
        ctw_##noun##_unref(h);                                                  \
    }

KIND(agent)
KIND(bandit)
KIND(calls)
KIND(detector)
KIND(dual)
KIND(features)
KIND(forecast)
KIND(governor)
KIND(guard)
KIND(lengths)
KIND(meter)
KIND(online)
KIND(ope)
KIND(place)
KIND(power)
KIND(prior)
KIND(queue)
KIND(rack)
KIND(rca)
KIND(shapes)
KIND(spans)
KIND(svm)
KIND(twin)
KIND(watch)

typedef struct kind {
    const char *name;
    ctw_status (*make)(ctw_ctx *ctx, const ctw_params *p, void **out);
    void *(*ref)(void *h);
    void (*unref)(void *h);
} kind;

#define ROW(noun)                                   \
    {                                               \
#noun, new_##noun, ref_##noun, unref_##noun \
    }
static const kind kinds[] = {
    ROW(agent), ROW(bandit),  ROW(calls),  ROW(detector), ROW(dual), ROW(features), ROW(forecast), ROW(governor),
    ROW(guard), ROW(lengths), ROW(meter),  ROW(online),   ROW(ope),  ROW(place),    ROW(power),    ROW(queue),
    ROW(rack),  ROW(rca),     ROW(shapes), ROW(spans),    ROW(svm),  ROW(twin),     ROW(watch),    ROW(prior),
};
enum { KINDS = sizeof kinds / sizeof *kinds };

START_TEST(constructors)
{
    for (size_t i = 0; i < KINDS; i++) {
        ctw_alloc_counter count = {0};
        ctw_ctx *ctx;
        ctw_params *foreign;
        void *h = &count;
        CTW_OKAY(ctw_ctx_new(ctw_count_alloc, &count, &ctx));
        CTW_OKAY(ctw_params_new(ctx, strcmp(kinds[i].name, "queue") ? "queue" : "place", &foreign));
        CTW_FAILS(kinds[i].make(ctx, NULL, NULL), CTW_E_ARG, "out");
        CTW_FAILS(kinds[i].make(NULL, NULL, &h), CTW_E_ARG, "ctx");
        ck_assert_ptr_null(h);
        h = &count;
        CTW_FAILS(kinds[i].make(ctx, foreign, &h), CTW_E_KIND, "options of");
        ck_assert_ptr_null(h);
        CTW_OKAY(kinds[i].make(ctx, NULL, &h));
        ctw_params_unref(foreign);
        ctw_ctx_unref(ctx); /* before the handle, on purpose */
        ck_assert_ptr_eq(kinds[i].ref(h), h);
        kinds[i].unref(h);
        ck_assert_msg(count.live_blocks > 0, "%s died with its first unref", kinds[i].name);
        kinds[i].unref(h);
        ck_assert_msg(count.live_blocks == 0, "%s leaks %d blocks", kinds[i].name, (int)count.live_blocks);
        ck_assert_ptr_null(kinds[i].ref(NULL));
        kinds[i].unref(NULL);
    }
}
END_TEST

START_TEST(handles_without_options)
{
    ctw_ctx *ctx;
    ctw_feed *feed;
    ctw_svmset *set;
    ctw_sensitivity *s;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_feed_new(ctx, 3600, &feed));
    ctw_feed_unref(ctw_feed_ref(feed));
    ctw_feed_unref(feed);
    CTW_OKAY(ctw_svmset_new(ctx, &set));
    ctw_svmset_unref(ctw_svmset_ref(set));
    ctw_svmset_unref(set);
    CTW_OKAY(ctw_sensitivity_new(ctx, &s));
    ctw_sensitivity_unref(ctw_sensitivity_ref(s));
    ctw_sensitivity_unref(s);
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"constructors", constructors}, {"without_options", handles_without_options}};
    return ctw_test_main("lifetimes", cases, sizeof cases / sizeof *cases, 60);
}
