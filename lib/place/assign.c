/* assign.c: packs slot by slot (pack.c) and hands the places of the patterns to units. Units of a flavour are
 * interchangeable but for anti-affinity: rows with a limit per server choose first, spread over the servers that
 * have most places of their flavour. Classes are opened from their first member on, so that the servers in use are
 * nested over time and start-ups few. */
#include "place/assign.h"
#include "place/pack.h"
#include <math.h>
#include <string.h>

typedef struct seat {
    int32_t server, places;
} seat;

typedef struct usher {
    const ctw_place__inst *in;
    ctw_place__plan *plan;
    ctw_place__packer packer;
    int32_t *by_slot; /* entries in order of slot */
    size_t *slot_at;  /* slots + 1 */
    int32_t *counts;  /* flavours */
    double *budget;   /* regions */
    /* one slot and pool: who wants a place, by flavour */
    size_t *want_at; /* flavours + 1 */
    int32_t **want;  /* where each unit's server is to be written; sorted by flavour */
    int32_t *limit;  /* parallel: places per server its row may take, 0 none */
    int32_t *owner;  /* parallel: row, to tell rows apart */
    size_t want_cap, limit_cap, owner_cap;
    seat *seat; /* one flavour's places */
    size_t seats, seat_cap;
    int32_t *next_member;   /* classes */
    size_t *pattern_server; /* patterns: index of the first server in its class */
    size_t pattern_server_cap;
} usher;

static ctw_status sort_entries(usher *a)
{
    const ctw_place__inst *in = a->in;
    a->by_slot = CTW_NEW(in->ctx, in->entries, int32_t);
    a->slot_at = CTW_NEW(in->ctx, in->slots + 2, size_t);
    if (!a->by_slot || !a->slot_at) return CTW_E_NOMEM;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t u = 0; u < in->units; u++) {
            size_t e = ctw_place__entry(in, u);
            for (size_t q = e; q < e + (size_t)a->plan->run[u]; q++) {
                size_t t = (size_t)a->plan->slot[q];
                if (pass == 0) {
                    a->slot_at[t + 2]++;
                } else {
                    a->by_slot[a->slot_at[t + 1]++] = (int32_t)u;
                }
            }
        }
        for (size_t t = 0; t < in->slots && pass == 0; t++) a->slot_at[t + 2] += a->slot_at[t + 1];
    }
    return CTW_OK;
}

/* The entry of unit u in slot t; it has one. */
static size_t entry_in(const usher *a, size_t u, size_t t)
{
    size_t e = ctw_place__entry(a->in, u);
    while ((size_t)a->plan->slot[e] != t) e++;
    return e;
}

/* Everyone who is in the pool in the slot, services first, as they must not wait: pass 0 counts, pass 1 lists. */
static void list_one(usher *a, int pass, size_t flavour, int32_t *at, int32_t limit, int32_t owner)
{
    if (pass == 0) {
        a->counts[flavour]++;
        return;
    }
    size_t i = a->want_at[flavour]++;
    a->want[i] = at;
    a->limit[i] = limit;
    a->owner[i] = owner;
}

static void list_all(usher *a, size_t pool, size_t t, int pass)
{
    const ctw_place__inst *in = a->in;
    for (size_t i = 0; i < in->services; i++) {
        const ctw_place__service *l = in->service + i;
        for (int32_t q = 0; q < l->load[t]; q++) {
            int32_t *at = a->plan->service_server + l->entry[t] + q;
            if (*at == -2 - (int32_t)pool) list_one(a, pass, (size_t)l->flavour, at, l->spread, l->row);
        }
    }
    for (size_t i = a->slot_at[t]; i < a->slot_at[t + 1]; i++) {
        const ctw_place__batch *b = in->batch + in->unit_batch[a->by_slot[i]];
        int32_t *at = a->plan->server + entry_in(a, (size_t)a->by_slot[i], t);
        if (*at == -2 - (int32_t)pool) list_one(a, pass, (size_t)b->flavour, at, b->spread, b->row);
    }
}

/* Pools are marked as -2 - pool while servers are being written, so that the two cannot be confused. */
static void mark_pools(usher *a)
{
    const ctw_place__inst *in = a->in;
    for (size_t u = 0; u < in->units; u++) {
        size_t e = ctw_place__entry(in, u);
        for (size_t q = e; q < e + (size_t)a->plan->run[u]; q++) a->plan->server[q] = -2 - a->plan->server[q];
    }
    for (size_t i = 0; i < in->service_entries; i++) {
        int32_t *at = a->plan->service_server + i;
        if (*at >= 0) *at = -2 - *at;
    }
}

