/* train.c: fitting: the newest quarter of the origins is held out, judges the candidate models and
 * penalties and supplies the conformal scores; the winner is then fitted on all origins. */
#include "forecast/forecast_internal.h"

#include "base/cancel.h"
#include <math.h>
#include <string.h>

#define PENALTIES 4
#define SMOOTHS   3
#define MIN_ROWS  48
#define CLASSIC   (3 + SMOOTHS) /* candidates without a regression */
#define ONLINE    (CLASSIC + PENALTIES)
#define WAYS      (ONLINE + 1)
#define MAX_CAL   400

static const double grid_alpha[SMOOTHS] = {0.2, 0.05, 0.5}; /* weight of a new value in the level */

ctw_forecast__way ctw_forecast__chosen(const ctw_forecast *f)
{
    return (ctw_forecast__way){f->chosen, f->alpha, &f->ridge, &f->rls, &f->climate, &f->blend};
}

ctw_forecast__way ctw_forecast__part(const ctw_forecast__way *w, size_t k)
{
    static const int kind[CTW_FORECAST__PARTS_MIXED] = {CTW_FORECAST__RLS, CTW_FORECAST__SMOOTHING,
                                                        CTW_FORECAST__CLIMATE, CTW_FORECAST__NAIVE};
    ctw_forecast__way part = *w;
    part.kind = kind[k];
    return part;
}

/* The blend: profile plus the weighted deviations of its parts. Each part's forecast stands behind the scratch. */
static void mixed(const ctw_forecast *f, const ctw_forecast__way *w, size_t o, size_t n, const double *exog,
                  double *scratch, double *out)
{
    double *part = scratch + ctw_forecast__room(f, w->m->p);
    for (size_t l = 0; l < n; l++) out[l] = ctw_forecast__hist_base(&f->hist, o, o + l);
    for (size_t k = 0; k < CTW_FORECAST__PARTS_MIXED; k++) {
        ctw_forecast__way one = ctw_forecast__part(w, k);
        ctw_forecast__point(f, &one, o, n, exog, scratch, part);
        for (size_t l = 0; l < n; l++)
            out[l] += ctw_forecast__blend_at(w->blend, l)[k] * (part[l] - ctw_forecast__hist_base(&f->hist, o, o + l));
    }
}

size_t ctw_forecast__room(const ctw_forecast *f, size_t p)
{
    return (p + 1 > f->season ? p + 1 : f->season) + 1;
}

int64_t ctw_forecast__time_of(const ctw_forecast *f, size_t t)
{
    return f->next_s - (int64_t)(f->hist.n - t) * f->step;
}

/* Deviations of the first `direct` leads by a regression, the pattern of the last season fading beyond. */
static void regression(const ctw_forecast *f, const ctw_forecast__way *w, size_t o, size_t n, size_t direct,
                       const double *exog, double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t s = h->season, k = w->m->k;
    for (size_t l = 0; l < n; l++) {
        double dev = 0;
        if (l < direct)
            dev = out[l] + ctw_forecast__lagridge_effect(w->m, h, o + l, exog && k ? exog + l * k : NULL);
        else if (direct >= s && direct)
            dev = (out[l - s] - ctw_forecast__hist_base(h, o, o + l - s)) * 0.8;
        out[l] = ctw_forecast__hist_base(h, o, o + l) + dev;
    }
}

