/* squeeze.c: pattern packing (pack.c) wastes two or three servers a cell, which matters where a cell has fewer than a
 * few hundred: the waste is then as large as the whole saving. The room that is left lies scattered, a unit's worth on
 * twenty servers. So a server is emptied by exchanges: one of its units for a smaller one of another server that has
 * just that much room, again and again, until the rest fits whole. Servers with the least content for what they cost
 * come first, what was left over is treated as a server of its own, and what stands on a server too large for it moves
 * to a class that is cheaper for just that. It ends where the cell's price bound says that no further server can go,
 * or after a fixed amount of work, so that the result does not depend on the clock. */
#include "place/squeeze.h"
#include "num/sort.h"
#include <math.h>
#include <string.h>

enum {
    MOST_BOXES = 2000,
    MOST_CELLS = 4000000,
    MOST_WORK = 400000,
    ALL_WORK = 16000000,
    USUAL_BOXES = 500,
    VICTIMS = 10,
    HELPERS = 4
};

typedef struct shift {
    int32_t kind, from, to;
} shift;

typedef struct squeezer {
    ctw_place__packer *p;
    const ctw_place__inst *in;
    size_t r, kinds, boxes; /* one more box than servers: what was left over, without limits and of no class */
    size_t *klass;          /* boxes */
    int32_t *take;          /* boxes x kinds */
    int32_t *units;         /* boxes */
    double *room;           /* boxes x r */
    double *spare;          /* boxes: watts its power cap leaves */
    double *size;           /* kinds: value at the cell's prices */
    double *watts;          /* (classes + 1) x kinds: of one unit */
    double *least;          /* r: mean demand of the kinds */
    double *rank;           /* boxes */
    size_t *order;          /* boxes */
    size_t *kind_order;
    shift *log;
    size_t logged, log_cap;
    int64_t work, most; /* steps done, and how many this cell may take */
    int failed;         /* out of memory in a chain */
} squeezer;

static double gram_of(const squeezer *z, size_t k)
{
    return k < z->in->classes ? z->p->m->gram[k * z->in->slots + z->p->slot] : 0;
}
static double fixed_of(const squeezer *z, size_t k)
{
    return z->p->m->fixed[k * z->in->slots + z->p->slot];
}
static double cap_of(const squeezer *z, size_t k, size_t j)
{
    return z->in->cap[k * z->in->r + z->p->m->res[j]];
}

static int fits(const squeezer *z, size_t box, size_t kind)
{
    const double *d = z->p->demand + kind * z->r, *room = z->room + box * z->r;
    for (size_t j = 0; j < z->r; j++) {
        if (d[j] > room[j]) return 0;
    }
    return z->watts[z->klass[box] * z->kinds + kind] <= z->spare[box];
}

static void change(squeezer *z, size_t box, size_t kind, int by)
{
    const double *d = z->p->demand + kind * z->r;
    z->take[box * z->kinds + kind] += by;
    z->units[box] += by;
    for (size_t j = 0; j < z->r; j++) z->room[box * z->r + j] -= by * d[j];
    z->spare[box] -= by * z->watts[z->klass[box] * z->kinds + kind];
}

static void apply(squeezer *z, shift x)
{
    change(z, (size_t)x.from, (size_t)x.kind, -1);
    change(z, (size_t)x.to, (size_t)x.kind, 1);
}

static int move(squeezer *z, size_t kind, size_t from, size_t to)
{
    shift x = {(int32_t)kind, (int32_t)from, (int32_t)to};
    if (ctw_base__grow(z->in->ctx, (void **)&z->log, &z->log_cap, z->logged + 1, sizeof *z->log) != CTW_OK) {
        z->failed = 1;
        return 0;
    }
    z->log[z->logged++] = x;
    apply(z, x);
    return 1;
}

static void undo(squeezer *z, size_t mark)
{
    while (z->logged > mark) {
        shift x = z->log[--z->logged];
        apply(z, (shift){x.kind, x.to, x.from});
    }
}

/* The server where one more unit draws least, then the tightest; `but`, empty ones and the rest excepted. boxes: none.
 */
