/* place_policies.c: what schedulers without a plan do, as problems with the choice of slots taken away, so that the
 * library's packer places what is left: "asap" runs every batch job in its earliest slots, "lowest" gives the jobs, in
 * order of arrival, the slots of lowest carbon intensity in which the region has room (all servers taken as one). */
#include "place_policies.h"
#include "place_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void place_policy_asap(const place_data *d, place_data *out)
{
    *out = *d;
    out->deadline = bench_alloc(d->jobs + 1, sizeof(int64_t));
    for (size_t i = 0; i < d->jobs; i++)
        out->deadline[i] = d->kind[i] ? d->deadline[i] : d->release[i] + d->duration[i];
}

typedef struct ledger {
    const place_data *d;
    double *room; /* (region x slots + slot) x 3 */
} ledger;

static double *room_at(const ledger *l, size_t region, int64_t slot)
{
    return l->room + (region * l->d->slots + (size_t)slot) * PLACE_RESOURCES;
}

static void draw(ledger *l, size_t job, size_t region, int64_t slot, double times)
{
    double *room = room_at(l, region, slot);
    for (size_t j = 0; j < PLACE_RESOURCES; j++) room[j] -= times * l->d->demand[job * PLACE_RESOURCES + j];
}

static int has_room(const ledger *l, size_t job, size_t region, int64_t slot)
{
    const double *room = room_at(l, region, slot);
    for (size_t j = 0; j < PLACE_RESOURCES; j++) {
        if (room[j] < l->d->demand[job * PLACE_RESOURCES + j]) return 0;
    }
    return 1;
}

/* Share of the servers' capacity that the policy fills; the packer needs the rest. */
#define FILL 0.95

static void open_ledger(ledger *l, const place_data *d)
{
    l->d = d;
    l->room = bench_alloc(d->regions * d->slots * PLACE_RESOURCES + 1, sizeof(double));
    for (size_t k = 0; k < d->classes; k++) {
        for (size_t t = 0; t < d->slots; t++) {
            double *room = room_at(l, (size_t)d->region[k], (int64_t)t);
            for (size_t j = 0; j < PLACE_RESOURCES; j++)
                room[j] += FILL * (double)d->count[k] * d->capacity[k * PLACE_RESOURCES + j];
        }
    }
    for (size_t e = 0; e < d->loads; e++) {
        size_t i = (size_t)d->load_row[e];
        draw(l, i, d->home[i] < 0 ? 0 : (size_t)d->home[i], d->load_slot[e], (double)d->load_count[e]);
    }
}

static double intensity(const place_data *d, size_t region, int64_t slot)
{
    return d->carbon[region * d->slots + (size_t)slot];
}

/* One unit's slots, cheapest first where it is preemptible; 0 when no choice has room. */
static int lowest(ledger *l, size_t i, size_t g, int64_t *slot)
{
    const place_data *d = l->d;
    int64_t n = d->duration[i], have = 0, best = -1;
    double least = INFINITY;
    if (!d->preemptible[i]) {
        for (int64_t s = d->release[i]; s + n <= d->deadline[i]; s++) {
            double sum = 0;
            for (int64_t t = s; t < s + n; t++) sum += has_room(l, i, g, t) ? intensity(d, g, t) : INFINITY;
            if (sum >= least) continue;
            least = sum;
            best = s;
        }
        for (; best >= 0 && have < n; have++) slot[have] = best + have;
        return have == n;
    }
    for (; have < n; have++) {
        best = -1;
        for (int64_t t = d->release[i]; t < d->deadline[i]; t++) {
            int used = !has_room(l, i, g, t);
            for (int64_t q = 0; q < have; q++) used |= slot[q] == t;
            if (!used && (best < 0 || intensity(d, g, t) < intensity(d, g, best))) best = t;
        }
        if (best < 0) return 0;
        slot[have] = best;
    }
    return 1;
}