void ctw_forecast__point(const ctw_forecast *f, const ctw_forecast__way *w, size_t o, size_t n, const double *exog,
                         double *scratch, double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t s = h->season, direct = 0;
    switch (w->kind) {
    case CTW_FORECAST__AUTO: mixed(f, w, o, n, exog, scratch, out); return;
    case CTW_FORECAST__SMOOTHING: ctw_forecast__smooth(h, o, n, w->alpha, scratch, out); return;
    case CTW_FORECAST__CLIMATE:
        for (size_t l = 0; l < n; l++)
            out[l] =
                ctw_forecast__climate_at(w->climate, h, o + l, (double)ctw_forecast__time_of(f, 0), (double)f->step);
        return;
    case CTW_FORECAST__NAIVE:
        for (size_t l = 0; l < n; l++) {
            size_t back = o >= s ? o - s + l % s : (o ? o - 1 : 0);
            out[l] = o ? h->z[back] : 0.0;
        }
        return;
    case CTW_FORECAST__RIDGE:
    case CTW_FORECAST__RLS:
        if (!w->m->leads || o < ctw_forecast__lagridge_first(w->m, h)) break;
        direct = n < w->m->leads ? n : w->m->leads;
        if (w->kind == CTW_FORECAST__RLS)
            ctw_forecast__online_predict(w->rls, w->m, h, o, direct, scratch, out);
        else
            ctw_forecast__lagridge_predict(w->m, h, o, direct, scratch, out);
        break;
    default: break;
    }
    regression(f, w, o, n, direct, exog, out);
}

/* The origins that may serve as rows, newest last; those around holes are left out. */
static ctw_status list_rows(ctw_forecast *f, const ctw_forecast__lagridge *shape, size_t **out, size_t *n)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t first = ctw_forecast__lagridge_first(shape, h), s = h->season;
    size_t end = h->n - shape->leads, most = f->max_rows;
    size_t *rows = ctw_base__alloc(f->h.ctx, end > first ? end - first + 1 : 1, sizeof *rows);
    if (!rows) return CTW_E_NOMEM;
    size_t m = 0, holes = 0, span = s + shape->leads;
    if (end >= first && end - first + 1 > most) first = end - most + 1;
    for (size_t t = first - s; t < first + shape->leads && t < h->n; t++) holes += h->hole[t];
    for (size_t o = first; o <= end; o++) {
        if (holes * 4 <= span) rows[m++] = o;
        holes -= h->hole[o - s];
        if (o + shape->leads < h->n) holes += h->hole[o + shape->leads];
    }
    *out = rows;
    *n = m;
    return CTW_OK;
}

typedef struct candidate {
    ctw_forecast__way way;
    double loss;
} candidate;

static double loss_at(const ctw_forecast *f, const ctw_forecast__way *w, size_t o, size_t leads, double *scratch,
                      double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    double sum = 0;
    ctw_forecast__point(f, w, o, leads, h->k ? h->x + o * h->k : NULL, scratch, out);
    for (size_t l = 0; l < leads; l++)
        if (!h->hole[o + l]) sum += fabs(h->z[o + l] - out[l]);
    return sum;
}

/* Sum of absolute errors of each candidate over the calibration origins. */
static ctw_status judge(ctw_forecast *f, candidate *c, size_t nc, const size_t *cal, size_t n, size_t leads,
                        double *scratch, double *out, ctw_cancel *cancel)
{
    for (size_t i = 0; i < n; i++) {
        CTW_TRY(ctw_base__stopped(cancel, "ctw_forecast_fit"));
        for (size_t j = 0; j < nc; j++) c[j].loss += loss_at(f, &c[j].way, cal[i], leads, scratch, out);
    }
    return CTW_OK;
}

/* How much of the ridge's deviation the held-out origins bear out, by groups of leads: least squares,
 * kept between 0 (pure profile) and 1. */
static void learn_trust(const ctw_forecast *f, ctw_forecast__lagridge *m, const size_t *cal, size_t n, double *scratch,
                        double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t group = (h->season + 3) / 4;
    for (size_t g = 0; g < m->leads; g += group) {
        size_t end = g + group < m->leads ? g + group : m->leads;
        double up = 0, down = 1e-12;
        for (size_t i = 0; i < n; i++) {
            ctw_forecast__lagridge_predict(m, h, cal[i], end, scratch, out);
            for (size_t l = g; l < end; l++) {
                size_t t = cal[i] + l;
                if (h->hole[t]) continue;
                double rest = h->z[t] - ctw_forecast__hist_base(h, cal[i], t) -
                              ctw_forecast__lagridge_effect(m, h, t, m->k ? h->x + t * m->k : NULL);
                up += out[l] * rest;
                down += out[l] * out[l];
            }
        }
        double a = up / down;
        for (size_t l = g; l < end; l++) m->trust[l] = a < 0 ? 0 : a > 1 ? 1 : a;
    }
}

