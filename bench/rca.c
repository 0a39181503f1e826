/* rca.c: ctw-bench rca: localisation of labelled faults. Every case has its own localiser with the reference the
 * case names; classifiers are trained on some cases and adopted by the localisers of others. */
#include "commands.h"
#include "rca_data.h"
#include "rca_score.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One thing to rank: a case's fault windows, or one fault-free minute against the other references. */
typedef struct item {
    const rca_case *c;
    ctw_rca *m; /* reference and the item's own labelled rows */
    ctw_calls *window;
    ctw_online *online; /* the same calls, with --window online */
    int faulty;
    size_t group; /* case number: items of one case stay in one fold */
} item;

typedef struct items {
    item *at;
    size_t n;
} items;

static ctw_rca *localiser(bench *b, const char *features)
{
    ctw_params *p;
    ctw_rca *m;
    bench_ok(ctw_params_new(b->ctx, "rca", &p), "params");
    bench_params(b, p);
    if (features) bench_ok(ctw_params_set_str(p, "features", features), "features");
    bench_ok(ctw_rca_new(b->ctx, p, &m), "rca");
    ctw_params_unref(p);
    return m;
}

static void add_item(items *all, const rca_set *s, size_t g, const size_t *window, size_t n, int faulty,
                     ctw_calls **cache)
{
    const rca_case *c = &s->cases[g];
    item *it = &all->at[all->n];
    *it = (item){.c = c, .m = localiser(s->b, NULL), .window = rca_calls(s, window, n), .faulty = faulty, .group = g};
    for (size_t i = 0; i < c->reference.n; i++) {
        size_t w = c->reference.window[i];
        if (!faulty && w == window[0]) continue;
        if (!cache[w]) cache[w] = rca_calls(s, &w, 1);
        bench_ok(ctw_rca_learn(it->m, cache[w], NULL), c->name);
    }
    if (ctw_calls_count(it->window) && ctw_rca_windows(it->m)) {
        bench_ok(ctw_rca_add_case(it->m, it->window, &c->culprit, faulty ? 1 : 0), c->name);
        if (strcmp(bench_str(s->b, "--window", "calls"), "online") == 0) {
            bench_ok(ctw_online_new(s->b->ctx, NULL, &it->online), "online");
            bench_ok(ctw_online_add(it->online, it->window, NULL), c->name);
        }
        all->n++;
    } else {
        ctw_calls_unref(it->window);
        ctw_rca_unref(it->m);
    }
}

static items prepare(const rca_set *s)
{
    size_t count = 0;
    for (size_t g = 0; g < s->n_cases; g++) count += 1 + s->cases[g].before.n;
    items all = {bench_alloc(count + 1, sizeof(item)), 0};
    ctw_calls **cache = bench_alloc(s->n_windows + 1, sizeof *cache);
    for (size_t g = 0; g < s->n_cases; g++) {
        const rca_case *c = &s->cases[g];
        if (c->fault_windows.n) add_item(&all, s, g, c->fault_windows.window, c->fault_windows.n, 1, cache);
        for (size_t i = 0; i < c->before.n; i++) add_item(&all, s, g, &c->before.window[i], 1, 0, cache);
    }
    for (size_t i = 0; i < s->n_windows; i++) ctw_calls_unref(cache[i]);
    free(cache);
    return all;
}

static void release(items *all)
{
    for (size_t i = 0; i < all->n; i++) {
        ctw_rca_unref(all->at[i].m);
        ctw_calls_unref(all->at[i].window);
        ctw_online_unref(all->at[i].online);
    }
    free(all->at);
}

/* Ranks one item by the trained classifier (NULL: without labels) and scores the answer. */
static void judge(const item *it, const ctw_rca *trained, rca_score *score)
{
    ctw_ranking *r;
    if (trained) bench_ok(ctw_rca_adopt(it->m, trained), "adopt");
    double t = bench_cpu_s();
    if (it->online)
        bench_ok(ctw_rca_rank_online(it->m, it->online, NULL, &r), it->c->name);
    else
        bench_ok(ctw_rca_rank(it->m, it->window, NULL, &r), it->c->name);
    rca_score_time(score, bench_cpu_s() - t);
    rca_score_add(score, r, it->c, it->faulty);
    ctw_ranking_unref(r);
}

