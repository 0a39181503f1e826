/* queue_ops.c: ctw-bench queue-ops: cost of the queue's verbs with N jobs waiting.
 *   --n N   --reps R (5)   --policy P (guarded)   --ops K operations a repetition (200000)
 * The line holds N jobs throughout: a push and a pop are timed in turn, so are a cancel and the push that replaces it,
 * and a re-prediction alone. CPU time of the thread, median of the repetitions after one to warm up; the cost of
 * drawing ids and predictions beforehand is not counted. */
#include "commands.h"
#include <stdlib.h>

typedef struct ops {
    ctw_queue *q;
    size_t n, count;
    int64_t *id;    /* ids that wait, any order, for cancel and re-prediction */
    double *work;   /* predictions to use, drawn beforehand */
    uint32_t *pick; /* positions in id */
    int64_t next;
    double now;
} ops;

static uint64_t draw(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x >> 11;
}

static void prepare(ops *o, uint64_t seed)
{
    uint64_t x = (seed + 1) * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < o->count; i++) {
        o->work[i] = 0.1 + (double)(draw(&x) % 1000000) / 1e5;
        o->pick[i] = (uint32_t)(draw(&x) % o->n);
    }
}

/* Pops and pushes in two loops of a block each, so that each can be timed alone while about N wait. */
static void push_pop(ops *o, double *push_ns, double *pop_ns)
{
    size_t block = o->n / 4 ? o->n / 4 : 1, done = 0;
    double push_s = 0, pop_s = 0;
    if (block > 4096) block = 4096;
    int64_t *out = bench_alloc(block, sizeof *out);
    while (done < o->count) {
        size_t k = o->count - done < block ? o->count - done : block;
        double t0 = bench_cpu_s();
        for (size_t i = 0; i < k; i++) {
            o->now += 1e-4;
            bench_ok(ctw_queue_push(o->q, o->next++, o->work[done + i], 1, o->now), "push");
        }
        double t1 = bench_cpu_s();
        for (size_t i = 0; i < k; i++) bench_ok(ctw_queue_pop(o->q, o->now, &out[i]), "pop");
        pop_s += bench_cpu_s() - t1;
        push_s += t1 - t0;
        done += k;
    }
    free(out);
    *push_ns = push_s / (double)o->count * 1e9;
    *pop_ns = pop_s / (double)o->count * 1e9;
}

/* Empties the line and fills it anew, so that the ids that wait are known. */
static void refill(ops *o)
{
    uint64_t got;
    int64_t *out = bench_alloc(o->n, sizeof *out);
    bench_ok(ctw_queue_pop_batch(o->q, o->now, out, o->n, &got), "pop");
    for (size_t i = 0; i < o->n; i++) {
        o->now += 1e-4;
        o->id[i] = o->next++;
        bench_ok(ctw_queue_push(o->q, o->id[i], o->work[i % o->count], 1, o->now), "push");
    }
    free(out);
}

static void cancel_repredict(ops *o, double push_ns, double *cancel_ns, double *repredict_ns)
{
    double t0 = bench_cpu_s();
    for (size_t i = 0; i < o->count; i++)
        bench_ok(ctw_queue_repredict(o->q, o->id[o->pick[i]], o->work[i], o->now), "repredict");
    double t1 = bench_cpu_s();
    for (size_t i = 0; i < o->count; i++) {
        int64_t *id = &o->id[o->pick[i]];
        bench_ok(ctw_queue_remove(o->q, *id), "cancel");
        *id = o->next++;
        bench_ok(ctw_queue_push(o->q, *id, o->work[i], 1, o->now), "push");
    }
    *repredict_ns = (t1 - t0) / (double)o->count * 1e9;
    *cancel_ns = (bench_cpu_s() - t1) / (double)o->count * 1e9 - push_ns;
}

static double bytes_per_job(const ctw_queue *q)
{
    ctw_report *r;
    double v;
    bench_ok(ctw_queue_report(q, &r), "report");
    bench_ok(ctw_report_get_f64(r, "bytes_per_job", &v), "bytes_per_job");
    ctw_report_unref(r);
    return v;
}

static void measure(bench *b, ops *o, int64_t reps, const char *policy, int64_t seed)
{
    double *v[4], bytes;
    for (int k = 0; k < 4; k++) v[k] = bench_alloc((size_t)reps + 1, sizeof *v[k]);
    prepare(o, (uint64_t)seed);
    refill(o);
    bytes = bytes_per_job(o->q); /* before the line is ever longer than N */
    for (int64_t r = 0; r <= reps; r++) {
        push_pop(o, &v[0][r], &v[1][r]);
        refill(o);
        cancel_repredict(o, v[0][r], &v[2][r], &v[3][r]);
    }
    bench_begin(b);
    bench_out_i64("seed", seed);
    bench_out_i64("n", (int64_t)o->n);
    bench_out_str("policy", policy);
    static const char *const key[4] = {"push_ns", "pop_ns", "cancel_ns", "repredict_ns"};
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        double median = bench_median(v[k] + 1, (size_t)reps); /* the first repetition warmed up */
        bench_out_f64(key[k], median);
        if (k < 2) sum += median;
        free(v[k]);
    }
    bench_out_f64("push_pop_ns", sum);
    bench_out_f64("bytes_per_job", bytes);
    bench_end();
}

int bench_queue_ops(bench *b)
{
    int64_t first, last, n = bench_i64(b, "--n", 1000), reps = bench_i64(b, "--reps", 5);
    int64_t count = bench_i64(b, "--ops", 200000);
    const char *policy = bench_str(b, "--policy", "guarded");
    ctw_params *p;
    bench_seeds(b, &first, &last);
    bench_ok(ctw_params_new(b->ctx, "queue", &p), "options");
    bench_ok(ctw_params_set_str(p, "policy", policy), "--policy");
    bench_params(b, p);
    bench_no_more(b);
    if (n < 1 || n > 16000000 || reps < 1 || count < 1)
        bench_die(2, "--n must be in [1, 16000000], --reps and --ops >= 1");
    for (int64_t seed = first; seed <= last; seed++) {
        ops o = {.n = (size_t)n, .count = (size_t)count};
        o.id = bench_alloc(o.n, sizeof *o.id);
        o.work = bench_alloc(o.count, sizeof *o.work);
        o.pick = bench_alloc(o.count, sizeof *o.pick);
        bench_ok(ctw_queue_new(b->ctx, p, &o.q), "queue");
        measure(b, &o, reps, policy, seed);
        ctw_queue_unref(o.q);
        free(o.id);
        free(o.work);
        free(o.pick);
    }
    ctw_params_unref(p);
    return 0;
}
