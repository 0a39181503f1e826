/* assign.c: packs slot by slot (pack.c) and hands the places of the patterns to units. Units of a flavour are
 * interchangeable but for anti-affinity: rows with a limit per server choose first, spread over the servers that
 * have most places of their flavour. Classes are opened from their first member on, so that the servers in use are
 * nested over time and start-ups few. */
#include "place/assign.h"
#include "base/cancel.h"
#include "place/pack.h"
#include "place/squeeze.h"
#include <math.h>
#include <string.h>

typedef struct seat {
    int32_t server, places;
} seat;

/* Someone who wants a place: where the server is to be written, and who it is for the sake of limits. */
typedef struct guest {
    int32_t *at;
    int32_t limit, owner;
} guest;

/* A batch entry and its group (pool, flavour), so that a slot is listed without looking at the units again. */
typedef struct booking {
    int32_t entry, group;
} booking;

typedef struct usher {
    const ctw_place__inst *in;
    ctw_place__market *m;
    ctw_place__plan *plan;
    ctw_place__clock *clock;
    ctw_place__packer packer;
    booking *by_slot;  /* batch entries in order of slot */
    int32_t *batch_of; /* by_slot: batch rows, only where some row has a limit; NULL otherwise */
    size_t *slot_at;   /* slots + 2 */
    double *budget;    /* feeds */
    int limits;        /* some row has a limit per server */
    int leisure;       /* there is time to squeeze the slot */
    /* one slot: guests by (pool, flavour) */
    size_t *group_at; /* pools x flavours + 1 */
    guest *guest;
    size_t guest_cap;
    int32_t *counts; /* flavours */
    seat *seat;      /* one flavour's places */
    size_t seats, seat_cap;
    int32_t *next_member;   /* classes */
    size_t *pattern_server; /* patterns: index of the first server in its class */
    size_t pattern_server_cap;
} usher;

static ctw_status sort_entries(usher *a)
{
    const ctw_place__inst *in = a->in;
    a->by_slot = CTW_NEW(in->ctx, in->entries, booking);
    a->slot_at = CTW_NEW(in->ctx, in->slots + 2, size_t);
    if (a->limits) a->batch_of = CTW_NEW(in->ctx, in->entries, int32_t);
    if (!a->by_slot || !a->slot_at || (a->limits && !a->batch_of)) return CTW_E_NOMEM;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t u = 0; u < in->units; u++) {
            size_t e = ctw_place__entry(in, u), f = (size_t)in->batch[in->unit_batch[u]].flavour;
            for (size_t q = e; q < e + (size_t)a->plan->run[u]; q++) {
                size_t t = (size_t)a->plan->slot[q];
                if (pass == 0) {
                    a->slot_at[t + 2]++;
                    continue;
                }
                size_t group = (size_t)a->plan->server[q] * in->flavours + f, i = a->slot_at[t + 1]++;
                a->by_slot[i] = (booking){(int32_t)q, (int32_t)group};
                if (a->batch_of) a->batch_of[i] = in->unit_batch[u];
            }
        }
        for (size_t t = 0; t < in->slots && pass == 0; t++) a->slot_at[t + 2] += a->slot_at[t + 1];
    }
    return CTW_OK;
}

static void seat_later(usher *a, size_t group, int32_t *at, int32_t limit, int32_t owner)
{
    guest *g = a->guest + a->group_at[group]++;
    g->at = at;
    g->limit = limit;
    g->owner = owner;
}

/* Everyone in the slot, services first, as they must not wait. Pass 0 counts the groups, pass 1 fills them. */
static void list_guests(usher *a, size_t t, int pass)
{
    const ctw_place__inst *in = a->in;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (int32_t q = 0; q < l->load[t]; q++) {
            int32_t *at = a->plan->service_server + l->entry[t] + q;
            if (*at < 0) continue;
            size_t group = (size_t)*at * in->flavours + (size_t)l->flavour;
            if (pass) {
                seat_later(a, group, at, l->spread, -1 - (int32_t)i);
            } else {
                a->group_at[group + 1]++;
            }
        }
    }
    for (size_t i = a->slot_at[t]; i < a->slot_at[t + 1]; i++) {
        const booking *k = a->by_slot + i;
        if (!pass) {
            a->group_at[k->group + 1]++;
            continue;
        }
        int32_t row = a->batch_of ? a->batch_of[i] : 0;
        seat_later(a, (size_t)k->group, a->plan->server + k->entry, a->batch_of ? in->batch[row].spread : 0, row);
    }
}

