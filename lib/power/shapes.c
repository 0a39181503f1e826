/* shapes.c: completing a load curve from similar machines. Nearest neighbours rather than a parametric form,
 * because curves come in families (power management of a generation) that no few-parameter form holds at once;
 * averaging the nearest eight and bending the result through what was measured needs no training. */
#include "power/shapes_internal.h"

#include "base/ctx.h"
#include "num/sort.h"
#include "power/power_params.h"
#include <math.h>
#include <string.h>

enum { GRID = CTW_SHAPES_GRID };

/* Weight of a difference in g at a measured level against a difference of one standard deviation in a feature. */
static const double level_weight = 8.0;
/* Keeps one near-identical machine from deciding alone. */
static const double softening = 0.3;

static void destroy(ctw_shapes *s)
{
    ctw_base__free(s->h.ctx, s->rows);
    ctw_params_unref(s->params);
}

CTW_DEFINE_REFS(ctw_shapes, destroy)

ctw_status ctw_shapes_new(ctw_ctx *ctx, const ctw_params *params, ctw_shapes **out)
{
    static const char *fn = "ctw_shapes_new";
    CTW_TRY(ctw_base__need(out, fn, "out"));
    *out = NULL;
    CTW_TRY(ctw_base__ctx_check(ctx, fn));
    CTW_TRY(ctw_base__params_check(params, &ctw_shapes__kind, fn));
    ctw_shapes *s = ctw_base__handle_new(ctx, sizeof *s, CTW_SHAPES_MAGIC);
    if (!s) return CTW_E_NOMEM;
    s->neighbours = (size_t)ctw_base__opt_i64(params, &ctw_shapes__kind, "neighbours");
    ctw_status st = ctw_base__params_copy(ctx, params, &ctw_shapes__kind, &s->params);
    if (st != CTW_OK) {
        ctw_shapes_unref(s);
        return st;
    }
    *out = s;
    return CTW_OK;
}

uint64_t ctw_shapes_count(const ctw_shapes *s)
{
    return s ? s->n : 0;
}

static ctw_status check_curve(const ctw_shapes *s, const double *features, uint64_t d, const double *util,
                              const double *watts, uint64_t n, const char *fn)
{
    CTW_TRY(ctw_base__in_u64(d, 0, CTW_SHAPES_FEATURES, fn, "d"));
    if (s->fixed_d && d != s->d)
        return ctw_base__fail(CTW_E_SHAPE, "%s: d is %llu, the first machine had %zu features", fn,
                              (unsigned long long)d, s->d);
    CTW_TRY(ctw_base__need_n(features, d, fn, "features"));
    CTW_TRY(ctw_base__all_in(features, d, 1, -1e12, 1e12, fn, "features"));
    CTW_TRY(ctw_base__in_u64(n, 2, CTW_POWER_KNOTS, fn, "n"));
    CTW_TRY(ctw_base__need(util, fn, "util"));
    CTW_TRY(ctw_base__need(watts, fn, "watts"));
    CTW_TRY(ctw_base__all_in(util, n, 1, 0.0, 1.25, fn, "util"));
    CTW_TRY(ctw_base__all_in(watts, n, 1, 1e-12, 1e9, fn, "watts"));
    if (util[0] > 0.0 || util[n - 1] < 0.98)
        return ctw_base__fail(CTW_E_RANGE, "%s: util goes from %g to %g, must go from 0 to at least 0.98", fn, util[0],
                              util[n - 1]);
    for (uint64_t i = 1; i < n; i++)
        if (util[i] - util[i - 1] < 1e-9)
            return ctw_base__fail(CTW_E_RANGE, "%s: util[%llu] is %g, must be above the one before", fn,
                                  (unsigned long long)i, util[i]);
    if (!(watts[n - 1] > watts[0]))
        return ctw_base__fail(CTW_E_RANGE, "%s: full load (%g W) must draw more than idle (%g W)", fn, watts[n - 1],
                              watts[0]);
    return CTW_OK;
}

/* The curve on the grid, 0 at idle and 1 at full load. */
static void to_grid(const double *util, const double *watts, size_t n, double grid[GRID])
{
    ctw_power__curve c = {.n = n};
    for (size_t i = 0; i < n; i++) {
        c.x[i] = util[i] / util[n - 1];
        c.y[i] = fmin(fmax((watts[i] - watts[0]) / (watts[n - 1] - watts[0]), 0.0), 1.0);
    }
    ctw_power__isotonic(c.y, NULL, n);
    ctw_power__curve_slopes(&c);
    for (int k = 0; k < GRID; k++) grid[k] = ctw_power__curve_at(&c, (double)k / (GRID - 1));
}

ctw_status ctw_shapes__reserve(ctw_shapes *s, size_t n, size_t d)
{
    size_t width = d + 1 + GRID, cap = s->cap * width;
    CTW_TRY(ctw_base__grow(s->h.ctx, (void **)&s->rows, &cap, n * width, sizeof *s->rows));
    s->cap = cap / width;
    s->d = d;
    s->fixed_d = 1;
    return CTW_OK;
}

void ctw_shapes__append(ctw_shapes *s, const double *row)
{
    size_t width = s->d + 1 + GRID;
    memcpy(s->rows + s->n * width, row, width * sizeof *row);
    s->n++;
    for (size_t j = 0; j <= s->d; j++) {
        double delta = row[j] - s->mean[j];
        s->mean[j] += delta / (double)s->n;
        s->m2[j] += delta * (row[j] - s->mean[j]);
    }
}