/* A row of its own for `duration` slots of one unit of row i. */
static void add_row(const place_data *d, place_data *out, size_t i, size_t region, int64_t from, int64_t duration,
                    int64_t window)
{
    size_t n = out->jobs++;
    memcpy(out->demand + n * PLACE_RESOURCES, d->demand + i * PLACE_RESOURCES, PLACE_RESOURCES * sizeof(double));
    out->release[n] = from;
    out->deadline[n] = from + window;
    out->duration[n] = duration;
    out->units[n] = 1;
    out->home[n] = (int64_t)region;
    out->spread[n] = 0;
    out->wants[n] = d->wants[i];
    out->kind[n] = 0;
    out->preemptible[n] = d->preemptible[i];
    out->movable[n] = 0;
    out->penalty[n] = d->penalty[i] * (double)duration / (double)d->duration[i];
}

static void copy_service(const place_data *d, place_data *out, size_t i)
{
    add_row(d, out, i, 0, d->release[i], d->duration[i], d->deadline[i] - d->release[i]);
    size_t n = out->jobs - 1;
    out->units[n] = d->units[i];
    out->home[n] = d->home[i];
    out->movable[n] = d->movable[i];
    out->spread[n] = d->spread[i];
    out->kind[n] = d->kind[i];
    out->penalty[n] = d->penalty[i];
    for (size_t e = 0; e < d->loads; e++) {
        if ((size_t)d->load_row[e] == i) out->load_row[e] = (int64_t)n;
    }
}

static void alloc_rows(place_data *out, size_t n, size_t loads)
{
    out->jobs = 0;
    out->demand = bench_alloc(n * PLACE_RESOURCES + 1, sizeof(double));
    out->penalty = bench_alloc(n + 1, sizeof(double));
    int64_t **ints[] = {&out->release, &out->deadline, &out->duration, &out->units,
                        &out->home,    &out->spread,   &out->wants};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) *ints[i] = bench_alloc(n + 1, sizeof(int64_t));
    int32_t **flags[] = {&out->kind, &out->preemptible, &out->movable};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) *flags[i] = bench_alloc(n + 1, sizeof(int32_t));
    out->load_row = bench_alloc(loads + 1, sizeof(int64_t));
}

/* In order of release, then of the file. */
static size_t next_job(const place_data *d, const uint8_t *done)
{
    size_t best = d->jobs;
    for (size_t i = 0; i < d->jobs; i++) {
        if (!done[i] && !d->kind[i] && (best == d->jobs || d->release[i] < d->release[best])) best = i;
    }
    return best;
}

static void schedule_job(ledger *l, place_data *out, size_t i, int64_t *slot)
{
    const place_data *d = l->d;
    size_t g = d->home[i] < 0 ? 0 : (size_t)d->home[i];
    for (int64_t q = 0; q < d->units[i]; q++) {
        if (!lowest(l, i, g, slot)) {
            add_row(d, out, i, g, d->release[i], d->duration[i], d->deadline[i] - d->release[i]);
            continue;
        }
        for (int64_t s = 0; s < d->duration[i]; s++) {
            draw(l, i, g, slot[s], 1);
            if (d->preemptible[i]) add_row(d, out, i, g, slot[s], 1, 1);
        }
        if (!d->preemptible[i]) add_row(d, out, i, g, slot[0], d->duration[i], d->duration[i]);
    }
}

void place_policy_lowest(const place_data *d, place_data *out)
{
    ledger l;
    size_t rows = d->jobs, i;
    for (i = 0; i < d->jobs; i++) rows += d->kind[i] ? 0 : (size_t)(d->units[i] * d->duration[i]);
    *out = *d;
    alloc_rows(out, rows, d->loads);
    open_ledger(&l, d);
    uint8_t *done = bench_alloc(d->jobs + 1, 1);
    int64_t *slot = bench_alloc(d->slots + 1, sizeof *slot);
    for (i = 0; i < d->jobs; i++) {
        if (d->kind[i]) copy_service(d, out, i);
    }
    while ((i = next_job(d, done)) < d->jobs) {
        schedule_job(&l, out, i, slot);
        done[i] = 1;
    }
    free(done);
    free(slot);
    free(l.room);
}
