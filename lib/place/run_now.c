/* run_now.c: failing open. A forecast that is late or missing must not hold work back: windows are cut to the earliest
 * slots and intensities made equal, so that only packing matters; what finds no room there goes into later slots
 * at intensities that rise with time, the earliest with room being the cheapest. */
#include "place/run_now.h"
#include "place/repair.h"
#include <math.h>
#include <string.h>

static double mean_of(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i];
    return n ? sum / (double)n : 0;
}

/* The same mean everywhere, or from once to twice that over the horizon. */
static void set_grams(ctw_place__inst *in, double mean, double rise)
{
    for (size_t i = 0; i < in->regions * in->slots; i++) {
        in->gram_wh[i] = mean * (1 + rise * (double)(i % in->slots) / (double)in->slots);
        in->guide[i] = in->gram[i] = in->gram_wh[i] * in->hours;
    }
}

static ctw_status place_late(const ctw_place__inst *in, ctw_place__clock *clock, ctw_place__plan *plan)
{
    ctw_place__state st;
    CTW_TRY(ctw_place__state_new(in, &st));
    ctw_place__state_load(&st, plan);
    ctw_status s = ctw_place__complete(in, &st, plan);
    if (s == CTW_OK) s = ctw_place__repair(in, &st, plan, clock);
    ctw_place__state_free(&st);
    return s;
}

ctw_status ctw_place__run_now(ctw_place__inst *in, ctw_place__clock *clock, ctw_place__answer *a)
{
    size_t n = in->regions * in->slots;
    double *wh = ctw_base__dup(in->ctx, in->gram_wh, n, sizeof *wh);
    int32_t *end = CTW_NEW(in->ctx, in->batches, int32_t);
    ctw_status s = wh && end ? CTW_OK : CTW_E_NOMEM;
    if (s == CTW_OK) {
        double mean = fmax(mean_of(wh, n), 1e-6);
        for (size_t i = 0; i < in->batches; i++) {
            ctw_place__batch *b = in->batch + i;
            end[i] = b->end;
            b->end = b->release + b->duration;
        }
        set_grams(in, mean, 0);
        s = ctw_place__decompose(in, clock, a);
        for (size_t i = 0; i < in->batches; i++) in->batch[i].end = end[i];
        set_grams(in, mean, 1);
        if (s == CTW_OK) s = place_late(in, clock, &a->plan);
        for (size_t i = 0; i < n; i++) {
            in->gram_wh[i] = wh[i];
            in->guide[i] = in->gram[i] = wh[i] * in->hours;
        }
        a->bound = -INFINITY;
        a->tier = "run_now";
    }
    ctw_base__free(in->ctx, wh);
    ctw_base__free(in->ctx, end);
    return s;
}
