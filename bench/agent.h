/* agent.h: what the tasks of `ctw-bench agent` share: results collected by seed, agents built from options. */
#ifndef CTW_BENCH_AGENT_H
#define CTW_BENCH_AGENT_H

#include "bench.h"
#include "rng.h"

/* One policy's results: a value of each key for each seed; printed as one line a seed and an aggregate. */
typedef struct agent_rows {
    bench *b;
    const char *task, *algo, *policy; /* policy NULL for classic tasks */
    int64_t first, last;
    size_t keys;
    const char *key[24];
    double *value[24];
} agent_rows;
void agent_rows_open(agent_rows *r, bench *b, const char *task, const char *algo, const char *policy, int64_t first,
                     int64_t last);
void agent_rows_put(agent_rows *r, int64_t seed, const char *key, double v);
/* Mean over seeds of a key put before. */
double agent_rows_mean(const agent_rows *r, const char *key);
/* Adds KEY_diff: this policy minus another on the same seeds, so that the aggregate holds the paired difference. */
void agent_rows_paired(agent_rows *r, const agent_rows *other, const char *key, const char *diff_key);
void agent_rows_print(agent_rows *r); /* and frees */

/* An agent from "key", "value", ... NULL, then from --set; its context has the seed. */
ctw_agent *agent_make(bench *b, int64_t seed, const char *const *kv);
ctw_features *agent_features(bench *b, const char *const *kv, const double *lo, const double *hi, const int64_t *bins,
                             uint64_t dims);
/* Runs and returns the report, which the caller unrefs; *cpu_s is added to. */
ctw_report *agent_run(ctw_agent *a, ctw_env *env, int64_t episodes, int64_t max_steps, int learn, double *cpu_s);
/* Episodes of a world given by its callbacks; *report (may be NULL) is the caller's. */
typedef struct agent_world {
    uint64_t dims, actions, lanes;
    ctw_env_reset_fn reset;
    ctw_env_step_fn step;
    ctw_env_mask_fn mask; /* may be NULL */
    void *user;
} agent_world;
void agent_live(bench *b, ctw_agent *a, const agent_world *w, int64_t episodes, int64_t max_steps, int learn,
                ctw_report **report);
/* Another agent's weights. */
void agent_take_weights(ctw_agent *to, const ctw_agent *from);
double agent_series_mean(ctw_report *r, const char *key, int64_t from, int64_t to);

/* What every task gets. */
typedef struct agent_job {
    bench *b;
    const char *algo;              /* "" when not given */
    int64_t first, last, episodes; /* episodes 0 when not given */
} agent_job;

int agent_classic(const char *task, agent_job *j);
int agent_pendulum(agent_job *j);
int agent_config(agent_job *j);
int agent_values(agent_job *j);
int agent_drift(agent_job *j);
int agent_firmnet(agent_job *j);
int agent_policy(agent_job *j);
int agent_svcnet(agent_job *j);
int agent_indigo(agent_job *j);
int agent_flash(agent_job *j);
int agent_hcope(agent_job *j);
int agent_parm(agent_job *j);
int agent_simppo(agent_job *j);
int agent_aware(agent_job *j);
int agent_firm(agent_job *j);

#endif
