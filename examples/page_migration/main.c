/* page_migration: a policy that decides, once an epoch, how many hot pages to fetch from a remote memory, as INDIGO
 * does in a kernel (ICS 2025). A process with bursts of hot pages runs on a machine with little local memory; fetching
 * pages makes later accesses local, but takes the network that the remote accesses need. The policy is a LinUCB bandit
 * whose arms are described by the share they fetch; beside it: never, always, and a threshold on the network's use.
 *
 * Usage: page_migration [EPOCHS [SEED]]; means over five seeds from SEED on. */
#include <cybertwin/bandit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 2048, LOCAL = 512, ARMS = 5, DIMS = 6, TRAITS = 3, ACCESSES = 20000, LATER = 6 };
static const double share[ARMS] = {0, 0.0625, 0.25, 0.5, 1};

typedef struct machine {
    uint64_t random;
    double heat[PAGES]; /* accesses of an epoch, a decayed mean: what sampling would show */
    int local[PAGES], burst_left, burst_length;
    int hot[LOCAL];     /* pages of the present burst */
    int fetched[PAGES]; /* by the choice of which of the last epochs; -1: none of them */
    double gain[LATER]; /* what those choices have saved less what they cost, ns an access */
    double net;         /* the network's use by others */
} machine;

static double uniform(machine *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (double)(m->random >> 11) * 0x1p-53;
}

static void new_burst(machine *m)
{
    m->burst_length = m->burst_left = 1 + (int)(24 * uniform(m) * uniform(m));
    for (int i = 0; i < LOCAL; i++) m->hot[i] = (int)(PAGES * uniform(m));
}

/* Share of the hot accesses that are remote now. */
static double remote_hot(const machine *m)
{
    double away = 0, all = 1e-9;
    for (int i = 0; i < PAGES; i++) {
        double h = m->heat[i] > 4 ? m->heat[i] : 0;
        all += h;
        away += m->local[i] ? 0 : h;
    }
    return away / all;
}

static int by_heat(const void *a, const void *b)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    return *x < *y ? 1 : *x > *y ? -1 : x < y ? -1 : 1;
}

/* Fetches the hottest of the hot remote pages, and puts the coldest local ones out for them. */
static int migrate(machine *m, double part, int now)
{
    const double *order[PAGES];
    int want = 0, moved = 0, cold = PAGES - 1;
    for (int i = 0; i < PAGES; i++) {
        order[i] = &m->heat[i];
        if (m->fetched[i] == now) m->fetched[i] = -1; /* too long ago to be counted */
    }
    qsort(order, PAGES, sizeof *order, by_heat);
    for (int i = 0; i < LOCAL; i++) want += !m->local[order[i] - m->heat] && *order[i] > 4;
    want = (int)(part * want + 0.5);
    for (int i = 0; i < LOCAL && moved < want; i++) {
        size_t in = (size_t)(order[i] - m->heat), out;
        if (m->local[in]) continue;
        while (!m->local[order[cold] - m->heat]) cold--;
        out = (size_t)(order[cold] - m->heat);
        m->local[out] = 0;
        m->fetched[out] = -1;
        m->local[in] = 1;
        m->fetched[in] = now;
        moved++;
    }
    return moved;
}

/* One epoch; mean nanoseconds of an access. A hit on a fetched page is to the credit of the choice that fetched it. */
static double live(machine *m, int moved, int now)
{
    int count[PAGES] = {0}, away = 0;
    double busy, hits[LATER] = {0}, remote;
    if (m->burst_left-- <= 0) new_burst(m);
    for (int i = 0; i < ACCESSES; i++) { /* nine of ten go to the burst's pages, some of these much more than others */
        double u = uniform(m);
        int p = uniform(m) < 0.9 ? m->hot[(int)(LOCAL * u * u)] : (int)(PAGES * u);
        count[p]++;
        away += !m->local[p];
        if (m->fetched[p] >= 0) hits[m->fetched[p]]++;
    }
    for (int i = 0; i < PAGES; i++) m->heat[i] = 0.5 * m->heat[i] + 0.5 * count[i];
    m->net += 0.1 * (uniform(m) - 0.5) + 0.02 * (0.4 - m->net);
    m->net = m->net < 0 ? 0 : m->net > 0.9 ? 0.9 : m->net;
    busy = m->net + 0.2 * away / ACCESSES + 0.6 * moved / LOCAL; /* a page is 64 lines, and a shootdown */
    busy = busy > 0.9 ? 0.9 : busy;
    remote = 400.0 / (1 - busy);
    m->gain[now] = -moved * 40000.0 / (1 - busy) / ACCESSES;
    for (int k = 0; k < LATER; k++) m->gain[k] += hits[k] * (remote - 90.0) / ACCESSES;
    return (90.0 * (ACCESSES - away) + away * remote + moved * 40000.0 / (1 - busy)) / ACCESSES;
}