/* Which of n calibration origins give a score: every step-th, `*m` in all. */
static size_t score_step(size_t n, size_t *m)
{
    size_t step = (n + MAX_CAL - 1) / MAX_CAL;
    *m = (n + step - 1) / step;
    return step;
}

static ctw_status calibrate(ctw_forecast *f, const candidate *c, const size_t *cal, size_t n, size_t leads,
                            double *scratch, double *out)
{
    size_t m, step = score_step(n, &m);
    CTW_TRY(ctw_forecast__conform_new(f->h.ctx, leads, m, &f->conform));
    for (size_t i = 0; i < m; i++) {
        (void)loss_at(f, &c->way, cal[i * step], leads, scratch, out);
        for (size_t l = 0; l < leads; l++) f->conform.score[l * m + i] = fabs(f->hist.z[cal[i * step] + l] - out[l]);
    }
    ctw_forecast__conform_sort(&f->conform);
    return CTW_OK;
}

double ctw_forecast__forget(const ctw_forecast *f)
{
    return exp2(-(double)f->step / (86400.0 * f->half_life));
}

/* What the ways of the blend say at calibration origins, and what came, as deviations from the profile. */
typedef struct record {
    size_t n, step; /* origins kept: every step-th */
    double *dev, *seen;
} record;

static void note(const ctw_forecast *f, const ctw_forecast__way *w, size_t o, size_t i, size_t leads, record *r,
                 double *scratch, double *out)
{
    const ctw_forecast__hist *h = &f->hist;
    for (size_t k = 0; k < CTW_FORECAST__PARTS_MIXED; k++) {
        ctw_forecast__way part = ctw_forecast__part(w, k);
        (void)loss_at(f, &part, o, leads, scratch, out);
        double *to = r->dev + (i * CTW_FORECAST__PARTS_MIXED + k) * leads;
        for (size_t l = 0; l < leads; l++) to[l] = out[l] - ctw_forecast__hist_base(h, o, o + l);
    }
    for (size_t l = 0; l < leads; l++)
        r->seen[i * leads + l] = h->hole[o + l] ? NAN : h->z[o + l] - ctw_forecast__hist_base(h, o, o + l);
}

/* The recursion from the regression's last row on, judged at each calibration origin before it learns from what
 * follows. */
static ctw_status judge_online(ctw_forecast *f, candidate *c, ctw_forecast__rls *r, size_t from, size_t rows,
                               const size_t *cal, size_t n, double *scratch, double *out, record *kept,
                               ctw_cancel *cancel)
{
    const ctw_forecast__lagridge *m = c->way.m;
    size_t i = 0, first = ctw_forecast__lagridge_first(m, &f->hist);
    CTW_TRY(ctw_forecast__online_start(f->h.ctx, r, m, rows, ctw_forecast__forget(f)));
    c->way.rls = r;
    for (size_t o = from < first ? first : from; i < n && o <= cal[n - 1]; o++) {
        if (o % 256 == 0) CTW_TRY(ctw_base__stopped(cancel, "ctw_forecast_fit"));
        if (r->origin) ctw_forecast__online_learn(r, m, &f->hist, o - 1);
        ctw_forecast__online_origin(r, m, &f->hist, o, scratch);
        if (o != cal[i]) continue;
        if (i % kept->step == 0) note(f, &c->way, o, i / kept->step, m->leads, kept, scratch, out);
        i++;
    }
    return CTW_OK;
}

