/* supervise.c: the seat of the agent. It does not move frequencies but sets the target of the rule that does, the
 * load a level must suffice for; a shield keeps from it every target that the rises of load seen lately would have
 * outrun. Whatever it tries while it learns, the rule carries out, and what it cannot know the rule decides. */
#include "twin/twin_internal.h"
#include <math.h>

/* Share of the rule's reserve that each action keeps; the last two are always allowed: the rule itself and more. */
static const double keeps[CTW_TWIN_AGENT_ACTIONS] = {0.0, 0.25, 0.5, 1.0, 2.0};
#define RULE 3
/* The largest rise is forgotten by this factor a slot: half of it in about twelve hours of minutes. */
#define MEMORY  0.999
#define PENALTY 5.0
/* A service that wakes up from nothing tells no more than that no headroom is enough. */
#define MAX_RISE 1e6

static double headroom_of(const ctw_twin *t, int64_t action)
{
    return 1.0 + (t->headroom - 1.0) * keeps[action];
}

/* What the agent sees of a service; util, the ratio and the tail are cut to the documented ranges. */
static void observe(const ctw_twin *t, const ctw_twin__service *s, double out[CTW_TWIN_AGENT_DIMS])
{
    double capacity = 0.0;
    for (uint32_t i = 0; i < s->replicas; i++) capacity += t->replica[s->first + i].ready ? s->cores / s->work_s : 0.0;
    double change = s->seen_rate > 0.0 ? s->now_rate / s->seen_rate : s->now_rate > 0.0 ? 2.0 : 1.0;
    out[0] = capacity > 0.0 ? fmin(1.0, s->now_rate / capacity) : 1.0;
    out[1] = fmin(2.0, fmax(0.5, change));
    out[2] = fmin(2.0, s->tail / t->tail);
    out[3] = fmod(t->now, 86400.0) / 86400.0;
}

/* Dynamic power of the service now, as a share of that of all its cores busy at the top frequency. */
static double power_share(const ctw_twin *t, const ctw_twin__service *s)
{
    double drawn = 0.0, all = 0.0;
    for (uint32_t i = 0; i < s->components * s->replicas; i++) {
        const ctw_twin__replica *r = &t->replica[s->first + i];
        all += s->cores;
        if (r->server == CTW_TWIN__NONE) continue;
        const ctw_twin__server *v = &t->server[r->server];
        drawn += r->busy * t->klass[v->klass].factor[v->level];
    }
    return drawn / all;
}

/* Which headrooms the shield leaves; 1 when it takes one away. */
static int shield(const ctw_twin *t, const ctw_twin__service *s, uint8_t allowed[CTW_TWIN_AGENT_ACTIONS])
{
    int takes = 0;
    for (int64_t a = 0; a < CTW_TWIN_AGENT_ACTIONS; a++) {
        allowed[a] = a >= RULE || (s->ok && headroom_of(t, a) >= s->rise);
        takes |= !allowed[a];
    }
    return takes;
}

static ctw_status choose(ctw_twin *t, ctw_twin__service *s)
{
    double seen[CTW_TWIN_AGENT_DIMS];
    uint8_t allowed[CTW_TWIN_AGENT_ACTIONS];
    int64_t action = RULE;
    observe(t, s, seen);
    t->count.agent_shielded += (uint64_t)shield(t, s, allowed);
    if (s->acted) {
        double reward = -power_share(t, s) - (s->ok ? 0.0 : PENALTY);
        s->acted = 0;
        CTW_TRY(ctw_agent_learn(s->agent, reward, seen, CTW_TWIN_AGENT_DIMS, allowed, 0));
    }
    CTW_TRY(ctw_agent_act(s->agent, seen, CTW_TWIN_AGENT_DIMS, allowed, &action));
    s->acted = 1;
    s->headroom = headroom_of(t, action);
    return CTW_OK;
}

ctw_status ctw_twin__supervise(ctw_twin *t, ctw_twin__service *s)
{
    double rise = s->seen_rate > 0.0 ? s->now_rate / s->seen_rate : 1.0;
    s->rise = fmax(1.0 + (s->rise - 1.0) * MEMORY, fmin(rise, MAX_RISE));
    if (!s->agent) return CTW_OK;
    s->headroom = t->headroom; /* the rule's, unless the agent chooses */
    ctw_status st = choose(t, s);
    t->count.agent_steps++;
    t->count.headroom_sum += s->headroom;
    return st == CTW_OK ? CTW_OK : ctw_twin__part_failed(t, st, "agent");
}

/* ---- putting it in, taking it out ---- */

/* An agent of another shape is told at once, and not when the first slot begins. */
ctw_status ctw_twin__agent_fits(const ctw_agent *a)
{
    static const double probe[CTW_TWIN_AGENT_DIMS] = {0.5, 1.0, 0.0, 0.0};
    double q[CTW_TWIN_AGENT_ACTIONS];
    return ctw_agent_value(a, probe, CTW_TWIN_AGENT_DIMS, q, CTW_TWIN_AGENT_ACTIONS);
}

static ctw_status set_agent(ctw_twin *t, int64_t service, const ctw_agent *a, const char *fn)
{
    uint32_t i;
    ctw_agent *copy = NULL;
    CTW_TRY(ctw_twin__find_service(t, service, fn, &i));
    if (a) {
        CTW_TRY(ctw_twin__agent_fits(a));
        CTW_TRY(ctw_twin__copy_agent(t->h.ctx, a, &copy));
    }
    ctw_agent_unref(t->service[i].agent);
    t->service[i].agent = copy;
    t->service[i].acted = 0;
    t->service[i].headroom = t->headroom;
    return CTW_OK;
}

ctw_status ctw_twin_set_agent(ctw_twin *t, int64_t service, const ctw_agent *a)
{
    static const char fn[] = "ctw_twin_set_agent";
    CTW_TRY(ctw_base__handle_enter(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    ctw_status s = set_agent(t, service, a, fn);
    ctw_base__handle_leave(&t->h);
    return s;
}

ctw_status ctw_twin_get_agent(const ctw_twin *t, int64_t service, ctw_agent **out)
{
    static const char fn[] = "ctw_twin_get_agent";
    uint32_t i;
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__handle_check(t ? &t->h : NULL, CTW_TWIN__MAGIC, fn, "t"));
    CTW_TRY(ctw_twin__find_service(t, service, fn, &i));
    if (!t->service[i].agent)
        return ctw_base__fail(CTW_E_STATE, "%s: service %lld has no agent", fn, (long long)service);
    return ctw_twin__copy_agent(t->h.ctx, t->service[i].agent, out);
}
