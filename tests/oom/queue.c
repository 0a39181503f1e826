/* Every allocation of a queue's, a predictor's and a simulated service's life may fail. */
#include "test.h"
#include <cybertwin/exec.h>
#include <cybertwin/lengths.h>
#include <cybertwin/queue.h>
#include <cybertwin/serving.h>

static ctw_status use_queue(ctw_queue *q)
{
    ctw_report *r = NULL;
    int64_t job;
    ctw_status s = CTW_OK;
    for (int64_t i = 300; i < 304 && s == CTW_OK; i++) s = ctw_queue_offer(q, i, 1, 1, 0);
    if (s == CTW_OK) s = ctw_queue_drain(q, 0, NULL, NULL);
    for (int64_t i = 0; i < 200 && s == CTW_OK; i++) s = ctw_queue_push(q, i, (double)(i % 7), 1, (double)i);
    if (s == CTW_OK) s = ctw_queue_set_deadline(q, 5, 300);
    for (int i = 0; i < 70 && s == CTW_OK; i++) s = ctw_queue_pop(q, 200 + i, &job);
    if (s == CTW_OK) s = ctw_queue_report(q, &r);
    ctw_report_unref(r);
    return s;
}

static ctw_status queue_life(ctw_ctx *ctx, void *user)
{
    ctw_params *p = NULL;
    ctw_queue *q = NULL;
    ctw_status s = ctw_params_new(ctx, "queue", &p);
    if (s == CTW_OK) s = ctw_params_set_str(p, "policy", user);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "intake", 4);
    if (s == CTW_OK) s = ctw_queue_new(ctx, p, &q);
    if (s == CTW_OK) s = use_queue(q);
    ctw_queue_unref(q);
    ctw_params_unref(p);
    return s;
}

enum { N = 20 };
static const char *const prompt[N] = {"list a", "list b", "write c", "write d", "say e", "name f", "tell g",
                                      "list h", "list i", "write j", "write k", "say l", "name m", "tell n",
                                      "list o", "list p", "write q", "write r", "say s", "name t"};

static ctw_status use_lengths(ctw_ctx *ctx, ctw_lengths *l)
{
    static unsigned char buf[65536];
    double tokens[N], v;
    uint64_t need;
    ctw_lengths *back = NULL;
    for (int i = 0; i < N; i++) tokens[i] = prompt[i][0] == 'w' ? 90 + i : 5 + i;
    ctw_status s = ctw_lengths_fit(l, prompt, NULL, N, tokens, 1, NULL);
    for (int i = 0; i < N && s == CTW_OK; i++) s = ctw_lengths_observe(l, prompt[i], 6, 0, tokens[i]);
    if (s == CTW_OK) s = ctw_lengths_update(l, NULL, NULL);
    if (s == CTW_OK) s = ctw_lengths_predict(l, prompt[0], 6, 0, 0.5, &v);
    if (s == CTW_OK) s = ctw_lengths_save_mem(l, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_lengths_load_mem(ctx, buf, need, &back);
    ctw_lengths_unref(back);
    return s;
}

static ctw_status lengths_life(ctw_ctx *ctx, void *user)
{
    ctw_params *p = NULL;
    ctw_lengths *l = NULL;
    ctw_status s = ctw_params_new(ctx, "lengths", &p);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "bits", 8);
    if (s == CTW_OK) s = ctw_params_set_i64(p, "folds", 2);
    if (s == CTW_OK) s = ctw_params_set_f64(p, "ridge", 5);
    if (s == CTW_OK && user) s = ctw_params_set_str(p, "head", user);
    if (s == CTW_OK) s = ctw_lengths_new(ctx, p, &l);
    if (s == CTW_OK) s = use_lengths(ctx, l);
    ctw_lengths_unref(l);
    ctw_params_unref(p);
    return s;
}

static ctw_status serving_life(ctw_ctx *ctx, void *user)
{
    static const double arrival[6] = {0, 0, 1, 2, 3, 9}, output[6] = {50, 9, 200, 30, 1, 70};
    ctw_params *p = NULL;
    ctw_serving *v = NULL;
    ctw_report *r = NULL;
    ctw_status s = ctw_params_new(ctx, "serving", &p);
    if (s == CTW_OK) s = ctw_params_set_str(p, "policy", user);
    if (s == CTW_OK && strcmp(user, "fcfs") == 0) { /* with a limit on memory */
        s = ctw_params_set_str(p, "batching", "continuous");
        if (s == CTW_OK) s = ctw_params_set_i64(p, "kv_tokens", 210);
    }
    if (s == CTW_OK) s = ctw_serving_new(ctx, p, &v);
    if (s == CTW_OK) s = ctw_serving_run(v, arrival, NULL, output, NULL, 6, NULL, &r);
    ctw_report_unref(r);
    ctw_serving_unref(v);
    ctw_params_unref(p);
    return s;
}

static ctw_status exec_life(ctw_ctx *ctx, void *user)
{
    ctw_exec *e = NULL;
    ctw_report *r = NULL;
    (void)user;
    ctw_status s = ctw_exec_new(ctx, NULL, &e);
    if (s == CTW_OK) s = ctw_exec_observe(e, 0, 10, 20, 2, 3);
    if (s == CTW_OK) s = ctw_exec_report(e, &r);
    unsigned char buf[1024];
    uint64_t need;
    ctw_exec *back = NULL;
    if (s == CTW_OK) s = ctw_exec_save_mem(e, buf, sizeof buf, &need);
    if (s == CTW_OK) s = ctw_exec_load_mem(ctx, buf, need, &back);
    ctw_exec_unref(back);
    ctw_report_unref(r);
    ctw_exec_unref(e);
    return s;
}

START_TEST(queues)
{
    ck_assert(ctw_oom_sweep(queue_life, "guarded", 1) > 5);
    ck_assert(ctw_oom_sweep(queue_life, "auto", 1) > 5);
    ck_assert(ctw_oom_sweep(exec_life, NULL, 1) > 3);
}
END_TEST

START_TEST(predictors)
{
    ck_assert(ctw_oom_sweep(lengths_life, NULL, 2) > 20);
    ck_assert(ctw_oom_sweep(lengths_life, "classes", 5) > 20);
}
END_TEST

START_TEST(services)
{
    ck_assert(ctw_oom_sweep(serving_life, "guarded", 1) > 5);
    ck_assert(ctw_oom_sweep(serving_life, "srpt", 1) > 5);
    ck_assert(ctw_oom_sweep(serving_life, "hrrn", 1) > 5);
    ck_assert(ctw_oom_sweep(serving_life, "fcfs", 1) > 5);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"queues", queues}, {"predictors", predictors}, {"services", services}};
    return ctw_test_main("oom-queue", cases, 3, 120);
}