static ctw_status gather(usher *a, size_t t)
{
    const ctw_place__inst *in = a->in;
    size_t groups = in->pools * in->flavours;
    memset(a->group_at, 0, (groups + 1) * sizeof(size_t));
    list_guests(a, t, 0);
    for (size_t g = 0; g < groups; g++) a->group_at[g + 1] += a->group_at[g];
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&a->guest, &a->guest_cap, a->group_at[groups] + 1, sizeof *a->guest));
    list_guests(a, t, 1);
    for (size_t g = groups; g > 0; g--) a->group_at[g] = a->group_at[g - 1];
    a->group_at[0] = 0;
    return CTW_OK;
}

/* The servers with places of the flavour, and how many. */
static ctw_status find_seats(usher *a, int32_t flavour)
{
    const ctw_place__inst *in = a->in;
    const ctw_place__packer *p = &a->packer;
    a->seats = 0;
    for (size_t x = 0; x < p->patterns; x++) {
        const ctw_place__pattern *y = p->pattern + x;
        for (size_t i = y->first; i < y->first + y->kinds; i++) {
            if (p->part[i].flavour != flavour) continue;
            CTW_TRY(
                ctw_base__grow(in->ctx, (void **)&a->seat, &a->seat_cap, a->seats + (size_t)y->times, sizeof *a->seat));
            for (int32_t q = 0; q < y->times; q++) {
                size_t member = in->class[y->class].first + a->pattern_server[x] + (size_t)q;
                a->seat[a->seats++] = (seat){in->members[member], p->part[i].count};
            }
        }
    }
    return CTW_OK;
}

/* A row with a limit: its units [from, to) go round the seats, at most `limit` to each. */
static void seat_limited(usher *a, size_t from, size_t to, size_t *turn)
{
    for (size_t tried = 0; from < to && tried < a->seats; tried++) {
        seat *s = a->seat + *turn;
        int32_t limit = a->guest[from].limit;
        for (; limit > 0 && s->places > 0 && from < to; limit--, s->places--) *a->guest[from++].at = s->server;
        *turn = (*turn + 1) % a->seats;
    }
    for (; from < to; from++) *a->guest[from].at = -1;
}

static ctw_status seat_flavour(usher *a, size_t flavour, size_t from, size_t to)
{
    size_t turn = 0, next = 0;
    CTW_TRY(find_seats(a, (int32_t)flavour));
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && a->guest[end].owner == a->guest[i].owner; end++) {
        }
        if (a->guest[i].limit > 0) seat_limited(a, i, end, &turn);
    }
    for (size_t i = from; i < to; i++) {
        if (a->guest[i].limit > 0) continue;
        while (next < a->seats && a->seat[next].places == 0) next++;
        *a->guest[i].at = next < a->seats ? a->seat[next].server : -1;
        if (next < a->seats) a->seat[next].places--;
    }
    return CTW_OK;
}

/* What the packer left over, in counts[], is room to be kept free the next time, and a little more. */
static void pad(usher *a, size_t cell)
{
    const ctw_place__market *m = a->m;
    for (size_t f = 0; f < a->in->flavours; f++) {
        for (size_t j = 0; j < m->r && a->counts[f] > 0; j++) {
            m->padding[cell * m->r + j] += 1.5 * a->counts[f] * m->rate[f * m->r + j];
        }
    }
}

/* Squeezing lowers the cost, and with it the draw where all cost is that of watts; not a rack's, and not when units
 * left over would come in as well. */
static int may_squeeze(const usher *a, size_t pool)
{
    const ctw_place__inst *in = a->in;
    int can = in->feeds == in->regions;
    if (!in->capped) return 1;
    for (size_t i = 0; i < a->packer.kinds; i++) can &= a->packer.left[i] == 0;
    for (size_t k = 0; k < in->classes; k++) can &= in->class[k].pool != pool || in->class[k].embodied == 0;
    return can;
}

static ctw_status pack_cell(usher *a, size_t pool, size_t t)
{
    const ctw_place__inst *in = a->in;
    const size_t *at = a->group_at + pool * in->flavours;
    if (at[0] == at[in->flavours]) return CTW_OK;
    for (size_t f = 0; f < in->flavours; f++) a->counts[f] = (int32_t)(at[f + 1] - at[f]);
    CTW_TRY(ctw_place__pack(&a->packer, pool, t, a->counts));
    if (!a->limits && a->leisure && may_squeeze(a, pool)) {
        CTW_TRY(ctw_place__squeeze(&a->packer));
        for (size_t i = 0; i < a->packer.kinds; i++) a->counts[a->packer.flavour[i]] = a->packer.left[i];
    }
    pad(a, pool * in->slots + t);
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&a->pattern_server, &a->pattern_server_cap, a->packer.patterns + 1,
                           sizeof(size_t)));
    memset(a->next_member, 0, in->classes * sizeof(int32_t));
    for (size_t x = 0; x < a->packer.patterns; x++) {
        const ctw_place__pattern *y = a->packer.pattern + x;
        a->pattern_server[x] = (size_t)a->next_member[y->class];
        a->next_member[y->class] += y->times;
    }
    for (size_t f = 0; f < in->flavours; f++) {
        if (at[f] < at[f + 1]) CTW_TRY(seat_flavour(a, f, at[f], at[f + 1]));
    }
    return CTW_OK;
}

