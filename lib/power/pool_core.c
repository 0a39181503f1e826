/* pool_core.c: one clock for several servers. Scaling the clock scales every completion time of a first-come schedule
 * by the same factor, so that the schedule at the top clock alone tells how far all may be stretched. What differs from
 * one server is the price of time: a request that comes finds a free server or not, so hurry is worth the more the
 * more of them are busy. */
#include "power/pool_core.h"

#include <math.h>
#include <string.h>

static void sift(double *heap, size_t n, size_t i)
{
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && heap[k + 1] < heap[k]) k++;
        if (heap[i] <= heap[k]) return;
        double t = heap[i];
        heap[i] = heap[k];
        heap[k] = t;
    }
}

/* When each server that takes work would be free at the top clock, as a heap; those told to sleep are taken to be the
 * first that get free. Returns their number. */
static size_t free_times(const ctw_pool__view *v)
{
    size_t n = v->running;
    memcpy(v->ends, v->left, n * sizeof *v->ends);
    for (; n < v->awake; n++) v->ends[n] = 0.0;
    for (size_t i = n / 2; i-- > 0;) sift(v->ends, n, i);
    while (n > v->awake && n > 1) {
        v->ends[0] = v->ends[--n];
        sift(v->ends, n, 0);
    }
    return n;
}

double ctw_pool__stretch(const ctw_pool__view *v, double now, double fastest)
{
    double allowed = INFINITY;
    for (size_t i = 0; i < v->running; i++) {
        double stretch = (v->due[i] - now) / v->left[i];
        if (stretch >= fastest && stretch < allowed) allowed = stretch;
    }
    size_t look = v->waiting < CTW_POOL_LOOK ? v->waiting : CTW_POOL_LOOK, n = look ? free_times(v) : 0;
    for (size_t i = 0; i < look && n; i++) {
        double end = v->ends[0] + v->work[i], stretch = (v->deadline[i] - now) / end;
        v->ends[0] = end;
        sift(v->ends, n, 0);
        if (stretch >= fastest && stretch < allowed) allowed = stretch;
    }
    return allowed;
}

size_t ctw_pool__decide(const ctw_power__plan *plan, const ctw_pool__rule *rule, const ctw_pool__view *v, double now,
                        size_t at)
{
    if (rule->fixed >= 0) return (size_t)rule->fixed < plan->top ? (size_t)rule->fixed : plan->top;
    if (v->running == 0) return 0;
    double limit = rule->guard * ctw_pool__stretch(v, now, plan->slow[plan->top]);
    double busy = (double)v->running, all = v->awake > v->running ? (double)v->awake : busy, left = 0.0;
    double of_time = rule->price + rule->queue_price * (double)v->waiting / all + rule->busy_price * busy / all;
    double price = of_time * busy * plan->watts[plan->top] - all * plan->idle[0];
    for (size_t i = 0; i < v->running; i++) left += v->left[i];
    /* A change must pay within what is left of the work in service. */
    double change = all * plan->switch_joule * busy / left;
    size_t best = plan->top;
    double least = INFINITY;
    for (size_t j = plan->top + 1; j-- > 0;) {
        if (plan->slow[j] > limit && j < plan->top) break;
        double power = busy * plan->watts[j] + (all - busy) * plan->idle[j];
        double cost = (power + price) * plan->slow[j] + (j == at ? 0.0 : change);
        if (cost >= least) continue;
        least = cost;
        best = j;
    }
    return best;
}

double ctw_pool__believed(double guess, double done)
{
    return fmax(guess - done, 0.05 * guess);
}

/* ---- replay ---- */

typedef struct sim {
    const ctw_pool__stage *g;
    const ctw_pool__rule *rule;
    ctw_cluster__state cluster;
    double now, joule, since, tick, brought;
    size_t at, wanted, running, awake, started, next, done, late; /* requests started, arrived, done */
    double *left, *work, *guess, *due, *believed, *ends;
} sim;

/* As the load of the whole record would have it: those beyond what it needs have been asleep for long. */
static void settle(sim *s)
{
    const ctw_power__record *r = &s->g->record;
    double work = 0.0, span = r->arrival[r->n - 1] - r->arrival[0], have = 0.0;
    ctw_cluster__state *c = &s->cluster;
    *c = *s->g->cluster;
    c->at = s->g->sleepers;
    memcpy(c->at, s->g->cluster->at, c->n * sizeof *c->at);
    ctw_cluster__restart(c);
    c->now = c->begin = s->now;
    c->started = 1;
    s->awake = s->g->servers;
    c->floor = s->rule->max_load > 0.0 ? 0.0 : (double)s->g->servers;
    if (!(s->rule->max_load > 0.0)) return;
    c->max_load = s->rule->max_load;
    for (size_t i = 0; i < r->n; i++) work += r->work[i];
    c->mean = span > 0.0 ? work / span : 0.0;
    c->seen = c->window;
    s->awake = 0;
    for (size_t i = 0; i < c->n; i++) {
        int needed = i == 0 || have < c->mean / c->max_load || isinf(c->at[i].pays_after);
        have += needed ? c->at[i].capacity : 0.0;
        c->at[i].state = needed ? CTW_CLUSTER_AWAKE : CTW_CLUSTER_ASLEEP;
        c->at[i].spare = 0;
        c->at[i].since = s->now - 1e9;
        s->awake += (size_t)needed;
    }
}