static ctw_status add(ctw_shapes *s, const double *features, size_t d, const double *util, const double *watts,
                      size_t n)
{
    double row[CTW_SHAPES_FEATURES + 1 + GRID];
    CTW_TRY(ctw_shapes__reserve(s, s->n + 1, d));
    if (d) memcpy(row, features, d * sizeof *row);
    row[d] = watts[0] / watts[n - 1];
    to_grid(util, watts, n, row + d + 1);
    ctw_shapes__append(s, row);
    return CTW_OK;
}

ctw_status ctw_shapes_add(ctw_shapes *s, const double *features, uint64_t d, const double *util, const double *watts,
                          uint64_t n)
{
    static const char *fn = "ctw_shapes_add";
    CTW_TRY(ctw_base__handle_enter(s ? &s->h : NULL, CTW_SHAPES_MAGIC, fn, "s"));
    ctw_status st = check_curve(s, features, d, util, watts, n, fn);
    if (st == CTW_OK) st = add(s, features, d, util, watts, n);
    ctw_base__handle_leave(&s->h);
    return st;
}

/* Stored value at u of one row's grid, straight between grid points. */
static double grid_at(const double *grid, double u)
{
    double at = u * (GRID - 1);
    size_t i = at >= GRID - 1 ? GRID - 2 : (size_t)at;
    return grid[i] + (grid[i + 1] - grid[i]) * (at - (double)i);
}

static double distance2(const ctw_shapes *s, const double *row, const double *features, double idle_ratio,
                        const ctw_power__curve *known)
{
    double sum = 0.0;
    for (size_t j = 0; j <= s->d; j++) {
        double var = s->m2[j] / (double)s->n, diff = row[j] - (j < s->d ? features[j] : idle_ratio);
        if (var > 1e-18 * (1.0 + s->mean[j] * s->mean[j])) sum += diff * diff / var;
    }
    for (size_t i = 0; i < known->n; i++) {
        double diff = level_weight * (grid_at(row + s->d + 1, known->x[i]) - known->y[i]);
        sum += diff * diff;
    }
    return sum;
}

/* Weighted mean and standard deviation over the nearest rows, on the grid. */
static void average(const ctw_shapes *s, const double *dist2, const size_t *order, double mean[GRID], double sd[GRID])
{
    size_t k = s->neighbours < s->n ? s->neighbours : s->n;
    double total = 0.0, sum[GRID] = {0}, square[GRID] = {0};
    for (size_t i = 0; i < k; i++) {
        const double *grid = s->rows + order[i] * (s->d + 1 + GRID) + s->d + 1;
        double w = 1.0 / (softening + sqrt(dist2[order[i]]));
        total += w;
        for (int g = 0; g < GRID; g++) {
            sum[g] += w * grid[g];
            square[g] += w * grid[g] * grid[g];
        }
    }
    for (int g = 0; g < GRID; g++) {
        mean[g] = sum[g] / total;
        sd[g] = sqrt(fmax(0.0, square[g] / total - mean[g] * mean[g]));
    }
}

/* Bends the average through the known levels and the ends: the misfit there, interpolated, is added. The spread is
 * the neighbours' where nothing is near, and falls to zero at a measurement. */
static void bend(const double mean[GRID], const double sd[GRID], const ctw_power__curve *known, ctw_power__curve *shape,
                 ctw_power__curve *spread)
{
    ctw_power__curve miss = {.n = known->n + 2};
    miss.x[0] = miss.y[0] = 0.0;
    miss.x[known->n + 1] = 1.0;
    miss.y[known->n + 1] = 0.0;
    for (size_t i = 0; i < known->n; i++) {
        miss.x[i + 1] = known->x[i];
        miss.y[i + 1] = known->y[i] - grid_at(mean, known->x[i]);
    }
    ctw_power__curve_slopes(&miss);
    shape->n = 0;
    size_t next = 0;
    for (int g = 0; g < GRID; g++) {
        double u = (double)g / (GRID - 1);
        for (; next < known->n && known->x[next] <= u; next++) {
            shape->x[shape->n] = spread->x[shape->n] = known->x[next];
            spread->y[shape->n] = 0.0;
            shape->y[shape->n++] = known->y[next];
        }
        if (shape->n && u - shape->x[shape->n - 1] < 1e-9) continue;
        if (next < known->n && known->x[next] - u < 1e-9) continue;
        shape->x[shape->n] = spread->x[shape->n] = u;
        spread->y[shape->n] = sd[g];
        shape->y[shape->n++] = fmin(fmax(mean[g] + ctw_power__curve_at(&miss, u), 0.0), 1.0);
    }
    spread->n = shape->n;
    shape->y[0] = 0.0;
    shape->y[shape->n - 1] = 1.0;
    ctw_power__isotonic(shape->y, NULL, shape->n);
    ctw_power__curve_slopes(shape);
    ctw_power__curve_slopes(spread);
}

ctw_status ctw_shapes__complete(const ctw_shapes *s, const double *features, double idle_ratio,
                                const ctw_power__curve *known, ctw_power__curve *shape, ctw_power__curve *spread)
{
    double *dist2 = ctw_base__alloc(s->h.ctx, s->n, sizeof *dist2);
    size_t *order = ctw_base__alloc(s->h.ctx, s->n, sizeof *order);
    double mean[GRID], sd[GRID];
    if (dist2 && order) {
        for (size_t i = 0; i < s->n; i++)
            dist2[i] = distance2(s, s->rows + i * (s->d + 1 + GRID), features, idle_ratio, known);
        ctw_num__argsort(dist2, order, s->n);
        average(s, dist2, order, mean, sd);
        bend(mean, sd, known, shape, spread);
    }
    ctw_status st = dist2 && order ? CTW_OK : CTW_E_NOMEM;
    ctw_base__free(s->h.ctx, dist2);
    ctw_base__free(s->h.ctx, order);
    return st;
}