static ctw_status gather(usher *a, size_t pool, size_t t, size_t *n)
{
    const ctw_place__inst *in = a->in;
    memset(a->counts, 0, in->flavours * sizeof(int32_t));
    list_all(a, pool, t, 0);
    size_t total = 0;
    for (size_t f = 0; f < in->flavours; f++) {
        a->want_at[f] = total;
        total += (size_t)a->counts[f];
    }
    *n = total;
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&a->want, &a->want_cap, total + 1, sizeof *a->want));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&a->limit, &a->limit_cap, total + 1, sizeof *a->limit));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&a->owner, &a->owner_cap, total + 1, sizeof *a->owner));
    list_all(a, pool, t, 1);
    for (size_t f = in->flavours; f-- > 0;) a->want_at[f] = f ? a->want_at[f - 1] : 0;
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
        for (int32_t q = 0; q < a->limit[from] && s->places > 0 && from < to; q++) {
            *a->want[from++] = s->server;
            s->places--;
            if (from == to) break;
        }
        *turn = (*turn + 1) % a->seats;
    }
    for (; from < to; from++) *a->want[from] = -1;
}

static ctw_status seat_flavour(usher *a, size_t flavour, size_t from, size_t to)
{
    size_t turn = 0, next = 0;
    CTW_TRY(find_seats(a, (int32_t)flavour));
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && a->owner[end] == a->owner[i]; end++) {
        }
        if (a->limit[i] > 0) seat_limited(a, i, end, &turn);
    }
    for (size_t i = from; i < to; i++) {
        if (a->limit[i] > 0) continue;
        while (next < a->seats && a->seat[next].places == 0) next++;
        *a->want[i] = next < a->seats ? a->seat[next].server : -1;
        if (next < a->seats) a->seat[next].places--;
    }
    return CTW_OK;
}

static ctw_status pack_cell(usher *a, size_t pool, size_t t)
{
    const ctw_place__inst *in = a->in;
    size_t n;
    CTW_TRY(gather(a, pool, t, &n));
    if (n == 0) return CTW_OK;
    CTW_TRY(ctw_place__pack(&a->packer, pool, t, a->counts));
    CTW_TRY(ctw_base__grow(in->ctx, (void **)&a->pattern_server, &a->pattern_server_cap, a->packer.patterns + 1,
                           sizeof(size_t)));
    memset(a->next_member, 0, in->classes * sizeof(int32_t));
    for (size_t x = 0; x < a->packer.patterns; x++) {
        const ctw_place__pattern *y = a->packer.pattern + x;
        a->pattern_server[x] = (size_t)a->next_member[y->class];
        a->next_member[y->class] += y->times;
    }
    for (size_t f = 0; f < in->flavours; f++) {
        size_t to = f + 1 < in->flavours ? a->want_at[f + 1] : n;
        if (a->want_at[f] < to) CTW_TRY(seat_flavour(a, f, a->want_at[f], to));
    }
    return CTW_OK;
}

static ctw_status pack_slots(usher *a)
{
    const ctw_place__inst *in = a->in;
    for (size_t t = 0; t < in->slots; t++) {
        if (in->capped) {
            memcpy(a->budget, in->region_cap, in->regions * sizeof(double));
            a->packer.budget = a->budget;
        }
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

ctw_status ctw_place__assign(const ctw_place__market *m, ctw_place__plan *plan, int64_t *lost)
{
    const ctw_place__inst *in = m->in;
    usher a;
    memset(&a, 0, sizeof a);
    a.in = in;
    a.plan = plan;
    ctw_status s = ctw_place__packer_new(m, &a.packer);
    if (s == CTW_OK) s = sort_entries(&a);
    a.counts = CTW_NEW(in->ctx, in->flavours, int32_t);
    a.budget = CTW_NEW(in->ctx, in->regions, double);
    a.want_at = CTW_NEW(in->ctx, in->flavours + 1, size_t);
    a.next_member = CTW_NEW(in->ctx, in->classes, int32_t);
    if (s == CTW_OK && (!a.counts || !a.budget || !a.want_at || !a.next_member)) s = CTW_E_NOMEM;
    if (s == CTW_OK) {
        mark_pools(&a);
        s = pack_slots(&a);
        *lost = sweep_out(in, plan);
    }
    ctw_place__packer_free(&a.packer);
    void *all[] = {a.by_slot, a.slot_at, a.counts, a.budget,      a.want_at,       a.want,
                   a.limit,   a.owner,   a.seat,   a.next_member, a.pattern_server};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(in->ctx, all[i]);
    return s;
}
