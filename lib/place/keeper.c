/* keeper.c: seats of one slot: sitting down and getting up, the best running server for a guest, and exchanges: up to
 * three guests of a server go elsewhere so that a larger one fits, which saves opening a server for it. */
#include "place/keeper.h"
#include <math.h>

enum { MOST_LOOKS = 1024, MOST_GOING = 5 }; /* servers looked at per class; guests that go for one */

/* Guest g sits down; its demand is counted unless it was already. */
void ctw_place__seat(ctw_place__keeper *k, size_t g, size_t t, int32_t server, int counted)
{
    ctw_place__guest *x = k->guest + g;
    *x->at = server;
    x->next = k->head[server];
    k->head[server] = (int32_t)g;
    if (!counted) ctw_place__state_put(&k->st, t, server, (size_t)x->flavour);
}

void ctw_place__unseat(ctw_place__keeper *k, size_t g, size_t t)
{
    ctw_place__guest *x = k->guest + g;
    int32_t *at = k->head + *x->at;
    while (*at != (int32_t)g) at = &k->guest[*at].next;
    *at = x->next;
    ctw_place__state_take(&k->st, t, *x->at, (size_t)x->flavour);
}

int ctw_place__takes(const ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t server)
{
    int32_t there = 0;
    if (!(x->pools >> k->in->class[k->in->class_of[server]].pool & 1)) return 0;
    if (!ctw_place__state_fits(&k->st, t, server, (size_t)x->flavour)) return 0;
    if (x->limit <= 0) return 1;
    for (int32_t g = k->head[server]; g >= 0; g = k->guest[g].next) there += k->guest[g].owner == x->owner;
    return there < x->limit;
}

/* How full and how evenly filled the server would be. */
static double score_of(const ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t server)
{
    const ctw_place__inst *in = k->in;
    const double *use = k->st.use + (t * in->servers + (size_t)server) * in->r,
                 *d = ctw_place__demand(in, (size_t)x->flavour);
    const double *cap = in->cap + (size_t)in->class_of[server] * in->r;
    double lo = INFINITY, hi = 0;
    for (size_t j = 0; j < in->r; j++) {
        if (cap[j] <= 0 || k->idle[j]) continue;
        double f = (use[j] + d[j]) / cap[j];
        lo = fmin(lo, f);
        hi = fmax(hi, f);
    }
    return hi - k->lopsided * (hi - lo);
}

/* The tightest of the running servers that take the guest, among those of the class that draws least for it. */
int32_t ctw_place__tightest(ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t except, int closed)
{
    const ctw_place__inst *in = k->in;
    int32_t best = -1;
    double least = INFINITY, fullest = -INFINITY;
    for (size_t c = 0; c < in->classes; c++) {
        if (!(x->pools >> in->class[c].pool & 1)) continue;
        double watts = ctw_place__gram(in, c, t) * ctw_place__unit_watts(in, c, (size_t)x->flavour);
        int32_t n = k->st.room[t * in->classes + c], looks = n < MOST_LOOKS ? n : MOST_LOOKS;
        const int32_t *order = k->st.order + t * in->servers + in->class[c].first;
        if (watts > least * (1 + 1e-9)) continue;
        for (int32_t i = 0; i < looks; i++) {
            int32_t s = order[(k->turn + (size_t)i) % (size_t)n];
            if (s == except || k->closed[s] != closed || !ctw_place__takes(k, x, t, s)) continue;
            double fill = score_of(k, x, t, s);
            if (watts >= least * (1 - 1e-9) && fill <= fullest) continue;
            best = s;
            least = watts;
            fullest = fill;
        }
    }
    return best;
}

/* Guests of a server that could go elsewhere, so that another takes their place. */
typedef struct swap {
    int32_t guest[MOST_GOING], n;
    int64_t cost; /* those of them whose move counts */
} swap;

/* Would x fit on the server without the guests of w, and without y? */
static int takes_for(const ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t server, const swap *w,
                     const ctw_place__guest *y)
{
    const ctw_place__inst *in = k->in;
    size_t c = (size_t)in->class_of[server], at = t * in->servers + (size_t)server;
    const double *d = ctw_place__demand(in, (size_t)x->flavour), *cap = in->cap + c * in->r;
    for (size_t j = 0; j < in->r; j++) {
        double use = k->st.use[at * in->r + j] + d[j];
        for (int32_t i = 0; i < w->n; i++) use -= ctw_place__demand(in, (size_t)k->guest[w->guest[i]].flavour)[j];
        if (y) use -= ctw_place__demand(in, (size_t)y->flavour)[j];
        if (use > cap[j]) return 0;
    }
    return 1;
}

