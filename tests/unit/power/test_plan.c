/* Tables of pairs of clocks: what stays is the front of time and power found by comparing all with all, in order; of
 * too many the ends stay and no wide gap opens. */
#include "num/rng.h"
#include "power/plan.h"
#include "test.h"
#include <math.h>

enum { MOST = 600 };

static ctw_power__pair pairs[MOST];

/* Whether another pair beats pair i, or an equal one stands before it. */
static int beaten(size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++) {
        if (k == i || pairs[k].slow > pairs[i].slow || pairs[k].watts > pairs[i].watts) continue;
        if (k < i || pairs[k].slow < pairs[i].slow || pairs[k].watts < pairs[i].watts) return 1;
    }
    return 0;
}

static void add_all(ctw_power__plan *plan, size_t n)
{
    *plan = (ctw_power__plan){.n = 0};
    for (size_t i = 0; i < n; i++) ctw_power__plan_add(plan, &pairs[i]);
}

static void in_order(const ctw_power__plan *p)
{
    ck_assert(p->n >= 1 && p->n <= CTW_GOVERNOR_POINTS && p->top == p->n - 1);
    for (size_t i = 1; i < p->n; i++) ck_assert(p->slow[i] < p->slow[i - 1] && p->watts[i] > p->watts[i - 1]);
}

START_TEST(front)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 21, 7, 0);
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + (size_t)ctw_num__rng_below(&g, 60), kept = 0;
        ctw_power__plan plan;
        for (size_t i = 0; i < n; i++) /* on a grid, so that there are equals */
            pairs[i] =
                (ctw_power__pair){(double)i + 1, (double)(i % 5) + 1, 1 + 0.1 * (double)ctw_num__rng_below(&g, 20),
                                  10 * (double)(1 + ctw_num__rng_below(&g, 20)), (double)i};
        add_all(&plan, n);
        in_order(&plan);
        for (size_t i = 0; i < n; i++) {
            if (beaten(n, i)) continue;
            size_t at = 0;
            while (at < plan.n && plan.mhz[at] != pairs[i].mhz) at++;
            ck_assert(at < plan.n && plan.slow[at] == pairs[i].slow && plan.watts[at] == pairs[i].watts &&
                      plan.mem[at] == pairs[i].mem && plan.idle[at] == pairs[i].idle);
            kept++;
        }
        ck_assert_uint_eq(kept, plan.n);
    }
}
END_TEST

START_TEST(thinned)
{
    ctw_num__rng g;
    ctw_num__rng_init(&g, 22, 7, 0);
    ctw_power__plan plan;
    double widest = 0, low = INFINITY, high = 0;
    for (size_t i = 0; i < MOST; i++) {
        double slow = 1 + 3 * ctw_num__rng_uniform(&g);
        pairs[i] = (ctw_power__pair){1, 1, slow, 300 / slow, 0}; /* all on the front */
        low = fmin(low, slow);
        high = fmax(high, slow);
    }
    add_all(&plan, MOST);
    in_order(&plan);
    ck_assert(plan.n == CTW_GOVERNOR_POINTS && plan.slow[0] == high && plan.slow[plan.n - 1] == low);
    for (size_t i = 1; i < plan.n; i++) widest = fmax(widest, plan.slow[i - 1] / plan.slow[i]);
    ck_assert(widest < pow(high / low, 4.0 / CTW_GOVERNOR_POINTS));
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"front", front}, {"thinned", thinned}};
    return ctw_test_main("unit-power-plan", cases, sizeof cases / sizeof *cases, 10);
}
