/* Properties of the queue against the slowest correct model: an array searched from end to end. */
#include "test.h"
#include <cybertwin/queue.h>
#include <math.h>
#include <string.h>

enum { MOST = 48 };

typedef struct job {
    int64_t id;
    double arrival, predicted, weight, deadline, head_start;
    uint64_t seq;
} job;

typedef struct model {
    job j[MOST];
    size_t n;
    double ageing;
    int sjf;
    uint64_t seq;
} model;

/* ck_assert records every pass in a file, which is too slow for millions of them. */
static void must(int ok, const char *what)
{
    if (!ok) ck_abort_msg("%s", what);
}

static uint64_t state;

static uint64_t draw(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

static double key_of(const model *m, const job *j)
{
    double work = j->predicted / j->weight, key = m->sjf ? work : j->arrival + m->ageing * work;
    key -= j->head_start;
    return !m->sjf && j->deadline - j->predicted < key ? j->deadline - j->predicted : key;
}

static size_t first_of(const model *m)
{
    size_t best = 0;
    for (size_t i = 1; i < m->n; i++) {
        double a = key_of(m, &m->j[i]), b = key_of(m, &m->j[best]);
        if (a < b || (a == b && m->j[i].seq < m->j[best].seq)) best = i;
    }
    return best;
}

static size_t find(const model *m, int64_t id)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->j[i].id == id) return i;
    return MOST;
}

/* Halves and quarters, so that keys are exact and ties happen. */
static double some_work(void)
{
    return (double)draw(40) / 4;
}

static void push(ctw_queue *q, model *m, int64_t id, double now, int again)
{
    job j = {.id = id,
             .arrival = now,
             .predicted = some_work(),
             .weight = draw(4) ? 1 : 2,
             .deadline = INFINITY,
             .seq = m->seq};
    if (again) {
        j.arrival = floor(now / 2);
        if (find(m, id) < MOST) {
            CTW_FAILS(ctw_queue_requeue(q, id, j.predicted, j.weight, j.arrival, now), CTW_E_KEY, "waits already");
            return;
        }
        CTW_OKAY(ctw_queue_requeue(q, id, j.predicted, j.weight, j.arrival, now));
    } else if (find(m, id) < MOST) {
        CTW_FAILS(ctw_queue_push(q, id, j.predicted, j.weight, now), CTW_E_KEY, "waits already");
        return;
    } else {
        CTW_OKAY(ctw_queue_push(q, id, j.predicted, j.weight, now));
    }
    m->seq++;
    m->j[m->n++] = j;
}

static void pop(ctw_queue *q, model *m, double now)
{
    int64_t seen, got;
    CTW_OKAY(ctw_queue_peek(q, now, &seen));
    CTW_OKAY(ctw_queue_pop(q, now, &got));
    must(seen == got, "peek and pop differ");
    if (!m->n) {
        must(got == -1, "empty queue");
        return;
    }
    size_t i = first_of(m);
    must(got == m->j[i].id, "order");
    m->j[i] = m->j[--m->n];
}

static void alter(ctw_queue *q, model *m, int64_t id, double now)
{
    size_t i = find(m, id);
    double v = some_work();
    if (i == MOST) {
        CTW_FAILS(ctw_queue_repredict(q, id, v, now), CTW_E_KEY, "does not wait");
        CTW_FAILS(ctw_queue_remove(q, id), CTW_E_KEY, "does not wait");
        return;
    }
    job *j = &m->j[i];
    switch (draw(5)) {
    case 0: CTW_OKAY(ctw_queue_repredict(q, id, j->predicted = v, now)); break;
    case 1: CTW_OKAY(ctw_queue_set_weight(q, id, j->weight = draw(2) ? 4 : 0.5)); break;
    case 2: CTW_OKAY(ctw_queue_set_deadline(q, id, j->deadline = draw(3) ? now + 4 * v : INFINITY)); break;
    case 3: CTW_OKAY(ctw_queue_set_head_start(q, id, j->head_start = v - 4)); break;
    default:
        CTW_OKAY(ctw_queue_remove(q, id));
        *j = m->j[--m->n];
        break;
    }
}