/* Scores of the blend, or of one of its ways, from the record. */
static ctw_status score_record(ctw_forecast *f, const record *r, const ctw_forecast__blend *b, int only, size_t leads)
{
    CTW_TRY(ctw_forecast__conform_new(f->h.ctx, leads, r->n, &f->conform));
    for (size_t i = 0; i < r->n; i++)
        for (size_t l = 0; l < leads; l++) {
            double sum = 0, y = r->seen[i * leads + l];
            for (int k = 0; k < CTW_FORECAST__PARTS_MIXED; k++) {
                double w = only < 0 ? ctw_forecast__blend_at(b, l)[k] : k == only ? 1.0 : 0.0;
                sum += w * r->dev[(i * CTW_FORECAST__PARTS_MIXED + (size_t)k) * leads + l];
            }
            f->conform.score[l * r->n + i] = isnan(y) ? 0.0 : fabs(y - sum);
        }
    ctw_forecast__conform_sort(&f->conform);
    return CTW_OK;
}

/* The recursion that f goes on with: from the last row of the fit to the end of the history. */
static ctw_status catch_up(ctw_forecast *f, size_t from, size_t rows, double *scratch)
{
    CTW_TRY(ctw_forecast__online_start(f->h.ctx, &f->rls, &f->ridge, rows, ctw_forecast__forget(f)));
    for (size_t o = from; o <= f->hist.n; o++) {
        if (f->rls.origin) ctw_forecast__online_learn(&f->rls, &f->ridge, &f->hist, o - 1);
        ctw_forecast__online_origin(&f->rls, &f->ridge, &f->hist, o, scratch);
    }
    return CTW_OK;
}

/* With too little for a held-out part: errors of the plain profile or last value at every step so far. */
static ctw_status train_short(ctw_forecast *f)
{
    const ctw_forecast__hist *h = &f->hist;
    size_t n = h->n > 1 ? h->n - 1 : 1;
    f->chosen = f->model == CTW_FORECAST__NAIVE ? CTW_FORECAST__NAIVE : CTW_FORECAST__PROFILE;
    ctw_forecast__way w = ctw_forecast__chosen(f);
    CTW_TRY(ctw_forecast__conform_new(f->h.ctx, 1, n, &f->conform));
    for (size_t t = 1; t < h->n; t++) {
        double p;
        ctw_forecast__point(f, &w, t, 1, NULL, NULL, &p);
        f->conform.score[t - 1] = 1.5 * fabs(h->z[t] - p);
    }
    ctw_forecast__conform_sort(&f->conform);
    return CTW_OK;
}

/* The best candidate of a kind. */
static candidate *best(candidate *c, size_t n, int kind)
{
    candidate *w = NULL;
    for (size_t i = 0; i < n; i++)
        if (c[i].way.kind == kind && (!w || c[i].loss < w->loss)) w = &c[i];
    return w;
}

/* What training holds between its steps. */
typedef struct trial {
    ctw_forecast__lagridge shape, base, ridge[PENALTIES];
    ctw_forecast__rls rls;
    ctw_forecast__climate climate;
    record kept;
    candidate c[WAYS];
    size_t np, n_fit, gap;
    const size_t *rows;
    size_t n;
    double *scratch, *out;
} trial;

static void trial_free(ctw_ctx *ctx, trial *t)
{
    for (size_t i = 0; i < PENALTIES; i++) ctw_forecast__lagridge_free(ctx, &t->ridge[i]);
    ctw_forecast__lagridge_free(ctx, &t->base);
    ctw_forecast__rls_free(ctx, &t->rls);
    ctw_forecast__climate_free(ctx, &t->climate);
    ctw_base__free(ctx, t->kept.dev);
    ctw_base__free(ctx, t->scratch);
}