static size_t best_box(squeezer *z, size_t kind, size_t but)
{
    size_t best = z->boxes;
    double least = INFINITY, tight = INFINITY;
    z->work += (int64_t)z->boxes;
    for (size_t s = 0; s + 1 < z->boxes; s++) {
        if (s == but || z->units[s] == 0 || !fits(z, s, kind)) continue;
        double w = z->watts[z->klass[s] * z->kinds + kind], slack = 0;
        if (w > least) continue;
        for (size_t j = 0; j < z->r; j++) {
            double cap = cap_of(z, z->klass[s], j);
            if (cap > 0) slack += z->room[s * z->r + j] / cap;
        }
        if (w >= least && slack >= tight) continue;
        best = s;
        least = w;
        tight = slack;
    }
    return best;
}

/* Whether the box can take `in` for `out`. */
static int swaps(const squeezer *z, size_t box, size_t in, size_t out)
{
    const double *d = z->p->demand + in * z->r, *o = z->p->demand + out * z->r, *room = z->room + box * z->r;
    const double *w = z->watts + z->klass[box] * z->kinds;
    for (size_t j = 0; j < z->r; j++) {
        if (d[j] > room[j] + o[j]) return 0;
    }
    return w[in] <= z->spare[box] + w[out];
}

/* The exchange between two boxes that takes most from `victim`; 0 when none takes anything. */
static int exchange(squeezer *z, size_t victim, size_t box)
{
    const int32_t *mine = z->take + victim * z->kinds, *theirs = z->take + box * z->kinds;
    double most = 0;
    size_t give = 0, get = 0;
    z->work += (int64_t)(2 * z->kinds);
    for (size_t i = 0; i < z->kinds; i++) {
        for (size_t o = 0; o < z->kinds && mine[i] > 0; o++) {
            double gain = z->size[i] - z->size[o];
            if (theirs[o] == 0 || gain <= most || !swaps(z, box, i, o) || !swaps(z, victim, o, i)) continue;
            most = gain;
            give = i;
            get = o;
        }
    }
    return most > 0 && move(z, get, box, victim) && move(z, give, victim, box);
}

/* Grams of a server with its content. */
static double cost_of(const squeezer *z, size_t box)
{
    size_t k = z->klass[box];
    double watts = 0;
    for (size_t i = 0; i < z->kinds; i++) watts += z->take[box * z->kinds + i] * z->watts[k * z->kinds + i];
    return z->units[box] > 0 ? fixed_of(z, k) + gram_of(z, k) * watts : 0;
}

static double total_cost(const squeezer *z)
{
    double sum = 0;
    for (size_t s = 0; s + 1 < z->boxes; s++) sum += cost_of(z, s);
    return sum;
}

/* Grams that the moves since `mark` add to loads. */
static double load_change(const squeezer *z, size_t mark)
{
    double sum = 0;
    for (size_t i = mark; i < z->logged; i++) {
        const shift *x = z->log + i;
        size_t from = z->klass[x->from], to = z->klass[x->to];
        sum += gram_of(z, to) * z->watts[to * z->kinds + (size_t)x->kind];
        sum -= gram_of(z, from) * z->watts[from * z->kinds + (size_t)x->kind];
    }
    return sum;
}

/* Everything that fits elsewhere leaves the box, the largest units first; 1 when it is empty. */
static int move_out(squeezer *z, size_t victim)
{
    for (size_t i = 0; i < z->kinds; i++) {
        size_t kind = z->kind_order[i];
        while (z->take[victim * z->kinds + kind] > 0) {
            size_t to = best_box(z, kind, victim);
            if (to == z->boxes || !move(z, kind, victim, to)) break;
        }
    }
    return z->units[victim] == 0;
}

/* Exchanges of `box` with all others, each of which takes something from it, until the victim's units can go (1) or
 * nothing changes. */
static int drain(squeezer *z, size_t box, size_t victim)
{
    for (int some = 1; some && z->work < z->most && !z->failed;) {
        some = 0;
        for (size_t s = 0; s + 1 < z->boxes && z->work < z->most; s++) {
            if (s == box || s == victim || z->units[s] == 0) continue;
            int here = 0;
            while (exchange(z, box, s)) here = 1;
            some |= here;
            if (here && box != victim && move_out(z, victim)) return 1;
        }
        if (box == victim && move_out(z, victim)) return 1;
    }
    return 0;
}

