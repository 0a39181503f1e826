/* ledger.c: expert aggregation by exponential weights with forgetting (Vovk 1990; Freund & Schapire 1997: regret
 * to the best expert of O(sqrt(T log N)) per stretch) and adaptive conformal inference (Gibbs & Candes 2021). */
#include "forecast/ledger.h"

#include "base/alloc.h"
#include "num/stats.h"
#include <math.h>
#include <string.h>

#define ETA    0.04 /* learning rate of the weights, on losses relative to their mean */
#define MEMORY 0.98 /* a day's fading of what was learnt about the experts */
/* GAMMA, AIM and LEAST are those of 84 sets whose coverage left 88.5 to 91.5 % the least, and then the narrowest, on
 * January to June 2021 of eight regions in three weather modes and on 2020 of four; see doc/forecast.md. */
#define GAMMA  0.12  /* step of the adapted miss rate, by the day */
#define TARGET 0.10  /* miss rate it is adapted for */
#define AIM    0.095 /* miss rate adaptation steers to: it learns of misses days late, when errors have grown on */
#define LEAST  0.005 /* adapted miss rate stays above: a feed's hole would otherwise leave the band wide for months */
#define FRESH  5     /* origins whose errors are compared with the rest for drift */

ctw_status ctw_forecast__ledger_new(ctw_ctx *ctx, ctw_forecast__ledger *g, size_t s, size_t leads, size_t experts)
{
    size_t ring = leads / s + 1, keep = CTW_FORECAST__KEEP;
    memset(g, 0, sizeof *g);
    g->s = s;
    g->leads = leads;
    g->experts = experts;
    g->origin = CTW_NEW(ctx, ring, uint64_t);
    g->z = CTW_NEW(ctx, ring * experts * leads, double);
    g->blend = CTW_NEW(ctx, ring * leads, double);
    g->half = CTW_NEW(ctx, ring * leads, double);
    g->judged = CTW_NEW(ctx, ring, size_t);
    g->weight = CTW_NEW(ctx, leads / s * experts, double);
    g->scores = CTW_NEW(ctx, leads, size_t);
    g->head = CTW_NEW(ctx, leads, size_t);
    g->score = CTW_NEW(ctx, leads * keep, double);
    g->sorted = CTW_NEW(ctx, leads * keep, double);
    g->alpha = CTW_NEW(ctx, leads, double);
    if (!g->origin || !g->z || !g->blend || !g->half || !g->judged || !g->weight || !g->scores || !g->head ||
        !g->score || !g->sorted || !g->alpha)
        return CTW_E_NOMEM;
    for (size_t l = 0; l < leads; l++) g->alpha[l] = TARGET;
    g->recent = TARGET;
    g->only = -1;
    return CTW_OK;
}

void ctw_forecast__ledger_free(ctw_ctx *ctx, ctw_forecast__ledger *g)
{
    void *part[] = {g->origin, g->z,    g->blend, g->half,   g->judged, g->weight,
                    g->scores, g->head, g->score, g->sorted, g->alpha};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) ctw_base__free(ctx, part[i]);
    memset(g, 0, sizeof *g);
}

static size_t slot(const ctw_forecast__ledger *g, size_t i)
{
    return (g->first + i) % (g->leads / g->s + 1);
}

void ctw_forecast__ledger_shares(const ctw_forecast__ledger *g, size_t j, double *w)
{
    if (g->only >= 0) {
        for (size_t k = 0; k < g->experts; k++) w[k] = (int)k == g->only ? 1.0 : 0.0;
        return;
    }
    const double *lw = g->weight + j * g->experts;
    double top = lw[0], sum = 0;
    for (size_t k = 1; k < g->experts; k++) top = fmax(top, lw[k]);
    for (size_t k = 0; k < g->experts; k++) sum += w[k] = exp(lw[k] - top);
    for (size_t k = 0; k < g->experts; k++) w[k] /= sum;
}

void ctw_forecast__ledger_push(ctw_forecast__ledger *g, uint64_t origin, const double *z)
{
    size_t ring = g->leads / g->s + 1;
    if (g->open == ring) {
        g->first = (g->first + 1) % ring;
        g->open--;
    }
    size_t at = slot(g, g->open++);
    double *blend = g->blend + at * g->leads, w[16];
    memcpy(g->z + at * g->experts * g->leads, z, g->experts * g->leads * sizeof *z);
    g->origin[at] = origin;
    g->judged[at] = 0;
    for (size_t l = 0; l < g->leads; l++) {
        if (l % g->s == 0) ctw_forecast__ledger_shares(g, l / g->s, w);
        blend[l] = 0;
        for (size_t k = 0; k < g->experts; k++) blend[l] += w[k] * z[k * g->leads + l];
        g->half[at * g->leads + l] = ctw_forecast__ledger_half(g, l, 1 - TARGET);
    }
}