static void list_candidates(trial *t)
{
    const int plain[] = {CTW_FORECAST__NAIVE, CTW_FORECAST__PROFILE, CTW_FORECAST__CLIMATE};
    for (size_t i = 0; i < WAYS; i++) t->c[i].way = (ctw_forecast__way){0, 0, &t->base, &t->rls, &t->climate, NULL};
    for (size_t i = 0; i < 3; i++) t->c[i].way.kind = plain[i];
    for (size_t i = 0; i < SMOOTHS; i++) {
        t->c[3 + i].way.kind = CTW_FORECAST__SMOOTHING;
        t->c[3 + i].way.alpha = grid_alpha[i];
    }
    for (size_t i = 0; i < t->np; i++) {
        t->c[CLASSIC + i].way.kind = CTW_FORECAST__RIDGE;
        t->c[CLASSIC + i].way.m = &t->ridge[i];
    }
}

/* What the host wants of this path; a day model that lacks its days leaves it free. */
static int asks(const ctw_forecast *f)
{
    return f->model >= CTW_FORECAST__DAY ? CTW_FORECAST__AUTO : f->model;
}

/* Fits every candidate on the older rows and judges it on the newer ones. */
static ctw_status compete(ctw_forecast *f, trial *t, ctw_cancel *cancel)
{
    double grid[PENALTIES] = {0.003, 0.03, 0.2, 1.0};
    ctw_ctx *ctx = f->h.ctx;
    const size_t *cal = t->rows + t->n_fit;
    size_t n_cal = t->n - t->n_fit, leads = t->shape.leads, n_rows = t->n_fit - t->gap, last = t->rows[n_rows - 1];
    if (f->lambda > 0) grid[0] = f->lambda;
    t->base = t->shape;
    CTW_TRY(ctw_forecast__lagridge_fit(ctx, &t->base, &f->hist, t->rows, n_rows, grid, t->np, cancel, t->ridge));
    CTW_TRY(ctw_forecast__climate_fit(ctx, &t->climate, &f->hist, last + leads, (double)ctw_forecast__time_of(f, 0),
                                      (double)f->step));
    for (size_t i = 0; i < t->np; i++) learn_trust(f, &t->ridge[i], cal, n_cal, t->scratch, t->out);
    CTW_TRY(judge(f, t->c, CLASSIC + t->np, cal, n_cal, leads, t->scratch, t->out, cancel));
    candidate *ridge = best(t->c, CLASSIC + t->np, CTW_FORECAST__RIDGE), *online = &t->c[CLASSIC + t->np];
    online->way = ridge->way;
    online->way.kind = CTW_FORECAST__RLS;
    online->way.alpha = best(t->c, CLASSIC, CTW_FORECAST__SMOOTHING)->way.alpha;
    if (asks(f) != CTW_FORECAST__AUTO && asks(f) != CTW_FORECAST__RLS) return CTW_OK;
    t->kept.step = score_step(n_cal, &t->kept.n);
    t->kept.dev = CTW_NEW(ctx, (CTW_FORECAST__PARTS_MIXED + 1) * t->kept.n * leads, double);
    if (!t->kept.dev) return CTW_E_NOMEM;
    t->kept.seen = t->kept.dev + CTW_FORECAST__PARTS_MIXED * t->kept.n * leads;
    return judge_online(f, online, &t->rls, last + 1, n_rows, cal, n_cal, t->scratch, t->out, &t->kept, cancel);
}