static void look_who_sleeps(sim *s)
{
    const ctw_cluster__state *c = &s->cluster;
    (void)ctw_cluster__step(&s->cluster, s->now, s->brought / s->g->every);
    s->brought = 0.0;
    s->tick = s->now + s->g->every;
    s->awake = 0;
    for (size_t i = 0; i < c->n; i++) s->awake += c->at[i].state == CTW_CLUSTER_AWAKE;
}

static double power(const sim *s)
{
    const ctw_power__plan *p = s->g->plan;
    const ctw_cluster__state *c = &s->cluster;
    size_t up = s->awake > s->running ? s->awake : s->running, asleep = 0;
    for (size_t i = 0; i < c->n; i++) asleep += c->at[i].state == CTW_CLUSTER_ASLEEP;
    if (asleep > c->n - up) asleep = c->n - up;
    return (double)s->running * p->watts[s->at] + (double)(up - s->running) * p->idle[s->at] +
           (double)asleep * c->at[0].sleep;
}

static void pass(sim *s, double until)
{
    double dt = until - s->now, slow = s->g->plan->slow[s->at];
    if (dt <= 0.0) return;
    for (size_t i = 0; i < s->running; i++) s->left[i] -= dt / slow;
    s->joule += dt * power(s);
    s->now = until;
}

static void finish(sim *s, size_t i)
{
    s->late += s->now > s->due[i] + 1e-9;
    s->done++;
    size_t k = --s->running;
    s->left[i] = s->left[k];
    s->work[i] = s->work[k];
    s->guess[i] = s->guess[k];
    s->due[i] = s->due[k];
}

static void start(sim *s)
{
    const ctw_power__record *r = &s->g->record;
    for (; s->running < s->awake && s->started < s->next; s->started++) {
        size_t k = s->running++;
        s->left[k] = s->work[k] = r->work[s->started];
        s->guess[k] = r->guess[s->started];
        s->due[k] = r->deadline[s->started];
    }
}

static void order(sim *s)
{
    const ctw_power__record *r = &s->g->record;
    for (size_t i = 0; i < s->running; i++) s->believed[i] = ctw_pool__believed(s->guess[i], s->work[i] - s->left[i]);
    ctw_pool__view v = {s->believed,          s->due,   s->running, r->guess + s->started, r->deadline + s->started,
                        s->next - s->started, s->awake, s->ends};
    size_t j = ctw_pool__decide(s->g->plan, s->rule, &v, s->now, s->wanted);
    if (j == s->wanted) return;
    s->wanted = j;
    s->joule += s->g->plan->switch_joule * (double)s->awake;
    s->since = s->now + s->g->lag;
    if (s->g->lag <= 0.0) s->at = j;
}

/* The next arrival, completion, look or change of clock; `ends` is the request in service that completes by then. */
static double next_event(const sim *s, size_t *ends)
{
    const ctw_power__record *r = &s->g->record;
    double first = s->next < r->n ? r->arrival[s->next] : INFINITY, slow = s->g->plan->slow[s->at];
    *ends = s->running;
    if (s->rule->max_load > 0.0 && s->tick < first) first = s->tick;
    if (s->at != s->wanted && s->since < first) first = s->since;
    for (size_t i = 0; i < s->running; i++)
        if (s->now + s->left[i] * slow <= first) {
            first = s->now + s->left[i] * slow;
            *ends = i;
        }
    return first;
}

void ctw_pool__replay(const ctw_pool__stage *stage, const ctw_pool__rule *rule, ctw_power__outcome *out)
{
    const ctw_power__record *r = &stage->record;
    size_t n = stage->servers, idle = rule->fixed >= 0 ? (size_t)rule->fixed : 0;
    double *b = stage->scratch;
    if (idle > stage->plan->top) idle = stage->plan->top;
    sim s = {.g = stage, .rule = rule, .now = r->arrival[0], .at = idle, .wanted = idle};
    s.left = b;
    s.work = b + n;
    s.guess = b + 2 * n;
    s.due = b + 3 * n;
    s.believed = b + 4 * n;
    s.ends = b + 5 * n;
    settle(&s);
    s.tick = s.now + stage->every;
    while (s.done < r->n) {
        size_t ends;
        double until = next_event(&s, &ends);
        pass(&s, until);
        if (s.at != s.wanted && s.now >= s.since) s.at = s.wanted;
        if (ends < s.running) finish(&s, ends);
        for (; s.next < r->n && r->arrival[s.next] <= s.now; s.next++) s.brought += r->guess[s.next];
        if (rule->max_load > 0.0 && s.now >= s.tick) look_who_sleeps(&s);
        start(&s);
        order(&s);
    }
    out->late = s.late;
    out->joule = s.joule + (double)s.cluster.wakes * (n ? s.cluster.at[0].wake_joule : 0.0);
    out->seconds = s.now - r->arrival[0];
}
