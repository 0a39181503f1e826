/* kernel.h: the inner loops of every step: values of all actions at a state, of one pair, crediting a pair, tracing it.
 * Inline, because a step costs some tens of nanoseconds and calls would be a good part of it; and told the shape of the
 * problem, so that a caller who knows it gets straight-line code. Two actions are added at a time in a vector; the
 * order of additions over features is fixed, so every compiler gives the same bits. */
#ifndef CTW_AGENT_KERNEL_H
#define CTW_AGENT_KERNEL_H

#include "agent/agent_internal.h"

#define CTW_HOT static inline __attribute__((always_inline))

/* What the loops need to know; constants where the caller has them. */
typedef struct ctw_agent__shape {
    size_t active, stride;
    int unit, lazy;
} ctw_agent__shape;

CTW_HOT ctw_agent__shape ctw_agent__shape_of(const ctw_agent *a, const ctw_agent__point *p)
{
    return (ctw_agent__shape){p->n, a->stride, p->unit, a->lazy};
}

CTW_HOT size_t ctw_agent__row(ctw_agent__shape h, uint32_t idx)
{
    return (size_t)idx * (h.lazy ? 2 * h.stride : h.stride);
}

/* Two neighbouring actions; weights are aligned to 8 bytes only. */
typedef double ctw_agent__pair2 __attribute__((vector_size(16), aligned(8), may_alias));

/* Sums of v * w over the active features for 2 * `twos` actions (1 or 2). */
CTW_HOT void ctw_agent__columns(const ctw_agent__point *p, ctw_agent__shape h, const double *w, ctw_agent__pair2 *sum,
                                size_t twos)
{
    for (size_t j = 0; j < twos; j++) sum[j] = (ctw_agent__pair2){0.0, 0.0};
    CTW_UNROLL
    for (size_t i = 0; i < h.active; i++) {
        const ctw_agent__pair2 *row = (const void *)(w + ctw_agent__row(h, p->idx[i]));
        if (h.unit)
            for (size_t j = 0; j < twos; j++) sum[j] += row[j];
        else
            for (size_t j = 0; j < twos; j++) sum[j] += (ctw_agent__pair2){p->val[i], p->val[i]} * row[j];
    }
}

/* q of 2 * twos actions from column `at`. */
CTW_HOT void ctw_agent__q_columns(const ctw_agent *a, const ctw_agent__point *p, ctw_agent__shape h, double *q,
                                  size_t at, size_t twos)
{
    ctw_agent__pair2 w[2], e[2], q0 = {a->o.initial, a->o.initial}, c = {a->c, a->c};
    ctw_agent__columns(p, h, a->w + at, w, twos);
    if (h.lazy) {
        ctw_agent__columns(p, h, a->w + h.stride + at, e, twos);
        for (size_t j = 0; j < twos; j++) w[j] += c * e[j];
    }
    for (size_t j = 0; j < twos; j++) ((ctw_agent__pair2 *)(void *)(q + at))[j] = q0 + w[j];
}

/* Values of all actions from one table. */
CTW_HOT void ctw_agent__q_plain(const ctw_agent *a, const ctw_agent__point *p, ctw_agent__shape h, double *q)
{
    if (h.stride == 2) {
        ctw_agent__q_columns(a, p, h, q, 0, 1);
        return;
    }
    for (size_t at = 0; at < h.stride; at += 4) ctw_agent__q_columns(a, p, h, q, at, 2);
}

/* Value of one pair; *trace is the sum of E there (0 without traces). */
CTW_HOT double ctw_agent__q_pair(const ctw_agent *a, const ctw_agent__point *p, ctw_agent__shape h, int64_t action,
                                 double *trace)
{
    double w = 0.0, e = 0.0;
    const double *cell = a->w + action;
    CTW_UNROLL
    for (size_t i = 0; i < h.active; i++) {
        const double *at = cell + ctw_agent__row(h, p->idx[i]);
        double v = h.unit ? 1.0 : p->val[i];
        w += h.unit ? at[0] : v * at[0];
        if (h.lazy) e += h.unit ? at[h.stride] : v * at[h.stride];
    }
    *trace = e;
    return a->o.initial + (h.lazy ? w + a->c * e : w);
}

CTW_HOT void ctw_agent__credit(ctw_agent *a, const ctw_agent__point *p, ctw_agent__shape h, size_t table,
                               int64_t action, double amount)
{
    double *w = a->w + table * a->rows * a->block + action;
    CTW_UNROLL
    for (size_t i = 0; i < h.active; i++) w[ctw_agent__row(h, p->idx[i])] += h.unit ? amount : amount * p->val[i];
}

/* E of the pair's features becomes keep * E + add * v; the true weights do not move. */
CTW_HOT void ctw_agent__trace(ctw_agent *a, const ctw_agent__point *p, ctw_agent__shape h, int64_t action, double keep,
                              double add)
{
    CTW_UNROLL
    for (size_t i = 0; i < h.active; i++) {
        uint32_t r = p->idx[i];
        double *w = a->w + ctw_agent__row(h, r) + action, *e = w + h.stride;
        double was = *e, now = keep * was + (h.unit ? add : add * p->val[i]);
        *w -= a->c * (now - was);
        *e = now;
        if (!a->is_dirty[r]) {
            a->is_dirty[r] = 1;
            a->dirty[a->n_dirty++] = r;
        }
    }
}