/* Fits what was asked for on all rows; its scores are those of the held-out part. */
static ctw_status take(ctw_forecast *f, trial *t, ctw_cancel *cancel)
{
    ctw_ctx *ctx = f->h.ctx;
    int kind = asks(f), mix = kind == CTW_FORECAST__AUTO;
    size_t leads = t->shape.leads, all = CLASSIC + t->np;
    const candidate *online = &t->c[all], *w = mix ? online : best(t->c, all + 1, kind);
    f->chosen = kind;
    f->alpha = w->way.alpha;
    if (mix) {
        CTW_TRY(ctw_forecast__blend_alloc(ctx, &f->blend, leads, f->season));
        ctw_forecast__blend_fit(&f->blend, t->kept.dev, t->kept.seen, t->kept.n, leads);
    }
    if (w == online)
        CTW_TRY(score_record(f, &t->kept, &f->blend, mix ? -1 : 0, leads));
    else
        CTW_TRY(calibrate(f, w, t->rows + t->n_fit, t->n - t->n_fit, leads, t->scratch, t->out));
    if (mix || kind == CTW_FORECAST__CLIMATE)
        CTW_TRY(ctw_forecast__climate_fit(ctx, &f->climate, &f->hist, f->hist.n, (double)ctw_forecast__time_of(f, 0),
                                          (double)f->step));
    if (kind != CTW_FORECAST__RIDGE && w != online) return CTW_OK;
    double lambda = w->way.m->lambda;
    CTW_TRY(ctw_forecast__lagridge_fit(ctx, &t->shape, &f->hist, t->rows, t->n, &lambda, 1, cancel, &f->ridge));
    memcpy(f->ridge.trust, w->way.m->trust, leads * sizeof *f->ridge.trust);
    return w == online ? catch_up(f, t->rows[t->n - 1] + 1, t->n, t->scratch) : CTW_OK;
}

static ctw_status train_rows(ctw_forecast *f, trial *t, ctw_cancel *cancel)
{
    size_t room = ctw_forecast__room(f, t->shape.p), leads = t->shape.leads;
    t->np = f->lambda > 0 ? 1 : PENALTIES;
    t->n_fit = t->n - t->n / 4;
    t->gap = leads < t->n_fit / 3 ? leads : t->n_fit / 3;
    t->scratch = CTW_NEW(f->h.ctx, room + leads, double);
    if (!t->scratch) return CTW_E_NOMEM;
    t->out = t->scratch + room;
    list_candidates(t);
    CTW_TRY(compete(f, t, cancel));
    return take(f, t, cancel);
}

ctw_status ctw_forecast__train(ctw_forecast *f, ctw_cancel *cancel)
{
    trial t = {0};
    ctw_forecast__lagridge_shape(&t.shape, &f->hist, f->lags, f->horizon, MIN_ROWS);
    if (!t.shape.leads || f->hist.n < 3 * f->hist.season) return train_short(f);
    size_t *rows = NULL;
    ctw_status st = list_rows(f, &t.shape, &rows, &t.n);
    t.rows = rows;
    if (st == CTW_OK) st = t.n < MIN_ROWS ? train_short(f) : train_rows(f, &t, cancel);
    trial_free(f->h.ctx, &t);
    ctw_forecast__lagridge_free(f->h.ctx, &t.shape);
    ctw_base__free(f->h.ctx, rows);
    return st;
}

/* What a training leaves behind. */
typedef struct result {
    ctw_forecast__lagridge ridge;
    ctw_forecast__rls rls;
    ctw_forecast__climate climate;
    ctw_forecast__blend blend;
    ctw_forecast__conform conform;
    int chosen;
    double alpha;
} result;

static void swap(ctw_forecast *f, result *r)
{
    result old = {f->ridge, f->rls, f->climate, f->blend, f->conform, f->chosen, f->alpha};
    f->ridge = r->ridge;
    f->rls = r->rls;
    f->climate = r->climate;
    f->blend = r->blend;
    f->conform = r->conform;
    f->chosen = r->chosen;
    f->alpha = r->alpha;
    *r = old;
}

ctw_status ctw_forecast__retrain(ctw_forecast *f, ctw_cancel *cancel)
{
    result r = {.alpha = f->alpha};
    swap(f, &r);
    ctw_status s = ctw_forecast__train(f, cancel);
    if (s != CTW_OK) swap(f, &r);
    ctw_forecast__lagridge_free(f->h.ctx, &r.ridge);
    ctw_forecast__rls_free(f->h.ctx, &r.rls);
    ctw_forecast__climate_free(f->h.ctx, &r.climate);
    ctw_forecast__blend_free(f->h.ctx, &r.blend);
    ctw_forecast__conform_free(f->h.ctx, &r.conform);
    return s;
}