/* A classifier from the items of the given application (NULL: all), except those of fold `but`. */
static ctw_rca *train(bench *b, const items *all, const char *features, const char *app, const size_t *fold, size_t but)
{
    ctw_rca *m = localiser(b, features);
    for (size_t i = 0; i < all->n; i++) {
        const item *it = &all->at[i];
        if ((app && strcmp(it->c->app, app) != 0) || (fold && fold[it->group] == but)) continue;
        bench_ok(ctw_rca_add_cases(m, it->m), it->c->name);
    }
    bench_ok(ctw_rca_fit(m, NULL), "fit");
    return m;
}

static double ingest_rate[8];

static void print_line(bench *b, const rca_set *set, size_t app, const char *features, const char *protocol,
                       const rca_score *s)
{
    bench_begin(b);
    bench_out_str("app", set->app[app]);
    bench_out_str("features", features);
    bench_out_str("protocol", protocol);
    rca_score_print(s);
    bench_out_f64("ingest_spans_per_s", ingest_rate[app]);
}

static void heldout(bench *b, const items *tr, const items *te, const rca_set *test, const char *features)
{
    int none = strcmp(features, "none") == 0;
    ctw_rca *m = none ? NULL : train(b, tr, features, NULL, NULL, 0);
    for (size_t a = 0; a < test->n_apps; a++) {
        rca_score s = {0};
        for (size_t i = 0; i < te->n; i++)
            if (strcmp(te->at[i].c->app, test->app[a]) == 0) judge(&te->at[i], m, &s);
        print_line(b, test, a, features, "heldout", &s);
        bench_end();
        rca_score_free(&s);
    }
    ctw_rca_unref(m);
}

/* A classifier from elsewhere, say from an injection campaign, on all items. */
static void given(bench *b, const items *all, const rca_set *set, const char *path)
{
    ctw_rca *m;
    bench_ok(ctw_rca_load_file(b->ctx, path, &m), path);
    for (size_t a = 0; a < set->n_apps; a++) {
        rca_score s = {0};
        for (size_t i = 0; i < all->n; i++)
            if (strcmp(all->at[i].c->app, set->app[a]) == 0) judge(&all->at[i], m, &s);
        print_line(b, set, a, path, "given", &s);
        bench_end();
        rca_score_free(&s);
    }
    ctw_rca_unref(m);
}

static void cross(bench *b, const items *all, const rca_set *set, const char *features)
{
    for (size_t from = 0; from < set->n_apps; from++) {
        ctw_rca *m = train(b, all, features, set->app[from], NULL, 0);
        for (size_t to = 0; to < set->n_apps; to++) {
            rca_score s = {0};
            if (to == from) continue;
            for (size_t i = 0; i < all->n; i++)
                if (strcmp(all->at[i].c->app, set->app[to]) == 0) judge(&all->at[i], m, &s);
            print_line(b, set, to, features, "cross", &s);
            bench_out_str("trained_on", set->app[from]);
            bench_end();
            rca_score_free(&s);
        }
        ctw_rca_unref(m);
    }
}

/* Cases to folds, shuffled by a small generator of the bench's own. */
static size_t *make_folds(const rca_set *s, size_t folds, int64_t seed)
{
    size_t *fold = bench_alloc(s->n_cases + 1, sizeof *fold), *order = bench_alloc(s->n_cases + 1, sizeof *order);
    uint64_t x = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < s->n_cases; i++) order[i] = i;
    for (size_t i = s->n_cases; i > 1; i--) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        size_t j = (size_t)(x >> 33) % i, t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; i < s->n_cases; i++) fold[order[i]] = i % folds;
    free(order);
    return fold;
}

static void crossval(bench *b, const items *all, const rca_set *set, const char *features, size_t folds, int64_t seed)
{
    size_t *fold = make_folds(set, folds, seed);
    rca_score s[8] = {{0}};
    for (size_t f = 0; f < folds; f++) {
        ctw_rca *m = strcmp(features, "none") == 0 ? NULL : train(b, all, features, NULL, fold, f);
        for (size_t i = 0; i < all->n; i++)
            for (size_t a = 0; a < set->n_apps; a++)
                if (fold[all->at[i].group] == f && strcmp(all->at[i].c->app, set->app[a]) == 0)
                    judge(&all->at[i], m, &s[a]);
        ctw_rca_unref(m);
    }
    for (size_t a = 0; a < set->n_apps; a++) {
        print_line(b, set, a, features, "crossval", &s[a]);
        bench_out_i64("seed", seed);
        bench_end();
        rca_score_free(&s[a]);
    }
    free(fold);
}