static void run(ctw_ctx *ctx, const char *policy, double ageing, uint64_t operations)
{
    ctw_params *p;
    ctw_queue *q;
    model m = {.ageing = ageing, .sjf = !strcmp(policy, "sjf")};
    double now = 0;
    CTW_OKAY(ctw_params_new(ctx, "queue", &p));
    CTW_OKAY(ctw_params_set_str(p, "policy", policy));
    CTW_OKAY(ctw_params_set_f64(p, "ageing", ageing));
    CTW_OKAY(ctw_queue_new(ctx, p, &q));
    for (uint64_t i = 0; i < operations; i++) {
        int64_t id = (int64_t)draw(64);
        if (draw(3) == 0) now += 0.5;
        switch (draw(8)) {
        case 0:
        case 1:
        case 2:
            if (m.n < MOST) push(q, &m, id, now, 0);
            break;
        case 3:
            if (m.n < MOST) push(q, &m, id, now, 1);
            break;
        case 4:
        case 5: pop(q, &m, now); break;
        default: alter(q, &m, id, now); break;
        }
        must(ctw_queue_size(q) == m.n, "size");
    }
    while (m.n) pop(q, &m, now);
    pop(q, &m, now);
    ctw_queue_unref(q);
    ctw_params_unref(p);
}

START_TEST(against_model)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    state = 88172645463325252u;
    run(ctx, "guarded", 4, 500000);
    run(ctx, "guarded", 28, 200000);
    run(ctx, "sjf", 28, 150000);
    run(ctx, "fcfs", 0, 150000);
    ctw_ctx_unref(ctx);
}
END_TEST

/* No job leaves before another that arrived more than ageing * (its prediction - the shortest) earlier. */
START_TEST(overtaking_is_bounded)
{
    enum { N = 4000 };
    static double arrival[N], predicted[N];
    static int waits[N];
    const double ageing = 7;
    ctw_ctx *ctx;
    ctw_params *p;
    ctw_queue *q;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_params_new(ctx, "queue", &p));
    CTW_OKAY(ctw_params_set_f64(p, "ageing", ageing));
    CTW_OKAY(ctw_queue_new(ctx, p, &q));
    state = 1234567;
    size_t next = 0, left = N;
    double now = 0;
    for (; left; now += 0.25) {
        for (uint64_t k = draw(4); next < N && k; k--, next++) {
            arrival[next] = now;
            predicted[next] = (float)((double)draw(1000) / 64);
            waits[next] = 1;
            CTW_OKAY(ctw_queue_push(q, (int64_t)next, predicted[next], 1, now));
        }
        int64_t got;
        CTW_OKAY(ctw_queue_pop(q, now, &got));
        if (got < 0) continue;
        waits[got] = 0;
        left--;
        for (size_t i = 0; i < next; i++)
            must(!waits[i] || arrival[got] - arrival[i] <= ageing * (predicted[i] - predicted[got]), "overtaken");
    }
    ctw_queue_unref(q);
    ctw_params_unref(p);
    ctw_ctx_unref(ctx);
}
END_TEST

/* Tens of thousands of jobs: everything comes out once, in order of key. */
START_TEST(many_jobs_in_order)
{
    enum { N = 60000 };
    static float work[N];
    ctw_ctx *ctx;
    ctw_queue *q;
    ctw_params *p;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_params_new(ctx, "queue", &p));
    CTW_OKAY(ctw_params_set_f64(p, "ageing", 28));
    CTW_OKAY(ctw_queue_new(ctx, p, &q));
    ctw_params_unref(p);
    state = 42;
    for (int64_t i = 0; i < N; i++) {
        work[i] = (float)draw(1000000) / 1024;
        CTW_OKAY(ctw_queue_push(q, i * 7919, (double)work[i], 1, (double)i / 16));
    }
    for (int64_t i = 0; i < N; i += 3) CTW_OKAY(ctw_queue_remove(q, i * 7919));
    double before = -1;
    int64_t got;
    for (size_t k = 0; k < N - N / 3; k++) {
        CTW_OKAY(ctw_queue_pop(q, N, &got));
        must(got >= 0 && got % 7919 == 0 && got / 7919 % 3, "id");
        double key = (double)(got / 7919) / 16 + 28 * (double)work[got / 7919];
        must(key >= before, "order");
        before = key;
    }
    CTW_OKAY(ctw_queue_pop(q, N, &got));
    ck_assert_int_eq(got, -1);
    ctw_queue_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The id whose hash in the index is h: the finaliser of splitmix64 undone. */
static int64_t id_of(uint64_t h)
{
    h ^= h >> 31 ^ h >> 62;
    h *= 0x319642B2D24D8EC3u;
    h ^= h >> 27 ^ h >> 54;
    h *= 0x96DE1B173F119089u;
    h ^= h >> 30 ^ h >> 60;
    return (int64_t)(h - 0x9E3779B97F4A7C15u);
}

