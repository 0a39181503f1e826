/* options.c: prints doc/options.md from the running library, so that the manual cannot drift from the tables. */
#include <cybertwin/cybertwin.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void bound(double v)
{
    if (isinf(v))
        printf("%sinf", v < 0 ? "-" : "");
    else
        printf("%g", v);
}

static void print_option(ctw_params *p, const char *key, int32_t type, const char *help)
{
    static const char *const type_name[] = {"", "boolean", "integer", "real", "text"};
    double lo, hi, dflt;
    int64_t ilo, ihi, idflt;
    const char *choices, *text;
    printf("| `%s` | %s | ", key, type_name[type]);
    if (type == CTW_T_F64 && ctw_params_bounds_f64(p, key, &lo, &hi, &dflt) == CTW_OK) {
        printf("%g | [", dflt);
        bound(lo);
        printf(", ");
        bound(hi);
        printf("]");
    } else if (type == CTW_T_STR && ctw_params_choices(p, key, &choices, &text) == CTW_OK) {
        printf("\"%s\" | ", text);
        for (const char *c = choices ? choices : "any"; *c; c++) *c == '|' ? printf(", ") : putchar(*c);
    } else if (ctw_params_bounds_i64(p, key, &ilo, &ihi, &idflt) == CTW_OK) {
        printf("%" PRId64 " | [%" PRId64 ", %" PRId64 "]", idflt, ilo, ihi);
    }
    printf(" | %s |\n", help);
}

int main(void)
{
    ctw_ctx *ctx;
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 1;
    printf("# Options\n\nGenerated from the library's own tables by `doc/options.c`; `tools/baseline` rewrites it.\n"
           "Set them on a `ctw_params` of the kind, by type or from text (`ctw_params_set_text`).\n");
    for (uint64_t k = 0; k < ctw_params_kind_count(); k++) {
        ctw_params *p;
        if (ctw_params_new(ctx, ctw_params_kind_at(k), &p) != CTW_OK) return 1;
        printf("\n## %s\n\n| option | type | default | range | meaning |\n|---|---|---|---|---|\n",
               ctw_params_kind_at(k));
        for (uint64_t i = 0; i < ctw_params_count(p); i++) {
            const char *key, *help;
            int32_t type;
            if (ctw_params_at(p, i, &key, &type, &help) == CTW_OK) print_option(p, key, type, help);
        }
        ctw_params_unref(p);
    }
    ctw_ctx_unref(ctx);
    return 0;
}