/* Life of a host: each case is ranked by what the cases before it taught, then learned. Evidence alone
 * serves until both kinds of rows were seen. */
static void prequential(bench *b, const items *all, const rca_set *set, const char *features, int retrain)
{
    enum { WARM_UP = 5 };
    ctw_rca *m = localiser(b, features);
    rca_score s[8] = {{0}};
    double fit_s = 0, fits = 0;
    for (size_t i = 0; i < all->n; i++) {
        const item *it = &all->at[i];
        for (size_t a = 0; a < set->n_apps; a++)
            if (it->group >= WARM_UP && strcmp(it->c->app, set->app[a]) == 0) judge(it, m, &s[a]);
        bench_ok(ctw_rca_add_cases(m, it->m), it->c->name);
        double t = bench_cpu_s();
        ctw_status st = retrain ? ctw_rca_fit(m, NULL) : ctw_rca_update(m, NULL);
        if (st != CTW_OK && (st != CTW_E_STATE || it->group >= WARM_UP)) bench_ok(st, "fit");
        fit_s += bench_cpu_s() - t;
        fits++;
    }
    for (size_t a = 0; a < set->n_apps; a++) {
        print_line(b, set, a, features, retrain ? "prequential-retrain" : "prequential", &s[a]);
        bench_out_f64("update_ms", 1e3 * fit_s / fits);
        bench_end();
        rca_score_free(&s[a]);
    }
    ctw_rca_unref(m);
}

static void run_protocols(bench *b, const items *tr, const rca_set *train_set, const items *te, const rca_set *test_set,
                          const char *features)
{
    int64_t first, last;
    size_t folds = (size_t)bench_i64(b, "--folds", 5);
    bench_seeds(b, &first, &last);
    if (test_set) heldout(b, tr, te, test_set, features);
    if (bench_flag(b, "--cross") && strcmp(features, "none") != 0) cross(b, tr, train_set, features);
    for (int retrain = 0; retrain < 2; retrain++)
        if (bench_flag(b, "--prequential") && strcmp(features, "none") != 0)
            prequential(b, tr, train_set, features, retrain);
    if (!test_set)
        for (int64_t seed = first; seed <= last; seed++) crossval(b, tr, train_set, features, folds, seed);
}

int bench_rca(bench *b)
{
    const char *dir = bench_need(b, "--train"), *test = bench_str(b, "--test", NULL);
    const char *input = bench_str(b, "--input", "calls"), *features = bench_str(b, "--features", "auto");
    int64_t first, last;
    int spans = strcmp(input, "spans") == 0;
    if (!spans && strcmp(input, "calls") != 0) bench_die(2, "--input must be calls or spans");
    if (bench_i64(b, "--folds", 5) < 2) bench_die(2, "--folds must be at least 2");
    bench_str(b, "--window", "calls");
    const char *classifier = bench_str(b, "--classifier", NULL);
    bench_seeds(b, &first, &last);
    bench_flag(b, "--cross");
    bench_flag(b, "--prequential");
    bench_nth(b, "--set", 0);
    bench_no_more(b);
    rca_set *train_set = rca_load(b, dir, spans), *test_set = test ? rca_load(b, test, spans) : NULL;
    items tr = prepare(train_set), te = test_set ? prepare(test_set) : (items){0};
    rca_ingest(b, test_set ? test : dir, test_set ? test_set : train_set, ingest_rate);
    run_protocols(b, &tr, train_set, &te, test_set, "none"); /* first: the others leave classifiers behind */
    if (strcmp(features, "none") != 0) run_protocols(b, &tr, train_set, &te, test_set, features);
    if (strcmp(features, "firm") != 0) run_protocols(b, &tr, train_set, &te, test_set, "firm");
    if (classifier) given(b, &tr, train_set, classifier);
    release(&tr);
    if (test_set) release(&te);
    rca_free(train_set);
    if (test_set) rca_free(test_set);
    return 0;
}