/* The server with most room for its size, those marked and the victim excepted. */
static size_t roomiest(const squeezer *z, size_t victim, const size_t *but, int n)
{
    size_t best = z->boxes;
    double most = 0;
    for (size_t s = 0; s + 1 < z->boxes; s++) {
        double room = INFINITY;
        int out = s == victim || z->units[s] == 0;
        for (int i = 0; i < n; i++) out |= but[i] == s;
        for (size_t j = 0; j < z->r && !out; j++) room = fmin(room, z->room[s * z->r + j] / fmax(z->least[j], 1e-12));
        if (out || room <= most) continue;
        most = room;
        best = s;
    }
    return best;
}

/* Empties a box by moves and exchanges; when it is stuck, room is gathered on another server first. Undone unless it
 * pays; of what was left over, every unit placed pays. */
static int empty_box(squeezer *z, size_t victim)
{
    size_t tried[HELPERS];
    int rest = victim + 1 == z->boxes, done = move_out(z, victim) || drain(z, victim, victim);
    for (int n = 0; n < HELPERS && !done && z->work < z->most && !z->failed; n++) {
        tried[n] = roomiest(z, victim, tried, n);
        done = tried[n] < z->boxes && (drain(z, tried[n], victim) || drain(z, victim, victim));
    }
    if (rest || (done && load_change(z, 0) < fixed_of(z, z->klass[victim]))) return 1;
    undo(z, 0);
    return 0;
}

/* Moves the content of a box to the class that is cheapest for it and has a server left. */
static int downsize(squeezer *z, size_t box)
{
    size_t k = z->klass[box], best = k;
    double least = cost_of(z, box);
    if (z->units[box] == 0) return 0;
    for (size_t c = 0; c < z->in->classes; c++) {
        double watts = 0;
        int ok = z->in->class[c].pool == z->p->pool && z->p->open[c] < z->in->class[c].n && c != k;
        for (size_t j = 0; j < z->r && ok; j++)
            ok = cap_of(z, k, j) - z->room[box * z->r + j] <= cap_of(z, c, j) * (1 + 1e-12);
        for (size_t i = 0; i < z->kinds && ok; i++) watts += z->take[box * z->kinds + i] * z->watts[c * z->kinds + i];
        if (!ok || z->in->class[c].idle + watts > z->in->class[c].cap_w) continue;
        double cost = fixed_of(z, c) + gram_of(z, c) * watts;
        if (cost >= least * (1 - 1e-12)) continue;
        least = cost;
        best = c;
    }
    if (best == k) return 0;
    z->p->open[k]--;
    z->p->open[best]++;
    z->klass[box] = best;
    double watts = 0;
    for (size_t i = 0; i < z->kinds; i++) watts += z->take[box * z->kinds + i] * z->watts[best * z->kinds + i];
    for (size_t j = 0; j < z->r; j++) z->room[box * z->r + j] += cap_of(z, best, j) - cap_of(z, k, j);
    z->spare[box] = z->in->class[best].cap_w - z->in->class[best].idle - watts;
    return 1;
}

/* The boxes with least content for their cost first. */
static void rank_boxes(squeezer *z)
{
    const ctw_place__market *m = z->p->m;
    const double *price = m->price + (z->p->pool * z->in->slots + z->p->slot) * z->r;
    for (size_t s = 0; s < z->boxes; s++) {
        double value = 0;
        z->rank[s] = INFINITY;
        if (z->units[s] == 0 || s + 1 == z->boxes) continue;
        for (size_t j = 0; j < z->r; j++) value += price[j] * (cap_of(z, z->klass[s], j) - z->room[s * z->r + j]);
        z->rank[s] = value / fmax(fixed_of(z, z->klass[s]), 1e-12);
    }
    ctw_num__argsort(z->rank, z->order, z->boxes);
}

