/* Shapes of calls: merging, the limit, and how far two sets differ. */
#include "rca/shapes.h"
#include "test.h"
#include <string.h>

static ctw_rca__shapes of(uint32_t a, uint32_t b, uint32_t c)
{
    ctw_rca__shapes s = {0};
    if (a) ctw_rca__shapes_add(&s, ctw_rca__shape(3, 1, 0), a);
    if (b) ctw_rca__shapes_add(&s, ctw_rca__shape(1, 0, 0), b);
    if (c) ctw_rca__shapes_add(&s, ctw_rca__shape(3, 1, 1), c);
    return s;
}

START_TEST(differ)
{
    ctw_rca__shapes past = of(900, 100, 0), same = of(91, 9, 0), cut = of(50, 50, 0), failed = of(60, 10, 30);
    ctw_rca__shapes few = of(2, 1, 0), none = {0};
    ck_assert_double_eq(ctw_rca__shapes_differ(&same, &past), 0); /* chance */
    ck_assert_double_eq(ctw_rca__shapes_differ(&few, &past), 0);
    ck_assert_double_eq(ctw_rca__shapes_differ(&none, &past), 0);
    double d = ctw_rca__shapes_differ(&cut, &past); /* 0.4 of the calls, less 3 x 0.0315 */
    ck_assert_double_eq_tol(d, 0.4 - 3 * 0.0315, 0.003);
    ck_assert(ctw_rca__shapes_differ(&failed, &past) > 0.15); /* a shape never seen before */
}
END_TEST

START_TEST(limit)
{
    ctw_rca__shapes s = {0}, t = {0};
    for (uint32_t i = 0; i < 20; i++) ctw_rca__shapes_add(&s, ctw_rca__shape(i, 0, 0), 2);
    ck_assert_uint_eq(s.kinds, CTW_RCA_SHAPES);
    ck_assert_uint_eq(s.rest, 16);
    ctw_rca__shapes_merge(&t, &s);
    ctw_rca__shapes_merge(&t, &s);
    ck_assert_uint_eq(t.rest, 32);
    ck_assert_uint_eq(t.count[3], 4);
    ck_assert_uint_ne(ctw_rca__shape(1, 2, 0), ctw_rca__shape(2, 1, 0));
    ck_assert_uint_eq(ctw_rca__shape(1e9, 1e9, 1), ctw_rca__shape(32767, 32767, 5)); /* and no overflow */
}
END_TEST

int main(void)
{
    const ctw_test_case cases[] = {{"differ", differ}, {"limit", limit}};
    return ctw_test_main("unit-rca-shapes", cases, sizeof cases / sizeof *cases, 10);
}