/* First best action, and its value in *top. Without branches, as which action is best is what no predictor knows; by
 * pairs where the number is the constant 4. */
CTW_HOT int64_t ctw_agent__best_of(const double *q, size_t n, double *top)
{
    if (n == 4) {
        double low = q[1] > q[0] ? q[1] : q[0], high = q[3] > q[2] ? q[3] : q[2];
        int64_t first = q[1] > q[0], second = 2 + (q[3] > q[2]), later = high > low;
        *top = later ? high : low;
        return first + (second - first) * later;
    }
    double best = q[0];
    int64_t at = 0;
    for (size_t k = 1; k < n; k++) {
        at = q[k] > best ? (int64_t)k : at;
        best = q[k] > best ? q[k] : best;
    }
    *top = best;
    return at;
}

/* The usual choice: epsilon-greedy, no mask, first of ties, and not this step's turn to explore; else -1. */
CTW_HOT int64_t ctw_agent__choose_fast(ctw_agent *a, int64_t best)
{
    if (a->fast_choice == 0) return -1;
    if (a->epsilon_now <= 0.0) return best;
    if (a->explore_in - 1 >= UINT64_MAX - 1) return -1; /* 0: explores now; UINT64_MAX: not drawn yet */
    a->explore_in--;
    return best;
}

CTW_HOT double ctw_agent__step_size(const ctw_agent *a, const ctw_agent__point *p)
{
    return a->o.normalise ? a->alpha_now / p->norm2 : a->alpha_now;
}

/* Chooses the next action at nxt, unmasked, and returns what that state is worth to the algorithm. */
CTW_HOT double ctw_agent__look_ahead(ctw_agent *a, const ctw_agent__point *nxt, ctw_agent__shape h, size_t actions,
                                     int algo, int64_t *plan, uint8_t *greedy)
{
    double q[CTW_AGENT_MAX_ACTIONS], top;
    ctw_agent__q_plain(a, nxt, h, q);
    int64_t best = ctw_agent__best_of(q, actions, &top);
    *plan = ctw_agent__choose_fast(a, best);
    *greedy = 1;
    if (__builtin_expect(*plan < 0, 0)) {
        *plan = ctw_agent__choose(a, q, NULL, greedy);
        return algo == CTW_AGENT_Q                                    ? top
               : algo == CTW_AGENT_EXPECTED || algo == CTW_AGENT_TREE ? ctw_agent__policy_value(a, q, NULL)
                                                                      : q[*plan];
    }
    return algo == CTW_AGENT_EXPECTED || algo == CTW_AGENT_TREE ? ctw_agent__policy_value(a, q, NULL)
                                                                : top; /* the plan is the best */
}

/* True-online Sarsa(lambda) (van Seijen et al. 2016) with the dutch trace held lazily. */
CTW_HOT ctw_status ctw_agent__online_step(ctw_agent *a, ctw_agent__walk *k, ctw_agent__shape h, double alpha,
                                          double reward, double next)
{
    double e, q = ctw_agent__q_pair(a, &k->cur, h, k->action, &e);
    double delta = reward + a->o.gamma * next - q, extra = q - k->q_old;
    if (!(__builtin_fabs(delta) <= a->o.value_limit)) return ctw_agent__diverged(a, "temporal difference", delta);
    ctw_agent__trace(a, &k->cur, h, k->action, 1.0, alpha * (1.0 - a->scale * e) / a->scale);
    a->c += (delta + extra) * a->scale;
    ctw_agent__credit(a, &k->cur, h, 0, k->action, -alpha * extra);
    return CTW_OK;
}

/* The other one-table algorithms. The step size rides in the trace: each state is credited by its own length. */
CTW_HOT ctw_status ctw_agent__td_step(ctw_agent *a, ctw_agent__walk *k, ctw_agent__shape h, double alpha, double reward,
                                      double next)
{
    double e, delta = reward + a->o.gamma * next - ctw_agent__q_pair(a, &k->cur, h, k->action, &e);
    if (!(__builtin_fabs(delta) <= a->o.value_limit)) return ctw_agent__diverged(a, "temporal difference", delta);
    if (!h.lazy) {
        ctw_agent__credit(a, &k->cur, h, 0, k->action, alpha * delta);
        return CTW_OK;
    }
    ctw_agent__trace(a, &k->cur, h, k->action, a->o.traces == CTW_AGENT_REPLACING ? 0.0 : 1.0, alpha / a->scale);
    a->c += delta * a->scale;
    return CTW_OK;
}

/* Traces after an update: decayed, and cut where the episode ends or Watkins' Q(lambda) leaves the greedy policy. */
CTW_HOT void ctw_agent__decay(ctw_agent *a, ctw_agent__shape h, int cut)
{
    if (!h.lazy) return;
    a->scale *= a->o.gamma * a->o.lambda;
    if (a->scale < CTW_AGENT_SCALE_FLOOR) ctw_agent__flush(a, a->scale <= 0.0);
    if (cut) ctw_agent__flush(a, 1);
}

/* Now and then the weights are checked and kept. */
CTW_HOT ctw_status ctw_agent__guard(ctw_agent *a)
{
    return ++a->since_good < a->good_period ? CTW_OK : ctw_agent__maintain(a);
}

#endif