/* Where one like y would go, other than `server`; looked up once per flavour and search. */
static int has_way_out(ctw_place__keeper *k, const ctw_place__guest *y, size_t t, int32_t server)
{
    int32_t *to = k->dest + y->flavour;
    if (*to == -2) *to = ctw_place__tightest(k, y, t, -1, 0);
    return *to >= 0 && *to != server && (y->pools >> k->in->class[k->in->class_of[*to]].pool & 1);
}

static int is_going(const swap *w, int32_t g)
{
    for (int32_t i = 0; i < w->n; i++) {
        if (w->guest[i] == g) return 1;
    }
    return 0;
}

/* The guest that goes next: the smallest that makes enough room, else the largest. -1: nobody can. */
static int32_t next_to_go(ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t server, const swap *w,
                          int *enough)
{
    int32_t best = -1;
    *enough = 0;
    for (int32_t g = k->head[server]; g >= 0; g = k->guest[g].next) {
        const ctw_place__guest *y = k->guest + g;
        if (y->limit > 0 || k->size[y->flavour] >= k->size[x->flavour] || is_going(w, g)) continue;
        if (!has_way_out(k, y, t, server)) continue;
        int makes = takes_for(k, x, t, server, w, y);
        double size = k->size[y->flavour], have = best >= 0 ? k->size[k->guest[best].flavour] : 0;
        if (best >= 0 && (makes < *enough || (makes ? size >= have : size <= have))) continue;
        if (makes > *enough) *enough = 1;
        best = g;
    }
    return best;
}

static int plan_swap(ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int32_t server, int64_t allowed,
                     swap *w)
{
    int enough = 0;
    w->n = 0;
    w->cost = 0;
    while (!enough && w->n < MOST_GOING) {
        int32_t g = next_to_go(k, x, t, server, w, &enough);
        if (g < 0) return 0;
        w->guest[w->n++] = g;
        w->cost += k->guest[g].kept;
        if (w->cost > allowed) return 0;
    }
    return enough;
}

/* Some servers are looked at for the exchange with fewest moves that count. */
static int32_t find_swap(ctw_place__keeper *k, const ctw_place__guest *x, size_t t, int64_t allowed, swap *best)
{
    const ctw_place__inst *in = k->in;
    int32_t server = -1;
    for (size_t f = 0; f < in->flavours; f++) k->dest[f] = -2;
    for (size_t c = 0; c < in->classes && allowed >= 0; c++) {
        int32_t n = k->st.on[t * in->classes + c], looks = n < MOST_LOOKS ? n : MOST_LOOKS;
        const int32_t *order = k->st.order + t * in->servers + in->class[c].first;
        if (!(x->pools >> in->class[c].pool & 1) || !ctw_place__fits_empty(in, c, (size_t)x->flavour)) continue;
        for (int32_t i = 0; i < looks; i++) {
            int32_t s = order[(k->turn + (size_t)i) % (size_t)n];
            swap w;
            if (k->closed[s] || !plan_swap(k, x, t, s, allowed, &w)) continue;
            *best = w;
            server = s;
            if (w.cost == 0) return server;
            allowed = w.cost - 1;
        }
    }
    return server;
}

/* A server for x by moving guests away from it; -1 when there is none. */
int32_t ctw_place__exchange(ctw_place__keeper *k, const ctw_place__guest *x, size_t t)
{
    swap w;
    if (x->limit > 0) return -1;
    int32_t server = find_swap(k, x, t, (int64_t)(k->most * (double)k->placements) - k->moves, &w), n = 0;
    for (; server >= 0 && n < w.n; n++) {
        int32_t to = ctw_place__tightest(k, k->guest + w.guest[n], t, server, 0);
        if (to < 0) break;
        ctw_place__unseat(k, (size_t)w.guest[n], t);
        ctw_place__seat(k, (size_t)w.guest[n], t, to, 0);
    }
    if (server < 0 || (n == w.n && ctw_place__takes(k, x, t, server))) {
        for (int32_t i = 0; server >= 0 && i < n; i++) {
            k->moves += k->guest[w.guest[i]].kept;
            k->guest[w.guest[i]].kept = 0;
        }
        return server;
    }
    while (n-- > 0) {
        ctw_place__unseat(k, (size_t)w.guest[n], t);
        ctw_place__seat(k, (size_t)w.guest[n], t, server, 0);
    }
    return -1;
}