/* The least any packing of the cell could cost, at the market's prices. */
static double floor_of(const squeezer *z)
{
    const ctw_place__market *m = z->p->m;
    size_t cell = z->p->pool * z->in->slots + z->p->slot;
    double sum = 0;
    for (size_t i = 0; i < z->kinds; i++) {
        int32_t n = 0;
        for (size_t s = 0; s + 1 < z->boxes; s++) n += z->take[s * z->kinds + i];
        sum += n * ctw_place__market_value(m, cell, (size_t)z->p->flavour[i]);
    }
    for (size_t k = 0; k < z->in->classes; k++) {
        if (z->in->class[k].pool == z->p->pool)
            sum -= m->count[k] * fmax(0, ctw_place__market_profit(m, k, z->p->slot));
    }
    return sum;
}

/* What the cheapest server in use costs to keep on. */
static double cheapest_fixed(const squeezer *z)
{
    double least = INFINITY;
    for (size_t s = 0; s + 1 < z->boxes; s++) {
        if (z->units[s] > 0) least = fmin(least, fixed_of(z, z->klass[s]));
    }
    return least;
}

static ctw_status reduce(squeezer *z)
{
    double low = floor_of(z);
    if (z->units[z->boxes - 1] > 0) empty_box(z, z->boxes - 1);
    for (int better = 1; better && z->work < z->most && !z->failed;) {
        better = 0;
        z->work += (int64_t)(z->boxes * z->kinds * 2); /* looking at every server costs that */
        for (size_t s = 0; s + 1 < z->boxes; s++) better |= downsize(z, s);
        if (total_cost(z) - low < 0.5 * cheapest_fixed(z)) break;
        rank_boxes(z);
        for (size_t i = 0; i < z->boxes && i < VICTIMS && !isinf(z->rank[z->order[i]]); i++) {
            z->logged = 0;
            if (!empty_box(z, z->order[i])) continue;
            z->p->open[z->klass[z->order[i]]]--;
            better = 1;
            break;
        }
    }
    return z->failed ? CTW_E_NOMEM : CTW_OK;
}

static ctw_status alloc_squeezer(squeezer *z)
{
    size_t n = z->boxes;
    z->klass = CTW_NEW(z->in->ctx, n, size_t);
    z->take = CTW_NEW(z->in->ctx, n * z->kinds, int32_t);
    z->units = CTW_NEW(z->in->ctx, n, int32_t);
    z->room = CTW_NEW(z->in->ctx, n * z->r, double);
    z->spare = CTW_NEW(z->in->ctx, n, double);
    z->rank = CTW_NEW(z->in->ctx, n, double);
    z->order = CTW_NEW(z->in->ctx, n, size_t);
    z->size = CTW_NEW(z->in->ctx, z->kinds, double);
    z->kind_order = CTW_NEW(z->in->ctx, z->kinds, size_t);
    z->least = CTW_NEW(z->in->ctx, z->r, double);
    z->watts = CTW_NEW(z->in->ctx, (z->in->classes + 1) * z->kinds, double);
    return z->klass && z->take && z->units && z->room && z->spare && z->rank && z->order && z->size && z->kind_order &&
                   z->watts && z->least
               ? CTW_OK
               : CTW_E_NOMEM;
}

/* Values of the kinds: at the prices, and a little by size, so that a resource without a price counts too. */
static void value_kinds(squeezer *z)
{
    ctw_place__packer *p = z->p;
    const ctw_place__market *m = p->m;
    size_t cell = p->pool * z->in->slots + p->slot;
    for (size_t i = 0; i < z->kinds; i++) {
        const double *d = p->demand + i * z->r;
        double size = ctw_place__market_value(m, cell, (size_t)p->flavour[i]);
        for (size_t j = 0; j < z->r; j++) size += 1e-6 * m->high[cell * z->r + j] * d[j];
        z->size[i] = -size;
        for (size_t j = 0; j < z->r; j++) z->least[j] += d[j] / (double)z->kinds;
        for (size_t k = 0; k < z->in->classes; k++) {
            if (z->in->class[k].pool == p->pool)
                z->watts[k * z->kinds + i] = ctw_place__unit_watts(z->in, k, (size_t)p->flavour[i]);
        }
    }
    ctw_num__argsort(z->size, z->kind_order, z->kinds);
    for (size_t i = 0; i < z->kinds; i++) z->size[i] = -z->size[i];
}