static size_t place_of(const double *v, size_t n, double x)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (v[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* One more score of a lead; the oldest leaves when the shelf is full. */
static void keep_score(ctw_forecast__ledger *g, size_t l, double error)
{
    double *ring = g->score + l * CTW_FORECAST__KEEP, *v = g->sorted + l * CTW_FORECAST__KEEP;
    size_t *n = &g->scores[l], *head = &g->head[l];
    if (*n == CTW_FORECAST__KEEP) {
        size_t at = place_of(v, *n, fabs(ring[*head]));
        memmove(v + at, v + at + 1, (*n - at - 1) * sizeof *v);
        --*n;
    }
    size_t at = place_of(v, *n, fabs(error));
    memmove(v + at + 1, v + at, (*n - at) * sizeof *v);
    v[at] = fabs(error);
    ++*n;
    ring[*head] = error;
    *head = (*head + 1) % CTW_FORECAST__KEEP;
}

/* Learns how well the experts did on lead day j. */
static void weigh(ctw_forecast__ledger *g, size_t j, const double *loss)
{
    double mean = 0, *lw = g->weight + j * g->experts;
    for (size_t k = 0; k < g->experts; k++) mean += loss[k] / (double)g->experts;
    if (!(mean > 0)) return;
    for (size_t k = 0; k < g->experts; k++) lw[k] = MEMORY * lw[k] - ETA * fmin(loss[k] / mean, 10.0);
}

/* Moves the miss rate aimed at of all leads of a day by that day's share of misses: one lead's hit or miss is a
 * coin toss, a whole day says which way the band is off. */
static void adapt(ctw_forecast__ledger *g, size_t j, double misses, double counted)
{
    if (counted < 1) return;
    for (size_t l = j * g->s; l < (j + 1) * g->s; l++) {
        g->alpha[l] = fmin(fmax(g->alpha[l] + GAMMA * (AIM - misses / counted), LEAST), 0.4);
    }
    if (!j) g->recent += (misses / counted - g->recent) / 10.0;
}

static void judge_one(ctw_forecast__ledger *g, size_t at, size_t j, const double *z, const uint8_t *hole)
{
    double loss[16] = {0}, misses = 0, counted = 0;
    const double *e = g->z + at * g->experts * g->leads + j * g->s;
    for (size_t i = 0; i < g->s; i++) {
        size_t l = j * g->s + i;
        if (hole[i]) { /* the last error once more keeps the errors of one origin in step */
            size_t last = (g->head[l] + CTW_FORECAST__KEEP - 1) % CTW_FORECAST__KEEP;
            if (g->scores[l]) keep_score(g, l, g->score[l * CTW_FORECAST__KEEP + last]);
            continue;
        }
        double error = z[i] - g->blend[at * g->leads + l], half = g->half[at * g->leads + l];
        for (size_t k = 0; k < g->experts; k++) loss[k] += fabs(z[i] - e[k * g->leads + i]);
        if (g->scores[l] >= 20) {
            misses += fabs(error) > half ? 1.0 : 0.0;
            counted++;
        }
        keep_score(g, l, error);
    }
    adapt(g, j, misses, counted);
    weigh(g, j, loss);
}

void ctw_forecast__ledger_judge(ctw_forecast__ledger *g, uint64_t day, const double *z, const uint8_t *hole)
{
    for (size_t i = 0; i < g->open; i++) {
        size_t at = slot(g, i);
        if (day < g->origin[at] || day - g->origin[at] >= g->leads / g->s) continue;
        size_t j = (size_t)(day - g->origin[at]);
        if (j != g->judged[at]) continue;
        judge_one(g, at, j, z, hole);
        g->judged[at]++;
    }
}

const double *ctw_forecast__ledger_before(const ctw_forecast__ledger *g, size_t back)
{
    return g->open > back ? g->blend + slot(g, g->open - 1 - back) * g->leads : NULL;
}

const double *ctw_forecast__ledger_blend(const ctw_forecast__ledger *g)
{
    return ctw_forecast__ledger_before(g, 0);
}

double ctw_forecast__ledger_half(const ctw_forecast__ledger *g, size_t lead, double coverage)
{
    const double *v = g->sorted + lead * CTW_FORECAST__KEEP;
    size_t n = g->scores[lead];
    if (!n) return 0;
    double miss = (1 - coverage) * fmax(g->alpha[lead], LEAST) / TARGET;
    double q = ctw_num__conformal_sorted(v, n, 1 - (miss > 0.999 ? 0.999 : miss));
    if (!isfinite(q)) {
        double held = (double)n / (double)(n + 1), want = 1 - miss;
        q = v[n - 1] * ctw_num__normal_quantile(0.5 + 0.5 * want) / ctw_num__normal_quantile(0.5 + 0.5 * held);
    }
    return q;
}

double ctw_forecast__ledger_drift(const ctw_forecast__ledger *g)
{
    size_t keep = CTW_FORECAST__KEEP;
    double fresh = 0, old = 0;
    for (size_t l = 0; l < g->s; l++) {
        size_t n = g->scores[l];
        if (n < 4 * FRESH) return 1.0;
        for (size_t back = 0; back < n; back++) {
            double e = fabs(g->score[l * keep + (g->head[l] + 2 * keep - 1 - back) % keep]);
            if (back < FRESH)
                fresh += e / FRESH;
            else
                old += e / (double)(n - FRESH);
        }
    }
    return old > 0 ? fresh / old : 1.0;
}

size_t ctw_forecast__ledger_paths(const ctw_forecast__ledger *g)
{
    size_t days = g->leads / g->s, n = SIZE_MAX;
    for (size_t l = 0; l < g->leads; l++) {
        size_t ahead = days - 1 - l / g->s; /* this lead day has judged so many origins more than the last one */
        size_t have = g->scores[l] > ahead ? g->scores[l] - ahead : 0;
        if (have < n) n = have;
    }
    return n;
}

double ctw_forecast__ledger_error(const ctw_forecast__ledger *g, size_t path, size_t lead)
{
    size_t back = path + g->leads / g->s - 1 - lead / g->s, keep = CTW_FORECAST__KEEP;
    return g->score[lead * keep + (g->head[lead] + 2 * keep - 1 - back) % keep];
}
