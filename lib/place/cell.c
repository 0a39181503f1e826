/* cell.c: with free moves between slots, and no start-ups, a plan's cost is a sum over slots and regions of what
 * packing the units that run there costs; which unit of a flavour it is does not matter. So a slot is judged by its
 * counts: choices of servers are tried from the cheapest up, the first that the counts can be packed on is taken, and
 * answers are remembered, because a search asks the same question again and again. */
#include "place/cell.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

enum { MEMO = 1 << 15, MOST_CHOICES = 16384, CLASSES = CTW_PLACE_CELL_CLASSES };

static int pools_of(const ctw_place__inst *in, size_t p)
{
    return __builtin_popcountll(in->pool_region[p]);
}

int ctw_place__cells_apply(const ctw_place__inst *in)
{
    if (in->capped || in->on_site || in->tail > 0) return 0;
    for (size_t p = 0; p < in->pools; p++) {
        if (pools_of(in, p) > 1) return 0;
    }
    for (size_t i = 0; i < in->batches; i++) {
        if (in->batch[i].spread > 0) return 0;
    }
    for (size_t i = 0; i < in->services; i++) {
        if (in->service[i].spread > 0 || in->service[i].pools & (in->service[i].pools - 1)) return 0;
    }
    for (size_t g = 0; g < in->regions; g++) {
        double product = 1;
        size_t n = 0;
        for (size_t k = 0; k < in->classes; k++) {
            if (in->class[k].startup > 0 || isfinite(in->class[k].cap_w)) return 0;
            if (in->class[k].region != g) continue;
            n++;
            product *= in->class[k].n + 1;
        }
        if (n > CLASSES || product > MOST_CHOICES) return 0;
    }
    return 1;
}

