/* synthetic.c: inputs that need no download, generated from the seed and labelled as such wherever they are shown.
 *
 * Grid: intensity = fossil share x its intensity, where the share is what demand (daily and weekly shape, season)
 * leaves after solar (sine of the sun's height by latitude and season, cloudiness as a daily AR(1)) and wind (hourly
 * AR(1) of 40 hours' memory). SUN has much solar, WIND much wind, COAL little of either. Load: two humps a day, short
 * bursts, noise. Jobs: Poisson arrivals, lognormal lengths. Prompts: templates whose wording, not their length, decides
 * how long the answer is, with lognormal scatter. */
#include "green_day.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_DAYS 420
#define PI           3.14159265358979

typedef struct grid {
    const char *name;
    double solar, wind, base; /* capacity over mean demand; share of steady clean supply */
    double fossil;            /* gCO2/kWh of what burns */
    double latitude;
} grid;

static const grid grids[] = {
    {"SUN", 0.95, 0.25, 0.18, 520, 36}, {"WIND", 0.20, 0.95, 0.20, 640, 53}, {"COAL", 0.25, 0.20, 0.05, 860, 41}};

static const grid *grid_named(const char *name)
{
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        if (strcmp(grids[i].name, name) == 0) return &grids[i];
    die("--region is \"%s\"; the generated grids are SUN, WIND and COAL (real ones need --data)", name);
}

/* Height of the sun, 0 at night: hour in UTC, read as local. */
static double sun(double day_of_year, double hour, double latitude)
{
    double tilt = 0.4091 * sin(2.0 * PI * (day_of_year - 80.0) / 365.25), phi = latitude * PI / 180.0;
    return fmax(0.0, sin(phi) * sin(tilt) + cos(phi) * cos(tilt) * cos(2.0 * PI * (hour - 12.5) / 24.0));
}

static void generate_grid(const grid *g, int64_t first_day, dice *d, double *out, size_t hours)
{
    double cloud = 0.0, wind = 0.0, heat = 0.0;
    for (size_t i = 0; i < hours; i++) {
        int64_t day = first_day + (int64_t)(i / 24);
        double hour = (double)(i % 24), doy = fmod((double)day, 365.25);
        int weekend = (day + 3) % 7 >= 5; /* 1970-01-01 was a Thursday */
        if (i % 24 == 0) {
            cloud = 0.6 * cloud + 0.8 * dice_normal(d);
            heat = 0.8 * heat + 0.6 * dice_normal(d);
        }
        wind = 0.975 * wind + 0.222 * dice_normal(d);
        double demand = 1.0 + 0.12 * sin(2.0 * PI * (hour - 9.0) / 24.0) + 0.08 * sin(4.0 * PI * (hour - 6.5) / 24.0) +
                        0.05 * cos(4.0 * PI * (doy - 15.0) / 365.25) + 0.03 * heat - 0.07 * weekend;
        double clean = g->base + g->solar * sun(doy, hour, g->latitude) * (1.0 / (1.0 + exp(cloud - 1.0))) +
                       g->wind / (1.0 + exp(-1.1 * wind));
        double fossil = fmax(0.06, demand - clean) / demand;
        out[i] = g->fossil * fossil + 14.0 + 1.5 * dice_normal(d);
        out[i] = fmax(out[i], 5.0);
    }
}

static void generate_load(inputs *in, dice *d)
{
    in->n_load = 1440;
    in->load = room(in->n_load, sizeof(double));
    double peak = 0.0, burst = 0.0, noise = 0.0;
    for (size_t m = 0; m < in->n_load; m++) {
        double h = (double)m / 60.0;
        noise = 0.95 * noise + 0.012 * dice_normal(d);
        if (dice_uniform(d) < 3.0 / 1440.0) burst = 0.15 + 0.15 * dice_uniform(d);
        burst *= 0.97;
        double v = 0.35 + 0.30 * exp(-0.5 * pow((h - 11.0) / 2.5, 2)) + 0.38 * exp(-0.5 * pow((h - 19.5) / 2.2, 2));
        in->load[m] = fmax(0.05, v + noise + burst);
        peak = fmax(peak, in->load[m]);
    }
    for (size_t m = 0; m < in->n_load; m++) in->load[m] /= peak;
}

static void generate_jobs(const options *o, inputs *in, dice *d)
{
    job_room(in, (size_t)o->jobs);
    double at = 0.0, *gap = room(in->n_jobs + 1, sizeof *gap), sum = 0.0;
    for (size_t i = 0; i <= in->n_jobs; i++) sum += gap[i] = dice_exponential(d);
    for (size_t i = 0; i < in->n_jobs; i++) {
        at += gap[i];
        in->arrival_s[i] = 86400.0 * at / sum;
        in->work_s[i] = fmin(6.0, fmax(0.1, exp(0.2 + 0.8 * dice_normal(d)))) * 3600.0;
    }
    free(gap);
    job_promises(o, in, d);
}

static void generate_prompts(inputs *in, dice *d)
{
    static const struct {
        const char *text;
        double tokens;
    } shape[] = {{"Write a detailed essay about %s with an introduction, arguments and a conclusion.", 420},
                 {"Explain step by step how %s works.", 260},
                 {"Give me a list of ten facts about %s.", 200},
                 {"Summarise the following text about %s in two sentences.", 60},
                 {"Translate the word for %s into French.", 9},
                 {"Is %s a good idea? Answer yes or no.", 6},
                 {"Write a short story in which %s plays a part.", 380},
                 {"Classify this sentence about %s as positive or negative.", 5}};
    static const char *const topic[] = {"photosynthesis", "the tides", "a market", "bread", "glass",        "gravity",
                                        "a bicycle",      "chess",     "rain",     "music", "a lighthouse", "tea"};
    in->n_train = 1500;
    in->n_prompts = 3000;
    in->prompt = room(in->n_prompts, sizeof(char *));
    in->tokens = room(in->n_prompts, sizeof(double));
    for (size_t i = 0; i < in->n_prompts; i++) {
        size_t k = dice_below(d, sizeof shape / sizeof *shape), t = dice_below(d, sizeof topic / sizeof *topic);
        char text[256];
        const char *gap = strstr(shape[k].text, "%s");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(gap - shape[k].text), shape[k].text, topic[t], gap + 2);
        in->prompt[i] = room(strlen(text) + 1, 1);
        memcpy(in->prompt[i], text, strlen(text) + 1);
        in->tokens[i] = fmax(1.0, floor(shape[k].tokens * exp(0.35 * dice_normal(d))));
    }
}

void synthetic_inputs(const options *o, inputs *in)
{
    const grid *g = grid_named(o->region);
    int64_t day = days_from_text(o->date);
    size_t before = 24 * HISTORY_DAYS;
    dice weather = {0x5eed + (uint64_t)day * 2654435761u}, d = {(uint64_t)o->seed * 0x9e3779b9u + 77};
    double *hours = room(before + HOURS_AHEAD, sizeof *hours);
    generate_grid(g, day - HISTORY_DAYS, &weather, hours, before + HOURS_AHEAD);
    in->history = hours;
    in->n_history = before;
    memcpy(in->ci, hours + before, sizeof in->ci);
    generate_load(in, &d);
    generate_jobs(o, in, &d);
    generate_prompts(in, &d);
    snprintf(in->source, sizeof in->source, "Synthetic inputs, generated by this program (grid \"%s\")", g->name);
}
