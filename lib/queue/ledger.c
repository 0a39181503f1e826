/* ledger.c: the counterfactual waits and the speed of service, from pushes and pops alone. */
#include "queue/ledger.h"
#include <math.h>
#include <string.h>

#define QUANTILE        0.99
#define RATE_MEMORY     0.998 /* a speed measured over fewer makes the waits reckoned from it jump */
#define BINS_PER_OCTAVE 8
#define LOWEST          1e-4 /* seconds of the first bin; the last is some five days */
#define MOST_WEIGHT     1e6

void ctw_queue__ledger_init(ctw_queue__ledger *l)
{
    memset(l, 0, sizeof *l);
    l->stride = 1;
    l->last = INFINITY;
}

/* 8 bins an octave. The octave is the exponent; within it the position is counted, not computed: no logarithm. */
static size_t bin_of(double value)
{
    static const double step[BINS_PER_OCTAVE - 1] = {0.54525386633262884, 0.59460355750136051, 0.64841977732550482,
                                                     0.70710678118654757, 0.77110541270397037, 0.84089641525371461,
                                                     0.91700404320467122}; /* 2^(k/8 - 1) */
    int octave;
    if (!(value > LOWEST)) return 0;
    double part = frexp(value * (1 / LOWEST), &octave);
    size_t b = (size_t)(octave - 1) * BINS_PER_OCTAVE;
    for (size_t k = 0; k < BINS_PER_OCTAVE - 1; k++) b += part >= step[k];
    return b < CTW_LEDGER_BINS - 1 ? b : CTW_LEDGER_BINS - 1;
}

void ctw_queue__bins_add(ctw_queue__bins *h, double value, double weight)
{
    h->bin[bin_of(value)] += (float)weight;
    h->all += weight;
    if (h->all <= MOST_WEIGHT) return;
    for (size_t b = 0; b < CTW_LEDGER_BINS; b++) h->bin[b] /= 2;
    h->all /= 2;
}

double ctw_queue__bins_quantile(const ctw_queue__bins *h, double q)
{
    double above = (1 - q) * h->all, sum = 0;
    for (size_t b = CTW_LEDGER_BINS; b-- > 0;) {
        double here = (double)h->bin[b];
        if (here > 0 && sum + here > above)
            return b ? LOWEST * exp2(((double)b + 1 - (above - sum) / here) / BINS_PER_OCTAVE) : 0;
        sum += here;
    }
    return 0;
}

/* Every other mark goes, its jobs to the one before: the marks have run out. */
static void thin(ctw_queue__ledger *l)
{
    uint32_t n = 0;
    for (uint32_t i = l->passed; i < l->marks; i++) {
        if ((i - l->passed) % 2) {
            l->weight[n - 1] += l->weight[i];
        } else {
            l->weight[n] = l->weight[i];
            l->mark[n++] = l->mark[i];
        }
    }
    if (l->passed < CTW_LEDGER_MARKS / 2) l->stride *= 2;
    l->passed = 0;
    l->marks = n;
}

void ctw_queue__ledger_push(ctw_queue__ledger *l, double work, double now)
{
    if (l->marks > l->passed && l->skipped + 1 < l->stride) {
        l->skipped++;
        l->weight[l->marks - 1] += 1;
    } else {
        l->skipped = 0;
        if (l->marks == CTW_LEDGER_MARKS) thin(l);
        l->mark[l->marks].arrival = now;
        l->mark[l->marks].in = l->in;
        l->weight[l->marks++] = 1;
    }
    l->in += work;
    l->pushed += 1;
}

/* What was popped at one instant was served in the time before it, together: it is forgotten together, too, or the
 * first of a burst would count for less than the last. */
static void close_burst(ctw_queue__ledger *l)
{
    double keep = l->burst == 1 ? RATE_MEMORY : pow(RATE_MEMORY, l->burst);
    l->during = keep * l->during + l->burst_during;
    l->done = keep * l->done + l->burst_done;
    l->burst = l->burst_during = l->burst_done = 0;
}

static void measure(ctw_queue__ledger *l, double work, double now, int more)
{
    if (isfinite(l->last)) {
        if (now > l->last) {
            if (l->burst > 0) close_burst(l);
            l->burst_during = now - l->last;
        }
        l->burst += 1;
        l->burst_done += work;
    }
    l->last = more ? now : INFINITY;
}

void ctw_queue__ledger_pop(ctw_queue__ledger *l, double work, double now, int more, int served)
{
    l->out = more ? l->out + work : l->in;
    if (served) measure(l, work, now, more);
    while (l->passed < l->marks && l->mark[l->passed].in <= l->out) {
        ctw_queue__bins_add(&l->waits, now - l->mark[l->passed].arrival, (double)l->weight[l->passed]);
        l->stale++;
        l->passed++;
    }
    if (l->passed == l->marks) {
        l->passed = l->marks = 0;
        l->stride = 1;
    }
    if (l->stale > 32) {
        l->worst = ctw_queue__bins_quantile(&l->waits, QUANTILE);
        l->stale = 0;
    }
}

double ctw_queue__ledger_rate(const ctw_queue__ledger *l)
{
    return l->during > 1e-9 && l->done > 1e-9 ? l->done / l->during : 1;
}

double ctw_queue__ledger_backlog(const ctw_queue__ledger *l, double now)
{
    double wait = (l->in - l->out) / ctw_queue__ledger_rate(l);
    return l->passed < l->marks ? fmax(wait, now - l->mark[l->passed].arrival) : wait;
}
