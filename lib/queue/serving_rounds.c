/* serving_rounds.c: the loop of the published SSJF code (James-QiuHaoran/LLM-serving-with-proxy-models,
 * model-serving), followed in behaviour where that is odd: times rounded to 10 ms, the last arrival dropped when the
 * line is empty before it, a starvation rule that looks at true times, and "continuous" batching that stops the whole
 * batch when its shortest member ends. */
#include "queue/serving_internal.h"
#include <math.h>

#define LONG_WAIT  100.0
#define LONG_RATIO 10.0

typedef struct rounds {
    ctw_serving__run *r;
    uint32_t *line; /* waiting, in order */
    size_t n, next;
    double *left, *waited;
} rounds;

static double sort_key(const rounds *q, uint32_t j, int oldest_first)
{
    if (oldest_first) return -q->waited[j];
    switch (q->r->s->policy) {
    case CTW_SERVE_FCFS: return q->r->arrival[j];
    case CTW_SERVE_SJF: return q->left[j];
    default: return q->r->predicted[j];
    }
}

/* Insertion sort: stable, and the line is nearly in order from one round to the next. */
static void arrange(rounds *q)
{
    int starving = 0;
    size_t w = 0;
    for (size_t i = 1; i < q->n; i++)
        if (q->waited[q->line[i]] > q->waited[q->line[w]]) w = i;
    if (q->r->s->policy != CTW_SERVE_FCFS) {
        double waited = q->waited[q->line[w]];
        starving = waited > LONG_WAIT || waited > LONG_RATIO * q->left[q->line[w]];
    }
    for (size_t i = 1; i < q->n; i++) {
        uint32_t j = q->line[i];
        double key = sort_key(q, j, starving);
        size_t k = i;
        for (; k && sort_key(q, q->line[k - 1], starving) > key; k--) q->line[k] = q->line[k - 1];
        q->line[k] = j;
    }
}

static void admit(rounds *q, double now)
{
    for (; q->next < q->r->n && q->r->arrival[q->next] <= now; q->next++) q->line[q->n++] = (uint32_t)q->next;
}

/* Runs the first jobs of the line for one round; returns its length. */
static double round_of(rounds *q, double *now)
{
    const ctw_serving *s = q->r->s;
    uint32_t batch[1024];
    size_t n = q->n < s->batch ? q->n : s->batch;
    double shortest = INFINITY, longest = 0;
    for (size_t i = 0; i < n; i++) {
        batch[i] = q->line[i];
        shortest = fmin(shortest, q->left[batch[i]]);
        longest = fmax(longest, q->left[batch[i]]);
    }
    for (size_t i = n; i < q->n; i++) q->line[i - n] = q->line[i];
    q->n -= n;
    double takes = s->batching == CTW_SERVE_CONTINUOUS ? shortest : longest;
    *now += takes;
    admit(q, *now);
    for (size_t i = 0; i < n; i++) {
        uint32_t j = batch[i];
        if (s->batching != CTW_SERVE_CONTINUOUS || q->left[j] <= takes + 1e-12) {
            q->r->end[j] = *now;
        } else {
            q->left[j] -= takes;
            q->line[q->n++] = j;
        }
    }
    return takes;
}

static void play(rounds *q)
{
    double now = 0, last = 0;
    while (q->next + 1 < q->r->n || q->n) {
        if (!q->n) {
            now = fmax(now, q->r->arrival[q->next]);
            admit(q, now);
        }
        arrange(q);
        round_of(q, &now);
        for (size_t i = 0; i < q->n; i++) q->waited[q->line[i]] += now - last;
        last = now;
    }
}

ctw_status ctw_serving__run_rounds(ctw_serving__run *r)
{
    rounds q = {.r = r};
    q.line = ctw_base__alloc(r->ctx, r->n, sizeof *q.line);
    q.left = ctw_base__alloc(r->ctx, r->n, sizeof *q.left);
    q.waited = CTW_NEW(r->ctx, r->n, double);
    ctw_status s = q.line && q.left && q.waited ? CTW_OK : CTW_E_NOMEM;
    if (!s) {
        for (size_t i = 0; i < r->n; i++) q.left[i] = r->work[i] = round(r->work[i] * 100) / 100;
        play(&q);
    }
    ctw_base__free(r->ctx, q.line);
    ctw_base__free(r->ctx, q.left);
    ctw_base__free(r->ctx, q.waited);
    return s;
}
