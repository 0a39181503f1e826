/* governor_core.c: the rule. Slack is shared by all that waits: running the head slowly delays everybody
 * behind it, so the tightest of all deadlines limits the stretch, and a price on the queue's time stands for
 * those who have not arrived yet. As decisions are taken again at each arrival, a request may begin slowly and
 * be hurried when others come, which is where most of the saving under bursts comes from. */
#include "power/governor_core.h"

#include <math.h>

enum { LOOK_AHEAD = 64 };

static const double neutral_load = 0.5, most_load = 4.0;

/* Largest stretch of the waiting work that meets every deadline which the top point still could meet; what is
 * late already must not slow down or speed up the rest. Infinite when no deadline can be met. */
static double allowed_stretch(const ctw_power__waiting *q, double now, double fastest)
{
    double sum = 0.0, allowed = INFINITY;
    size_t n = q->n < LOOK_AHEAD ? q->n : LOOK_AHEAD;
    for (size_t i = 0; i < n; i++) {
        sum += i ? q->work[i] : q->head_left;
        double stretch = (q->deadline[i] - now) / sum;
        if (stretch >= fastest && stretch < allowed) allowed = stretch;
    }
    return allowed;
}

void ctw_power__pace_add(ctw_power__pace *p, double arrival, double work)
{
    size_t at = p->n++ % CTW_GOVERNOR_PACE;
    p->arrival[at] = arrival;
    p->work[at] = work;
}

double ctw_power__pace_load(const ctw_power__pace *p, double now)
{
    if (p->n < CTW_GOVERNOR_PACE) return neutral_load;
    size_t oldest = p->n % CTW_GOVERNOR_PACE;
    double sum = 0.0, span = now - p->arrival[oldest];
    for (size_t i = 0; i < CTW_GOVERNOR_PACE; i++)
        if (i != oldest) sum += p->work[i];
    return sum < most_load * span ? sum / span : most_load;
}

size_t ctw_power__rule_decide(const ctw_power__plan *plan, const ctw_power__rule *rule, const ctw_power__waiting *q,
                              double now, size_t at)
{
    if (rule->fixed >= 0) return (size_t)rule->fixed < plan->top ? (size_t)rule->fixed : plan->top;
    double limit = rule->guard * allowed_stretch(q, now, plan->slow[plan->top]);
    double of_time = rule->price + rule->queue_price * (double)(q->n - 1) + rule->load_price * q->load;
    double price = of_time * plan->watts[plan->top] - plan->idle[0];
    /* A change must pay within what is left of the request in service. */
    double change = plan->switch_joule / q->head_left;
    size_t best = plan->top;
    double least = INFINITY;
    for (size_t j = plan->top + 1; j-- > 0;) {
        if (plan->slow[j] > limit && j < plan->top) break;
        double cost = (plan->watts[j] + price) * plan->slow[j] + (j == at ? 0.0 : change);
        if (cost >= least) continue;
        least = cost;
        best = j;
    }
    return best;
}

size_t ctw_power__rule_idle(const ctw_power__rule *rule)
{
    return rule->fixed >= 0 && !rule->park ? (size_t)rule->fixed : 0;
}

static void order(ctw_power__server *s, const ctw_power__plan *plan, double lag, size_t point)
{
    if (point == s->wanted) return;
    s->wanted = point;
    s->joule += plan->switch_joule;
    s->since = s->now + lag;
    if (lag <= 0.0) s->at = point;
}

/* Lets time pass up to `until`, or up to the end of `left` seconds of work (NULL: idle); returns at the first. */
static void pass(ctw_power__server *s, const ctw_power__plan *plan, double until, double *left)
{
    while (s->now < until && (!left || *left > 0.0)) {
        double stop = until;
        if (s->at != s->wanted) {
            if (s->now >= s->since)
                s->at = s->wanted;
            else if (s->since < stop)
                stop = s->since;
        }
        double dt = stop - s->now, slow = plan->slow[s->at];
        if (left && *left * slow <= dt) {
            dt = *left * slow;
            *left = 0.0;
        } else if (left) {
            *left -= dt / slow;
        }
        s->joule += dt * (left ? plan->watts[s->at] : plan->idle[s->at]);
        s->now = left && *left == 0.0 ? s->now + dt : stop;
    }
}

/* What the governor believes is left of a request whose estimate may have been too low. */
static double believed_left(double guess, double done)
{
    double left = guess - done, least = 0.05 * guess;
    return left > least ? left : least;
}

/* As ctw_power__pace_load, from the last of the first `seen` requests. */
static double recorded_load(const ctw_power__record *r, size_t seen, double now)
{
    double sum = 0.0;
    if (seen < CTW_GOVERNOR_PACE) return neutral_load;
    for (size_t i = seen - CTW_GOVERNOR_PACE + 1; i < seen; i++) sum += r->guess[i];
    double span = now - r->arrival[seen - CTW_GOVERNOR_PACE];
    return sum < most_load * span ? sum / span : most_load;
}

static size_t idle_point(const ctw_power__plan *plan, const ctw_power__rule *rule)
{
    size_t idle = ctw_power__rule_idle(rule);
    return idle < plan->top ? idle : plan->top;
}

void ctw_power__server_start(ctw_power__server *s, const ctw_power__plan *plan, const ctw_power__rule *rule,
                             const ctw_power__record *r)
{
    size_t idle = idle_point(plan, rule);
    double begin = r->n ? r->arrival[0] : 0.0;
    *s = (ctw_power__server){.now = begin, .begin = begin, .at = idle, .wanted = idle};
}

void ctw_power__server_run(ctw_power__server *s, const ctw_power__plan *plan, const ctw_power__rule *rule,
                           const ctw_power__record *r, double lag, int last)
{
    size_t idle = idle_point(plan, rule);
    for (; s->served < r->n; s->served++) {
        size_t i = s->served;
        if (s->left <= 0.0) {
            if (r->arrival[i] > s->now) {
                order(s, plan, lag, idle);
                pass(s, plan, r->arrival[i], NULL);
            }
            s->left = r->work[i];
        }
        while (s->left > 0.0) {
            while (s->seen < r->n && (s->seen < i + 1 || r->arrival[s->seen] <= s->now)) s->seen++;
            if (s->seen == r->n && !last) return;
            double load = rule->load_price > 0.0 ? recorded_load(r, s->seen, s->now) : neutral_load;
            ctw_power__waiting q = {r->guess + i, r->deadline + i, s->seen - i,
                                    believed_left(r->guess[i], r->work[i] - s->left), load};
            order(s, plan, lag, ctw_power__rule_decide(plan, rule, &q, s->now, s->wanted));
            pass(s, plan, s->seen < r->n ? r->arrival[s->seen] : INFINITY, &s->left);
        }
        s->late += s->now > r->deadline[i] + 1e-9;
    }
}

void ctw_power__rule_replay(const ctw_power__plan *plan, const ctw_power__rule *rule, const ctw_power__record *r,
                            double lag, ctw_power__outcome *out)
{
    ctw_power__server s;
    ctw_power__server_start(&s, plan, rule, r);
    ctw_power__server_run(&s, plan, rule, r, lag, 1);
    *out = (ctw_power__outcome){s.joule, s.now - s.begin, s.late};
}
