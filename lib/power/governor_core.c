/* governor_core.c: the rule. Slack is shared by all that waits: running the head slowly delays everybody
 * behind it, so the tightest of all deadlines limits the stretch, and a price on the queue's time stands for
 * those who have not arrived yet. As decisions are taken again at each arrival, a request may begin slowly and
 * be hurried when others come, which is where most of the saving under bursts comes from. */
#include "power/governor_core.h"

#include <math.h>

enum { LOOK_AHEAD = 64 };

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
    static const double neutral = 0.5, most = 4.0;
    if (p->n < CTW_GOVERNOR_PACE) return neutral;
    size_t oldest = p->n % CTW_GOVERNOR_PACE;
    double sum = 0.0, span = now - p->arrival[oldest];
    for (size_t i = 0; i < CTW_GOVERNOR_PACE; i++)
        if (i != oldest) sum += p->work[i];
    return sum < most * span ? sum / span : most;
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

/* State of a replayed server. */
typedef struct server {
    const ctw_power__plan *plan;
    double now, joule, lag;
    size_t at, wanted; /* point in effect, and the one ordered */
    double since;      /* when the order takes effect */
} server;

static void order(server *s, size_t point)
{
    if (point == s->wanted) return;
    s->wanted = point;
    s->joule += s->plan->switch_joule;
    s->since = s->now + s->lag;
    if (s->lag <= 0.0) s->at = point;
}

/* Lets time pass up to `until`, or up to the end of `left` seconds of work (NULL: idle); returns at the first. */
static void pass(server *s, double until, double *left)
{
    while (s->now < until && (!left || *left > 0.0)) {
        double stop = until;
        if (s->at != s->wanted) {
            if (s->now >= s->since)
                s->at = s->wanted;
            else if (s->since < stop)
                stop = s->since;
        }
        double dt = stop - s->now, slow = s->plan->slow[s->at];
        if (left && *left * slow <= dt) {
            dt = *left * slow;
            *left = 0.0;
        } else if (left) {
            *left -= dt / slow;
        }
        s->joule += dt * (left ? s->plan->watts[s->at] : s->plan->idle[s->at]);
        s->now = left && *left == 0.0 ? s->now + dt : stop;
    }
}

/* What the governor believes is left of a request whose estimate may have been too low. */
static double believed_left(double guess, double done)
{
    double left = guess - done, least = 0.05 * guess;
    return left > least ? left : least;
}

void ctw_power__rule_replay(const ctw_power__plan *plan, const ctw_power__rule *rule, const ctw_power__record *r,
                            double lag, ctw_power__outcome *out)
{
    size_t idle = ctw_power__rule_idle(rule), next = 0;
    if (idle > plan->top) idle = plan->top;
    server s = {plan, r->n ? r->arrival[0] : 0.0, 0.0, lag, idle, idle, 0.0};
    double start = s.now;
    ctw_power__pace pace = {.n = 0};
    out->late = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->arrival[i] > s.now) {
            order(&s, idle);
            pass(&s, r->arrival[i], NULL);
        }
        double left = r->work[i];
        while (left > 0.0) {
            for (; next < r->n && (next < i + 1 || r->arrival[next] <= s.now); next++)
                ctw_power__pace_add(&pace, r->arrival[next], r->guess[next]);
            ctw_power__waiting q = {r->guess + i, r->deadline + i, next - i,
                                    believed_left(r->guess[i], r->work[i] - left), ctw_power__pace_load(&pace, s.now)};
            order(&s, ctw_power__rule_decide(plan, rule, &q, s.now, s.wanted));
            pass(&s, next < r->n ? r->arrival[next] : INFINITY, &left);
        }
        out->late += s.now > r->deadline[i] + 1e-9;
    }
    out->joule = s.joule;
    out->seconds = s.now - start;
}