/* Squeezing must not take from the slots to come what packing them needs: the next slot may have its share of the time
 * left, and a slot that was squeezed says how long that takes. */
static void look_at_clock(usher *a, size_t t, double began, double *longest)
{
    double now = ctw_base__now(), left = a->clock->deadline - now - ctw_place__pass_s(a->in);
    if (a->leisure) *longest = fmax(*longest, now - began);
    a->leisure = !ctw_place__rung(a->clock) && *longest < left / (double)(a->in->slots - t);
}

static ctw_status pack_slots(usher *a)
{
    const ctw_place__inst *in = a->in;
    double began = ctw_base__now(), longest = 0;
    for (size_t t = 0; t < in->slots; t++) {
        if (began > a->clock->end)
            return ctw_base__fail(CTW_E_DEADLINE, "place: the deadline passed before there was a first plan");
        look_at_clock(a, t, began, &longest);
        began = ctw_base__now();
        if (in->capped) {
            memcpy(a->budget, in->feed_cap, in->feeds * sizeof(double));
            a->packer.budget = a->budget;
        }
        CTW_TRY(gather(a, t));
        for (size_t p = 0; p < in->pools; p++) CTW_TRY(pack_cell(a, p, t));
    }
    return CTW_OK;
}

/* Units that lost an entry leave the plan; the count of lost entries and replicas. */
static int64_t sweep_out(const ctw_place__inst *in, ctw_place__plan *plan)
{
    int64_t lost = 0;
    for (size_t u = 0; u < in->units; u++) {
        size_t e = ctw_place__entry(in, u);
        int32_t bad = 0;
        for (size_t q = e; q < e + (size_t)plan->run[u]; q++) bad += plan->server[q] < 0;
        if (bad) plan->run[u] = 0;
        lost += bad;
    }
    for (size_t i = 0; i < in->service_entries; i++) lost += plan->service_server[i] < 0;
    return lost;
}

void ctw_place__unassign(const ctw_place__inst *in, ctw_place__plan *plan)
{
    for (size_t u = 0; u < in->units; u++) {
        size_t e = ctw_place__entry(in, u);
        for (size_t q = e; q < e + (size_t)plan->run[u]; q++) {
            plan->server[q] = (int32_t)in->class[in->class_of[plan->server[q]]].pool;
        }
    }
    for (size_t i = 0; i < in->service_entries; i++) {
        int32_t *at = plan->service_server + i;
        if (*at >= 0) *at = (int32_t)in->class[in->class_of[*at]].pool;
    }
}

ctw_status ctw_place__assign(ctw_place__market *m, ctw_place__plan *plan, ctw_place__clock *clock, int64_t *lost)
{
    const ctw_place__inst *in = m->in;
    usher a;
    memset(&a, 0, sizeof a);
    a.in = in;
    a.m = m;
    a.plan = plan;
    a.clock = clock;
    ctw_status s = ctw_place__packer_new(m, &a.packer);
    for (size_t i = 0; i < in->batches; i++) a.limits |= in->batch[i].spread > 0;
    for (size_t i = 0; i < in->services; i++) a.limits |= in->service[i].spread > 0;
    if (s == CTW_OK) s = sort_entries(&a);
    a.counts = CTW_NEW(in->ctx, in->flavours, int32_t);
    a.budget = CTW_NEW(in->ctx, in->feeds, double);
    a.group_at = CTW_NEW(in->ctx, in->pools * in->flavours + 1, size_t);
    a.next_member = CTW_NEW(in->ctx, in->classes, int32_t);
    if (s == CTW_OK && (!a.counts || !a.budget || !a.group_at || !a.next_member)) s = CTW_E_NOMEM;
    if (s == CTW_OK) s = pack_slots(&a);
    if (s == CTW_OK) *lost = sweep_out(in, plan);
    ctw_place__packer_free(&a.packer);
    void *all[] = {a.by_slot,  a.batch_of, a.slot_at, a.counts,      a.budget,
                   a.group_at, a.guest,    a.seat,    a.next_member, a.pattern_server};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    return s;
}