/* The patterns as boxes, one for each server, and one for what was left over. */
static void unfold(squeezer *z)
{
    ctw_place__packer *p = z->p;
    size_t at = 0;
    for (size_t x = 0; x < p->patterns; x++) {
        const ctw_place__pattern *y = p->pattern + x;
        for (int32_t q = 0; q < y->times; q++, at++) {
            z->klass[at] = y->class;
            z->spare[at] = z->in->class[y->class].cap_w - z->in->class[y->class].idle;
            for (size_t j = 0; j < z->r; j++) z->room[at * z->r + j] = cap_of(z, y->class, j) * (1 + 1e-12);
            for (size_t i = y->first; i < y->first + y->kinds; i++) {
                size_t kind = 0;
                while (p->flavour[kind] != p->part[i].flavour) kind++;
                change(z, at, kind, p->part[i].count);
            }
        }
    }
    z->klass[at] = z->in->classes;
    z->spare[at] = INFINITY;
    for (size_t j = 0; j < z->r; j++) z->room[at * z->r + j] = INFINITY;
    for (size_t i = 0; i < z->kinds; i++) change(z, at, i, p->left[i]);
}

/* The boxes as patterns, one each. */
static ctw_status fold(squeezer *z)
{
    ctw_place__packer *p = z->p;
    ctw_ctx *ctx = z->in->ctx;
    CTW_TRY(ctw_base__grow(ctx, (void **)&p->pattern, &p->pattern_cap, z->boxes, sizeof *p->pattern));
    size_t parts = 0, servers = z->boxes - 1;
    for (size_t i = 0; i < servers * z->kinds; i++) parts += z->take[i] > 0;
    CTW_TRY(ctw_base__grow(ctx, (void **)&p->part, &p->part_cap, parts, sizeof *p->part));
    p->patterns = p->parts = 0;
    for (size_t i = 0; i < z->kinds; i++) p->left[i] = z->take[servers * z->kinds + i];
    for (size_t s = 0; s < servers; s++) {
        if (z->units[s] == 0) continue;
        ctw_place__pattern *y = p->pattern + p->patterns++;
        y->class = z->klass[s];
        y->times = 1;
        y->first = p->parts;
        for (size_t i = 0; i < z->kinds; i++) {
            if (z->take[s * z->kinds + i] > 0)
                p->part[p->parts++] = (ctw_place__part){p->flavour[i], z->take[s * z->kinds + i]};
        }
        y->kinds = p->parts - y->first;
    }
    return CTW_OK;
}

ctw_status ctw_place__squeeze(ctw_place__packer *p)
{
    squeezer z;
    memset(&z, 0, sizeof z);
    z.p = p;
    z.in = p->m->in;
    z.r = p->m->r;
    z.kinds = p->kinds;
    for (size_t x = 0; x < p->patterns; x++) z.boxes += (size_t)p->pattern[x].times;
    z.boxes++;
    if (z.boxes < 3 || z.boxes > MOST_BOXES || z.boxes * z.kinds > MOST_CELLS) return CTW_OK;
    /* Many cells, or large ones, gain less each. */
    z.most = (int64_t)ALL_WORK / (int64_t)p->m->cells * USUAL_BOXES / (int64_t)z.boxes;
    if (z.most < MOST_WORK / 2) return CTW_OK;
    if (z.most > MOST_WORK) z.most = MOST_WORK;
    ctw_status s = alloc_squeezer(&z);
    if (s == CTW_OK) {
        value_kinds(&z);
        unfold(&z);
    }
    if (s == CTW_OK) s = reduce(&z);
    if (s == CTW_OK) s = fold(&z);
    void *all[] = {z.klass, z.take, z.units,      z.room,  z.spare, z.rank,
                   z.order, z.size, z.kind_order, z.watts, z.least, z.log};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) ctw_base__free(z.in->ctx, all[i]);
    return s;
}
