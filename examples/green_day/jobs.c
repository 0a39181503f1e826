/* jobs.c: dice, calendar, and the promises that jobs come with: how many cores, what a scheduler believes of their
 * length, and by when they must be done. */
#include "green_day.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* SplitMix64 (Steele, Lea & Flood 2014). */
static uint64_t dice_u64(dice *d)
{
    uint64_t z = (d->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double dice_uniform(dice *d)
{
    return (double)(dice_u64(d) >> 11) * 0x1p-53;
}

double dice_normal(dice *d)
{
    double u = 1.0 - dice_uniform(d), v = dice_uniform(d);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

double dice_exponential(dice *d)
{
    return -log(1.0 - dice_uniform(d));
}

size_t dice_below(dice *d, size_t n)
{
    return (size_t)(dice_uniform(d) * (double)n);
}

int64_t days_from_text(const char *date)
{
    int y, m, d, end = 0;
    if (sscanf(date, "%4d-%2d-%2d%n", &y, &m, &d, &end) != 3 || date[end] != '\0' || m < 1 || m > 12 || d < 1 ||
        d > 31 || y < 1970 || y > 2200)
        die("--date is \"%s\", must be YYYY-MM-DD", date);
    /* days of the civil calendar, counted from a year that begins in March */
    int64_t yy = y - (m <= 2), era = yy / 400, yoe = yy - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void job_room(inputs *in, size_t n)
{
    in->n_jobs = n;
    in->arrival_s = room(n, sizeof(double));
    in->cores = room(n, sizeof(double));
    in->work_s = room(n, sizeof(double));
    in->predicted_s = room(n, sizeof(double));
    in->deadline_s = room(n, sizeof(double));
    in->membound = room(n, sizeof(double));
    in->job_id = room(n, sizeof(int64_t));
    in->job_region = room(n, sizeof(int64_t));
}

void job_promises(const options *o, inputs *in, dice *d)
{
    /* The jobs of the day ask for about a quarter of the cores that the day has. */
    double cpu_servers = (double)(o->servers - (o->servers + 9) / 10), hours = 0.0;
    for (size_t i = 0; i < in->n_jobs; i++) hours += in->work_s[i] / 3600.0;
    double mean_cores = 0.25 * cpu_servers * 32.0 * 24.0 / fmax(hours, 1.0);
    for (size_t i = 0; i < in->n_jobs; i++) {
        double size = mean_cores * (0.5 + dice_uniform(d));
        in->cores[i] = fmin(fmax(1.0, floor(size + 0.5)), 16.0);
        in->predicted_s[i] = fmax(60.0, in->work_s[i] * exp(0.12 * dice_normal(d)));
        in->membound[i] = 0.1 + 0.4 * dice_uniform(d);
        in->deadline_s[i] = in->arrival_s[i] + 1.8 * in->work_s[i] + 3600.0 * (2.0 + 10.0 * dice_uniform(d));
        in->job_id[i] = (int64_t)i;
    }
}

void inputs_free(inputs *in)
{
    void *const blocks[] = {in->history,    in->load,     in->arrival_s, in->cores,      in->work_s, in->predicted_s,
                            in->deadline_s, in->membound, in->job_id,    in->job_region, in->tokens};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
    for (size_t i = 0; i < in->n_prompts; i++) free(in->prompt[i]);
    free(in->prompt);
}