static int cmp_idle(const void *pa, const void *pb, void *user)
{
    const ctw_place__inst *in = user;
    const ctw_place__class *a = in->class + *(const size_t *)pa, *b = in->class + *(const size_t *)pb;
    if (a->region != b->region) return a->region < b->region ? -1 : 1;
    if (a->idle != b->idle) return a->idle > b->idle ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Which class takes the first unit of a resource, which the next: a few classes, so by insertion. */
static void form_routes(ctw_place__cells *c, size_t g)
{
    const ctw_place__inst *in = c->in;
    size_t a = c->first[g], n = c->first[g + 1] - a;
    for (size_t j = 0; j < in->r; j++) {
        size_t *route = c->route + a * in->r + j * n;
        for (size_t i = 0; i < n; i++) {
            size_t at = i;
            double w = in->watt[c->class[a + i] * in -> r + j];
            for (; at > 0 && in->watt[c->class[a + route[at - 1]] * in -> r + j] > w; at--) route[at] = route[at - 1];
            route[at] = i;
        }
    }
}

/* Flavours by size, largest first. */
static ctw_status form_order(ctw_place__cells *c)
{
    const ctw_place__inst *in = c->in;
    double *key = CTW_NEW(in->ctx, in->flavours, double);
    if (!key) return CTW_E_NOMEM;
    for (size_t f = 0; f < in->flavours; f++) {
        c->order[f] = f;
        key[f] = 1;
        for (size_t k = 0; k < in->classes; k++) {
            if (ctw_place__fits_empty(in, k, f)) key[f] = fmin(key[f], ctw_place__share(in, k, f));
        }
        key[f] = -key[f];
    }
    ctw_num__argsort(key, c->order, in->flavours);
    ctw_base__free(in->ctx, key);
    return CTW_OK;
}

static int cmp_choice(const void *pa, const void *pb, void *user)
{
    const ctw_place__choice *a = pa, *b = pb;
    (void)user;
    if (a->idle != b->idle) return a->idle < b->idle ? -1 : 1;
    return memcmp(a->on, b->on, sizeof a->on);
}

static size_t choices_of(const ctw_place__cells *c, size_t g)
{
    size_t product = 1;
    for (size_t i = c->first[g]; i < c->first[g + 1]; i++) product *= (size_t)c->in->class[c->class[i]].n + 1;
    return product;
}

/* Every number of servers of every class. */
static ctw_status form_choices(ctw_place__cells *c)
{
    const ctw_place__inst *in = c->in;
    size_t all = 0;
    for (size_t g = 0; g < in->regions; g++) all += choices_of(c, g);
    c->choice = CTW_NEW(in->ctx, all, ctw_place__choice);
    c->choice_cap = CTW_NEW(in->ctx, all * in->r, double);
    c->choice_at = CTW_NEW(in->ctx, in->regions + 1, size_t);
    if (!c->choice || !c->choice_cap || !c->choice_at) return CTW_E_NOMEM;
    for (size_t g = 0; g < in->regions; g++) {
        size_t a = c->first[g], n = c->first[g + 1] - a, many = choices_of(c, g), from = c->choice_at[g];
        c->choice_at[g + 1] = from + many;
        for (size_t q = 0; q < many; q++) {
            ctw_place__choice *x = c->choice + from + q;
            for (size_t i = 0, rest = q; i < n; i++) {
                const ctw_place__class *k = in->class + c->class[a + i];
                x->on[i] = (int32_t)(rest % ((size_t)k->n + 1));
                rest /= (size_t)k->n + 1;
                x->idle += x->on[i] * k->idle;
                x->embodied += x->on[i] * k->embodied;
            }
        }
        ctw_num__sort_by(c->choice + from, many, sizeof *c->choice, cmp_choice, NULL);
        for (size_t q = from; q < from + many; q++) {
            for (size_t i = 0; i < n; i++) {
                const double *cap = in->cap + c->class[a + i] * in->r;
                for (size_t j = 0; j < in->r; j++) c->choice_cap[q * in->r + j] += c->choice[q].on[i] * cap[j];
            }
        }
    }
    return CTW_OK;
}

ctw_status ctw_place__cells_new(const ctw_place__inst *in, const ctw_place__limits *lim, ctw_place__cells *c)
{
    memset(c, 0, sizeof *c);
    c->in = in;
    c->lim = lim;
    c->class = CTW_NEW(in->ctx, in->classes, size_t);
    c->first = CTW_NEW(in->ctx, in->regions + 1, size_t);
    c->route = CTW_NEW(in->ctx, in->classes * in->r, size_t);
    c->mark = CTW_NEW(in->ctx, in->flavours, uint64_t);
    c->order = CTW_NEW(in->ctx, in->flavours, size_t);
    c->memo = CTW_NEW(in->ctx, MEMO, ctw_place__cell_memo);
    c->box_class = CTW_NEW(in->ctx, in->servers, size_t);
    c->content = CTW_NEW(in->ctx, in->servers * in->flavours, int32_t);
    c->room = CTW_NEW(in->ctx, in->servers * in->r, double);
    c->left = CTW_NEW(in->ctx, in->flavours, int32_t);
    c->total = CTW_NEW(in->ctx, lim->n, double);
    if (!c->class || !c->first || !c->route || !c->mark || !c->order || !c->memo || !c->box_class || !c->content ||
        !c->room || !c->left || !c->total) {
        ctw_place__cells_free(c);
        return CTW_E_NOMEM;
    }
    uint64_t z = 0;
    for (size_t f = 0; f < in->flavours; f++) {
        z += 0x9E3779B97F4A7C15u;
        uint64_t x = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
        c->mark[f] = x ^ (x >> 31);
    }
    for (size_t k = 0; k < in->classes; k++) {
        c->class[k] = k;
        c->first[in->class[k].region + 1]++;
    }
    for (size_t g = 0; g < in->regions; g++) c->first[g + 1] += c->first[g];
    ctw_num__sort_by(c->class, in->classes, sizeof *c->class, cmp_idle, (void *)(uintptr_t)in);
    for (size_t g = 0; g < in->regions; g++) form_routes(c, g);
    ctw_status s = form_order(c);
    if (s == CTW_OK) s = form_choices(c);
    if (s != CTW_OK) ctw_place__cells_free(c);
    return s;
}

void ctw_place__cells_free(ctw_place__cells *c)
{
    if (!c->in) return;
    void *all[] = {c->class,   c->first, c->route, c->mark,  c->order,  c->memo,       c->box_class,
                   c->content, c->room,  c->left,  c->total, c->choice, c->choice_cap, c->choice_at};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(c->in->ctx, all[i]);
    memset(c, 0, sizeof *c);
}

/* Least watts of the load on that many servers: each resource by itself, cheapest class first. */
static double load_watts(const ctw_place__cells *c, size_t g, const int32_t *on)
{
    const ctw_place__inst *in = c->in;
    size_t a = c->first[g], n = c->first[g + 1] - a;
    double sum = 0;
    for (size_t j = 0; j < in->r; j++) {
        const size_t *route = c->route + a * in->r + j * n;
        double left = c->total[j];
        for (size_t i = 0; i < n && left > 0; i++) {
            size_t k = c->class[a + route[i]];
            double here = fmin(left, on[route[i]] * in->cap[k * in->r + j]);
            sum += here * in->watt[k * in->r + j];
            left -= here;
        }
    }
    return sum;
}

static int holds(const ctw_place__cells *c, size_t g, size_t choice)
{
    size_t a = c->first[g], n = c->first[g + 1] - a, m = c->lim->n, r = c->in->r;
    const double *cap = c->choice_cap + choice * r;
    for (size_t j = 0; j < r; j++) {
        if (c->total[j] > cap[j] * (1 + 1e-9)) return 0;
    }
    for (size_t i = r; i < m; i++) {
        double lack = c->total[i] - 1e-6;
        for (size_t q = 0; q < n && lack > 0; q++)
            lack -= c->choice[choice].on[q] * c->lim->cap[c->class[a + q] * m + i];
        if (lack > 0) return 0;
    }
    return 1;
}

static void offer(ctw_place__cells *c, double grams, size_t choice, size_t most)
{
    size_t at = c->picks;
    if (at == most) {
        if (grams >= c->least[at - 1]) return;
        at--;
    } else {
        c->picks++;
    }
    for (; at > 0 && c->least[at - 1] > grams; at--) {
        c->least[at] = c->least[at - 1];
        c->pick[at] = c->pick[at - 1];
    }
    c->least[at] = grams;
    c->pick[at] = choice;
}

/* The `most` cheapest choices of servers that the limits allow, in order. */
static void choose(ctw_place__cells *c, size_t g, size_t slot, size_t most)
{
    double gram = c->in->gram[g * c->in->slots + slot];
    c->picks = 0;
    for (size_t q = c->choice_at[g]; q < c->choice_at[g + 1]; q++) {
        const ctw_place__choice *x = c->choice + q;
        if (c->picks == most && gram * (x->idle + c->lowest) >= c->least[most - 1]) return;
        if (holds(c, g, q)) offer(c, gram * (x->idle + load_watts(c, g, x->on)) + x->embodied, q, most);
    }
}

/* The counts' sums in the limits; 0 when nothing runs. */
static int add_up(ctw_place__cells *c, size_t g, const int32_t *counts)
{
    const ctw_place__inst *in = c->in;
    size_t m = c->lim->n, a = c->first[g], n = c->first[g + 1] - a;
    int any = 0;
    memset(c->total, 0, m * sizeof(double));
    for (size_t f = 0; f < in->flavours; f++) {
        if (counts[f] == 0) continue;
        any = 1;
        for (size_t i = 0; i < m; i++) c->total[i] += counts[f] * c->lim->demand[f * m + i];
    }
    c->lowest = 0;
    for (size_t j = 0; j < in->r && n > 0; j++) {
        size_t k = c->class[a + c->route[a * in->r + j * n]];
        c->lowest += c->total[j] * in->watt[k * in->r + j];
    }
    return any;
}

static void put(ctw_place__cells *c, size_t box, size_t f, int32_t units)
{
    const double *d = ctw_place__demand(c->in, f);
    c->content[box * c->in->flavours + f] += units;
    c->left[f] -= units;
    for (size_t j = 0; j < c->in->r; j++) c->room[box * c->in->r + j] -= units * d[j];
}

static int fits(const ctw_place__cells *c, size_t box, size_t f)
{
    const double *d = ctw_place__demand(c->in, f), *room = c->room + box * c->in->r;
    for (size_t j = 0; j < c->in->r; j++) {
        if (d[j] > room[j] + 1e-9 * c->in->cap[c->box_class[box] * c->in->r + j]) return 0;
    }
    return 1;
}

/* Opens the servers of a choice, those first that draw least for the load. */
static void open_boxes(ctw_place__cells *c, size_t g, const int32_t *on)
{
    const ctw_place__inst *in = c->in;
    size_t a = c->first[g], n = c->first[g + 1] - a, order[CLASSES];
    double rank[CLASSES];
    for (size_t i = 0; i < n; i++) {
        size_t k = c->class[a + i], at = i;
        rank[i] = 0;
        for (size_t j = 0; j < in->r; j++) rank[i] += in->watt[k * in->r + j] * c->total[j];
        for (; at > 0 && rank[order[at - 1]] > rank[i]; at--) order[at] = order[at - 1];
        order[at] = i;
    }
    c->boxes = 0;
    for (size_t i = 0; i < n; i++) {
        for (int32_t q = 0; q < on[order[i]]; q++) {
            size_t k = c->class[a + order[i]];
            c->box_class[c->boxes] = k;
            memcpy(c->room + c->boxes * in->r, in->cap + k * in->r, in->r * sizeof(double));
            c->boxes++;
        }
    }
    memset(c->content, 0, c->boxes * in->flavours * sizeof(int32_t));
}

/* What a box is still to take of each resource: the share of what is left that its room is of all room left. */
static void fill_box(ctw_place__cells *c, size_t box, double steer, double *demand, double *space)
{
    const ctw_place__inst *in = c->in;
    const double *cap = in->cap + c->box_class[box] * in->r, *room = c->room + box * in->r;
    double target[CTW_PLACE_MAX_RESOURCES];
    for (size_t j = 0; j < in->r; j++) target[j] = space[j] > 0 ? fmin(demand[j] / space[j], 1.2) : 0;
    for (size_t j = 0; j < in->r; j++) space[j] -= cap[j];
    for (;;) {
        size_t pick = in->flavours;
        double best = -INFINITY;
        for (size_t f = 0; f < in->flavours; f++) {
            if (c->left[f] <= 0 || !fits(c, box, f)) continue;
            const double *d = ctw_place__demand(in, f);
            double size = 0, lo = INFINITY, hi = -INFINITY;
            for (size_t j = 0; j < in->r; j++) {
                if (cap[j] <= 0 || target[j] <= 0) continue;
                double at = (cap[j] - room[j] + d[j]) / (cap[j] * target[j]);
                lo = fmin(lo, at);
                hi = fmax(hi, at);
                size = fmax(size, d[j] / cap[j]);
            }
            double score = size - steer * (hi - lo);
            if (score <= best) continue;
            best = score;
            pick = f;
        }
        if (pick == in->flavours) return;
        put(c, box, pick, 1);
        for (size_t j = 0; j < in->r; j++) demand[j] -= ctw_place__demand(in, pick)[j];
    }
}

/* Largest first, each where least room is left afterwards. */
static void best_fit(ctw_place__cells *c)
{
    const ctw_place__inst *in = c->in;
    for (size_t i = 0; i < in->flavours; i++) {
        size_t f = c->order[i];
        const double *d = ctw_place__demand(in, f);
        while (c->left[f] > 0) {
            size_t pick = c->boxes;
            double least = INFINITY;
            for (size_t b = 0; b < c->boxes; b++) {
                if (!fits(c, b, f)) continue;
                double slack = 0;
                for (size_t j = 0; j < in->r; j++) {
                    double cap = in->cap[c->box_class[b] * in->r + j];
                    if (cap > 0) slack += (c->room[b * in->r + j] - d[j]) / cap * (c->total[j] > 0);
                }
                if (slack >= least) continue;
                least = slack;
                pick = b;
            }
            if (pick == c->boxes) break;
            put(c, pick, f, 1);
        }
    }
}

static int packed(const ctw_place__cells *c)
{
    for (size_t f = 0; f < c->in->flavours; f++) {
        if (c->left[f] > 0) return 0;
    }
    return 1;
}

/* Packs the counts on the choice's servers; 0 when some unit found no room. Several ways are tried: servers filled one
 * after the other with different emphasis on balance, and best fit. */
static int pack_on(ctw_place__cells *c, size_t g, const int32_t *on, const int32_t *counts)
{
    static const double steer[] = {1, .3, 0, 3};
    const ctw_place__inst *in = c->in;
    for (size_t way = 0; way < 5; way++) {
        double demand[CTW_PLACE_MAX_RESOURCES], space[CTW_PLACE_MAX_RESOURCES] = {0};
        open_boxes(c, g, on);
        memcpy(c->left, counts, in->flavours * sizeof *counts);
        memcpy(demand, c->total, in->r * sizeof *demand);
        for (size_t b = 0; b < c->boxes; b++) {
            for (size_t j = 0; j < in->r; j++) space[j] += c->room[b * in->r + j];
        }
        if (way < 4) {
            for (size_t b = 0; b < c->boxes; b++) fill_box(c, b, steer[way], demand, space);
        } else {
            best_fit(c);
        }
        if (packed(c)) return 1;
    }
    return 0;
}

static double grams_of_packing(const ctw_place__cells *c, size_t g, size_t slot)
{
    const ctw_place__inst *in = c->in;
    double watts = 0, embodied = 0;
    for (size_t b = 0; b < c->boxes; b++) {
        size_t k = c->box_class[b];
        int used = 0;
        for (size_t f = 0; f < in->flavours && !used; f++) used = c->content[b * in->flavours + f] > 0;
        if (!used) continue;
        embodied += in->class[k].embodied;
        watts += in->class[k].idle;
        for (size_t j = 0; j < in->r; j++)
            watts += (in->cap[k * in->r + j] - c->room[b * in->r + j]) * in->watt[k * in->r + j];
    }
    return watts * in->gram[g * in->slots + slot] + embodied;
}

double ctw_place__cell_pack(ctw_place__cells *c, size_t g, size_t slot, const int32_t *counts)
{
    const ctw_place__inst *in = c->in;
    c->boxes = 0;
    if (!add_up(c, g, counts)) return 0;
    choose(c, g, slot, CTW_PLACE_CHOICES);
    for (size_t i = 0; i < c->picks; i++) {
        c->packings++;
        if (pack_on(c, g, c->choice[c->pick[i]].on, counts)) return grams_of_packing(c, g, slot);
        c->failures++;
    }
    int32_t all[CLASSES];
    for (size_t i = c->first[g]; i < c->first[g + 1]; i++) all[i - c->first[g]] = in->class[c->class[i]].n;
    return c->first[g] < c->first[g + 1] && pack_on(c, g, all, counts) ? grams_of_packing(c, g, slot) : INFINITY;
}

/* The memory of the question, with the least grams filled in. */
static ctw_place__cell_memo *recall(ctw_place__cells *c, size_t g, size_t slot, const int32_t *counts, uint64_t hash)
{
    uint64_t key = (hash + 1) * 0x9E3779B97F4A7C15u + (g * c->in->slots + slot + 1) * 0xD6E8FEB86659FD93u;
    ctw_place__cell_memo *memo = c->memo + ((key ^ key >> 29) >> 20) % MEMO;
    if (memo->key == key) return memo;
    memo->key = key;
    memo->grams = NAN;
    memo->least = 0;
    if (!add_up(c, g, counts)) return memo;
    choose(c, g, slot, 1);
    memo->least = c->picks ? c->least[0] : INFINITY;
    return memo;
}

double ctw_place__cell_least(ctw_place__cells *c, size_t g, size_t slot, const int32_t *counts, uint64_t hash)
{
    return recall(c, g, slot, counts, hash)->least;
}

double ctw_place__cell_grams(ctw_place__cells *c, size_t g, size_t slot, const int32_t *counts, uint64_t hash)
{
    ctw_place__cell_memo *memo = recall(c, g, slot, counts, hash);
    if (isnan(memo->grams)) memo->grams = isinf(memo->least) ? INFINITY : ctw_place__cell_pack(c, g, slot, counts);
    return memo->grams;
}