/* Ids that all belong into the index's first bucket: slower, but every job is found, told from its double, and
 * leaves once. */
START_TEST(colliding_ids)
{
    enum { N = 2000 };
    static int64_t id[N];
    ctw_ctx *ctx;
    ctw_queue *q;
    size_t n = 0;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    CTW_OKAY(ctw_queue_new(ctx, NULL, &q));
    for (uint64_t h = 1; n < N; h++) {
        id[n] = id_of(h << 32);
        if (id[n] >= 0) n++;
    }
    state = 5;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < N; i++) CTW_OKAY(ctw_queue_push(q, id[i], (double)draw(100), 1, round));
        for (size_t i = 0; i < N; i += 7) CTW_FAILS(ctw_queue_push(q, id[i], 1, 1, round), CTW_E_KEY, "waits already");
        for (size_t i = N; i > 1; i--) {
            size_t k = (size_t)draw(i);
            int64_t t = id[k];
            id[k] = id[i - 1];
            id[i - 1] = t;
        }
        for (size_t i = 0; i < N; i++) CTW_OKAY(ctw_queue_remove(q, id[i]));
        CTW_FAILS(ctw_queue_remove(q, id[0]), CTW_E_KEY, "does not wait");
        must(ctw_queue_size(q) == 0, "rest");
    }
    ctw_queue_unref(q);
    ctw_ctx_unref(ctx);
}
END_TEST

/* The policies that adapt themselves serve every job once, and the chosen ageing factor keeps the bound for the largest
 * value it has had. */
static void adaptive(ctw_ctx *ctx, const char *policy)
{
    enum { N = 20000 };
    static double arrival[N], predicted[N];
    static int waits[N];
    ctw_params *p;
    ctw_queue *q;
    CTW_OKAY(ctw_params_new(ctx, "queue", &p));
    CTW_OKAY(ctw_params_set_str(p, "policy", policy));
    CTW_OKAY(ctw_queue_new(ctx, p, &q));
    size_t next = 0, left = N, oldest = 0;
    double now = 0, free_at = 0, most = 0;
    while (left) {
        for (uint64_t k = draw(next % 4000 < 2000 ? 4 : 2); next < N && k; k--, next++) {
            arrival[next] = now;
            predicted[next] = (float)(0.25 + (double)draw(100) * (double)draw(100) / 4096);
            waits[next] = 1;
            CTW_OKAY(ctw_queue_push(q, (int64_t)next, predicted[next], 1, now));
            if (draw(50) == 0) {
                CTW_OKAY(ctw_queue_repredict(q, (int64_t)next, predicted[next] *= 2, now));
            } else if (draw(50) == 0) {
                CTW_OKAY(ctw_queue_remove(q, (int64_t)next));
                waits[next] = 0;
                left--;
            }
        }
        now += 0.75;
        while (free_at <= now && ctw_queue_size(q)) {
            int64_t got;
            ctw_report *r;
            double a;
            CTW_OKAY(ctw_queue_report(q, &r));
            if (ctw_report_get_f64(r, "ageing", &a)) a = 0;
            ctw_report_unref(r);
            if (a > most) most = a;
            CTW_OKAY(ctw_queue_pop(q, now, &got));
            must(got >= 0 && got < N && waits[got], "id");
            waits[got] = 0;
            left--;
            free_at = fmax(free_at, now - 1) + predicted[got];
            while (oldest < next && !waits[oldest]) oldest++;
            for (size_t i = oldest; i < next && policy[0] == 'g'; i++)
                must(!waits[i] || arrival[got] - arrival[i] <= fmax(0, most * (predicted[i] - predicted[got])) + 1e-6,
                     "overtaken");
        }
    }
    must(ctw_queue_size(q) == 0 && (most >= 15 || policy[0] == 'a'), "rest");
    ctw_queue_unref(q);
    ctw_params_unref(p);
}

START_TEST(adaptive_policies)
{
    ctw_ctx *ctx;
    CTW_OKAY(ctw_ctx_new(NULL, NULL, &ctx));
    state = 777;
    adaptive(ctx, "guarded");
    adaptive(ctx, "auto");
    ctw_ctx_unref(ctx);
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"against_model", against_model},
                                   {"overtaking_is_bounded", overtaking_is_bounded},
                                   {"many_jobs_in_order", many_jobs_in_order},
                                   {"colliding_ids", colliding_ids},
                                   {"adaptive_policies", adaptive_policies}};
    return ctw_test_main("prop-queue", cases, sizeof cases / sizeof *cases, 60);
}
