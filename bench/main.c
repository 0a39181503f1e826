/* main.c: ctw-bench COMMAND [options]: the list of commands, and what all of them accept:
 * --seed A..B, --reps N, --blas-threads N, --set key=value. */
#include "commands.h"
#include <stdio.h>
#include <string.h>

typedef struct command {
    const char *name;
    int (*run)(bench *b);
    const char *usage;
} command;

/* clang-format off: one line a command */
static const command commands[] = {
    {"svm", bench_svm, "--train F --test G --kernel linear|rbf --c C --gamma G [--solver S] [--tol T] [--labels OUT]"},
    {"predict", bench_predict, "--train F.csv --test G.csv --column C [--test-column D] [--online] [--cold]"},
    {"place", bench_place,
     "--dir DIR [--gap G] [--deadline S] [--after-failure F] [--mode M] [--asap], --generate S,LC,BE,T,R,SEED --dir "
     "DIR"},
    {"place-days", bench_place_days,
     "--dir DIR --data CARBON --regions A,B --date YYYY-MM-DD [--days N] [--deadline S]"},
    {"place-deadlines", bench_place_deadlines, "--dir DIR [--n N] [--first SEED]"},
    {"power", bench_power, "--fit FILE --leave-out level|frequency|device, --govern FILE --gpu G --trace F --idle F"},
    {"agent", bench_agent, "--task NAME [--algo NAME] [--seed A..B] [--episodes N] [task options]"},
    {"forecast", bench_forecast,
     "accuracy protocols of carbon-intensity forecasts: --data F --exog F --protocol P --horizon H"},
    {"guard", bench_guard,
     "--task arl|delay|series [--shift D] [--data F --column C] [--set method=cusum|page-hinkley|ewma]"},
    {"twin", bench_twin, "--servers N --jobs M --hours H [--requests R] [--faults K] [--plain]"},
    {"rca", bench_rca,
     "--train DIR [--test DIR] [--input calls|spans] [--window calls|online] [--features LIST] [--folds K] [--cross] "
     "[--prequential] [--classifier FILE]"},
    {"rca-online", bench_rca_online, "[--instances N] [--traces T] [--windows W] [--set KEY=VALUE]"},
    {"rca-campaign", bench_rca_campaign,
     "[--at-once N] [--cases C] [--quiet Q] [--features LIST] [--seed A..B] [--save FILE]"},
    {"queue", bench_queue,
     "--lengths F.csv --column C --predictor P --arrivals A --batching M --batch B --policy P[,P...] --jobs N"},
    {"queue-ops", bench_queue_ops, "--n N [--policy P] [--ops K]"},
    {NULL, NULL, NULL},
};
/* clang-format on */

static int usage(void)
{
    fprintf(stderr, "usage: ctw-bench COMMAND [options]; results are JSON lines on stdout\n");
    for (const command *c = commands; c->name; c++) fprintf(stderr, "  %-15s %s\n", c->name, c->usage);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) return usage();
    for (const command *c = commands; c->name; c++) {
        if (strcmp(c->name, argv[1]) != 0) continue;
        bench b = {.command = argv[1], .argc = argc - 2, .argv = argv + 2};
        bench_ok(ctw_ctx_new(NULL, NULL, &b.ctx), "context");
        ctw_status s = ctw_ctx_set_blas_threads(b.ctx, (int32_t)bench_i64(&b, "--blas-threads", 1));
        if (s != CTW_OK && s != CTW_E_UNSUPPORTED) bench_die(2, "%s", ctw_error_message());
        int code = c->run(&b);
        ctw_ctx_unref(b.ctx);
        return code;
    }
    fprintf(stderr, "ctw-bench: there is no command \"%s\"\n", argv[1]);
    return usage();
}