static void look(const machine *m, double *x)
{
    double away = remote_hot(m), age = (double)(m->burst_length - m->burst_left) / 10;
    const double v[DIMS] = {1, m->net, away, away * m->net, away / (1.1 - m->net), age > 1 ? 1 : age};
    memcpy(x, v, sizeof v);
}

static void must(ctw_status s, const char *what)
{
    if (s == CTW_OK) return;
    fprintf(stderr, "%s: %s\n", what, ctw_error_message());
    exit(1);
}

static ctw_bandit *new_policy(ctw_ctx *ctx)
{
    ctw_params *p;
    ctw_bandit *b;
    double t[ARMS][TRAITS];
    must(ctw_params_new(ctx, "bandit", &p), "options");
    must(ctw_params_set_i64(p, "arms", ARMS), "arms");
    must(ctw_params_set_i64(p, "dims", DIMS), "dims");
    must(ctw_params_set_f64(p, "width", 3), "width");
    must(ctw_bandit_new(ctx, p, &b), "bandit");
    ctw_params_unref(p);
    for (int k = 0; k < ARMS; k++) {
        t[k][0] = 1;
        t[k][1] = share[k];
        t[k][2] = share[k] * share[k];
    }
    must(ctw_bandit_set_arms(b, t[0], ARMS, TRAITS), "set_arms");
    return b;
}

/* Mean access time under a policy: 0 never, 1 always, 2 threshold, 3 the bandit. */
static double run(int policy, int epochs, uint64_t seed)
{
    machine *m = calloc(1, sizeof *m);
    ctw_ctx *ctx = NULL;
    ctw_bandit *b = NULL;
    double sum = 0, x[LATER][DIMS];
    int64_t arm[LATER] = {0};
    if (!m) exit(1);
    must(ctw_ctx_new(NULL, NULL, &ctx), "context");
    if (policy == 3) b = new_policy(ctx);
    m->random = seed * 0x9e3779b97f4a7c15u + 1;
    m->net = 0.4;
    for (int i = 0; i < LOCAL; i++) m->local[i] = 1;
    for (int i = 0; i < PAGES; i++) m->fetched[i] = -1;
    new_burst(m);
    for (int e = 0; e < epochs; e++) {
        int now = e % LATER, first = (e + 1) % LATER; /* the choice LATER - 1 epochs ago */
        arm[now] = policy == 1 ? ARMS - 1 : policy == 2 && m->net < 0.5 ? 3 : 0;
        look(m, x[now]);
        if (b) must(ctw_bandit_choose(b, x[now], DIMS, NULL, &arm[now]), "choose");
        sum += live(m, migrate(m, share[arm[now]], now), now);
        if (b && e + 1 >= LATER) /* a fetch pays later than it costs */
            must(ctw_bandit_update(b, arm[first], x[first], DIMS, m->gain[first] / 1000), "update");
    }
    ctw_bandit_unref(b);
    ctw_ctx_unref(ctx);
    free(m);
    return sum / epochs;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"never", "always", "threshold", "bandit"};
    int epochs = argc > 1 ? atoi(argv[1]) : 4000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (epochs < 1 || epochs > 1000000) {
        fprintf(stderr, "page_migration: epochs must be 1..1000000\n");
        return 2;
    }
    for (int k = 0; k < 4; k++) {
        double mean = 0;
        for (uint64_t s = seed; s < seed + 5; s++) mean += run(k, epochs, s) / 5;
        printf("%-10s %6.0f ns an access\n", names[k], mean);
    }
    return 0;
}
