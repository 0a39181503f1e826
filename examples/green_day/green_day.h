/* green_day.h: what the files of the example share: the inputs of one day, the two runs and their outputs. */
#ifndef GREEN_DAY_H
#define GREEN_DAY_H

#include <cybertwin/cybertwin.h>
#include <stddef.h>

#define HOURS_AHEAD 72 /* the day and what is left of its jobs */
#define MAX_FAULTS  16

typedef struct options {
    const char *region, *date, *data, *faults, *without, *csv, *html;
    int64_t seed, servers, jobs;
} options;

/* One day's inputs, real or generated. */
typedef struct inputs {
    char source[512]; /* where they come from, for the report */
    double *history;  /* hourly intensity before the day, oldest first */
    size_t n_history;
    double ci[HOURS_AHEAD]; /* from midnight of the day */
    double *load;           /* request load of the day by minute, peak 1 */
    size_t n_load;
    size_t n_jobs;
    double *arrival_s, *cores, *work_s, *predicted_s, *deadline_s, *membound;
    int64_t *job_id, *job_region;
    size_t n_prompts, n_train; /* prompts and their true answer lengths; the first n_train are for fitting */
    char **prompt;
    double *tokens;
} inputs;

typedef struct fault_spec {
    int32_t kind;
    int64_t target; /* -1: chosen by the seed */
    double start_s, end_s, speed;
} fault_spec;

/* One simulated day. */
typedef struct outcome {
    ctw_report *report;
    double cpu_s;
} outcome;

/* A small generator of its own, so that the example's inputs do not depend on the library's streams. */
typedef struct dice {
    uint64_t state;
} dice;
double dice_uniform(dice *d);
double dice_normal(dice *d);
double dice_exponential(dice *d);
size_t dice_below(dice *d, size_t n);

/* main.c: message on stderr and exit */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void need(ctw_status s, const char *what);
void *room(size_t count, size_t size);
double report_f64(const ctw_report *r, const char *key);

/* days.c */
int64_t days_from_text(const char *date); /* days since 1970-01-01; dies on anything but YYYY-MM-DD */

/* synthetic.c and real.c fill the inputs; jobs.c draws the jobs' promises */
void synthetic_inputs(const options *o, inputs *in);
void real_inputs(ctw_ctx *ctx, const options *o, inputs *in);
void job_room(inputs *in, size_t n);
/* From arrival and length alone: sizes that load the servers, predictions, deadlines. */
void job_promises(const options *o, inputs *in, dice *d);
void inputs_free(inputs *in);

/* world.c */
size_t fault_parse(const char *spec, fault_spec *out);
/* Simulates the day without any part (baseline) or with all of them. */
void world_run(ctw_ctx *ctx, const options *o, const inputs *in, const fault_spec *faults, size_t n_faults,
               int cybertwin, outcome *out);

/* output */
void print_table(const options *o, const inputs *in, const outcome *base, const outcome *twin, double total_cpu_s);
void write_csv(const char *path, const outcome *base, const outcome *twin);
void write_html(const char *path, const options *o, const inputs *in, const outcome *base, const outcome *twin);

#endif
