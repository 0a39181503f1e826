/* pump.c: runs one GLPK solve on a thread of its own and waits for it. The caller's thread keeps the deadline,
 * looks at the cancel flag and runs the progress callback itself, so a callback never meets a foreign thread;
 * the library holds no thread between calls and stays fork-safe. */
#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "milp/internal.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

void ctw_milp__pump_news(ctw_milp__job *job, uint64_t step, double bound, double best)
{
    pthread_mutex_lock(&job->lock);
    job->news = 1;
    job->step = step;
    job->news_bound = bound;
    job->news_best = best;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

static void *thread_main(void *arg)
{
    ctw_milp__job *job = arg;
    ctw_milp__glpk_run(job);
    pthread_mutex_lock(&job->lock);
    job->done = 1;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

static void wait_a_little(ctw_milp__job *job)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 3 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&job->changed, &job->lock, &until);
}

/* Runs until the thread is done. The lock is not held while the host's callback runs. */
static void wait_for(ctw_milp__job *job)
{
    const ctw_milp__options *opt = job->opt;
    pthread_mutex_lock(&job->lock);
    while (!job->done) {
        if (job->news) {
            job->news = 0;
            uint64_t step = job->step;
            double bound = job->news_bound, best = job->news_best;
            pthread_mutex_unlock(&job->lock);
            if (opt->progress && opt->progress(opt->user, step, bound, best)) atomic_store(&job->stop, CTW_MILP_CANCEL);
            pthread_mutex_lock(&job->lock);
            continue;
        }
        wait_a_little(job);
        ctw_status s = ctw_base__stopped(opt->cancel, "milp");
        if (s == CTW_E_CANCELLED) {
            atomic_store(&job->stop, CTW_MILP_CANCEL);
        } else if (s != CTW_OK || ctw_base__now() > job->deadline) {
            int none = 0;
            atomic_compare_exchange_strong(&job->stop, &none, CTW_MILP_TIME);
        }
    }
    pthread_mutex_unlock(&job->lock);
}

static ctw_status start_and_wait(ctw_milp__job *job)
{
    pthread_condattr_t attr;
    pthread_t thread;
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &attr);
    pthread_condattr_destroy(&attr);
    int e = pthread_create(&thread, NULL, thread_main, job);
    ctw_status s = CTW_OK;
    if (e) {
        s = ctw_base__fail(e == EAGAIN ? CTW_E_NOMEM : CTW_E_BACKEND, "milp: no thread for the solver: %s",
                           strerror(e));
    } else {
        wait_for(job);
        pthread_join(thread, NULL);
    }
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
    return s;
}

static ctw_status check_size(const ctw_milp__model *m, const ctw_milp__options *opt)
{
    if (opt->max_vars > 0 && m->cols > (uint64_t)opt->max_vars) {
        return ctw_base__fail(CTW_E_RANGE, "milp: the model has %zu variables, the limit max_vars is %lld", m->cols,
                              (long long)opt->max_vars);
    }
    if (m->cols == 0) return ctw_base__fail(CTW_E_ARG, "milp: the model has no variables");
    if (m->rows >= INT_MAX || m->cols >= INT_MAX || m->nnz >= INT_MAX / 2) {
        return ctw_base__fail(CTW_E_RANGE, "milp: %zu rows, %zu columns, %zu entries are more than GLPK's int holds",
                              m->rows, m->cols, m->nnz);
    }
    return CTW_OK;
}

/* All memory of the solve. On failure the caller frees through free_job. */
static ctw_status alloc_job(ctw_milp__job *job, ctw_milp__result *out)
{
    const ctw_milp__model *m = job->model;
    job->ia = CTW_NEW(m->ctx, m->nnz + 1, int);
    job->ja = CTW_NEW(m->ctx, m->nnz + 1, int);
    job->ar = CTW_NEW(m->ctx, m->nnz + 1, double);
    out->x = CTW_NEW(m->ctx, m->cols, double);
    out->dual = CTW_NEW(m->ctx, m->rows, double);
    if (job->opt->start) job->start1 = CTW_NEW(m->ctx, m->cols + 1, double);
    if (!job->ia || !job->ja || !job->ar || !out->x || !out->dual || (job->opt->start && !job->start1))
        return CTW_E_NOMEM;
    for (size_t j = 0, k = 1; j < m->cols; j++) {
        for (size_t e = m->col_start[j]; e < m->col_start[j + 1]; e++, k++) {
            job->ia[k] = (int)m->row_index[e] + 1;
            job->ja[k] = (int)j + 1;
            job->ar[k] = m->value[e];
        }
        if (job->start1) job->start1[j + 1] = job->opt->start[j];
    }
    job->x = out->x;
    job->dual = out->dual;
    return CTW_OK;
}

static void free_job(ctw_ctx *ctx, ctw_milp__job *job)
{
    ctw_base__free(ctx, job->ia);
    ctw_base__free(ctx, job->ja);
    ctw_base__free(ctx, job->ar);
    ctw_base__free(ctx, job->start1);
}

/* What the thread found, as a status on this thread. */
static ctw_status translate(const ctw_milp__job *job, ctw_milp__result *out)
{
    out->has_solution = job->has_x;
    out->nodes = job->nodes;
    out->bound = job->bound;
    out->stop = job->why;
    out->objective = job->has_x ? job->objective : INFINITY;
    out->gap = job->has_x ? fmax(0, (job->objective - job->bound) / fmax(fabs(job->objective), 1e-10)) : INFINITY;
    if (job->has_x) return CTW_OK;
    switch (job->end) {
    case CTW_MILP_END_INFEASIBLE: return ctw_base__fail(CTW_E_INFEASIBLE, "milp: no point satisfies the model");
    case CTW_MILP_END_UNBOUNDED: return ctw_base__fail(CTW_E_BACKEND, "milp: the model is unbounded");
    case CTW_MILP_END_NOMEM: return ctw_base__fail(CTW_E_NOMEM, "milp: GLPK ran out of memory");
    case CTW_MILP_END_BACKEND: return ctw_base__fail(CTW_E_BACKEND, "milp: GLPK gave up: %s", job->text);
    case CTW_MILP_END_SOLVED: break;
    }
    if (job->why == CTW_MILP_CANCEL) return ctw_base__fail(CTW_E_CANCELLED, "milp: cancelled before a solution");
    return ctw_base__fail(CTW_E_DEADLINE, "milp: no solution within %.3g s", job->opt->time_limit_s);
}

ctw_status ctw_milp__solve(const ctw_milp__model *m, const ctw_milp__options *opt, ctw_milp__result *out)
{
    memset(out, 0, sizeof *out);
    out->bound = -INFINITY;
    CTW_TRY(check_size(m, opt));
    ctw_milp__job *job = CTW_NEW(m->ctx, 1, ctw_milp__job);
    if (!job) return CTW_E_NOMEM;
    job->model = m;
    job->opt = opt;
    job->bound = -INFINITY;
    job->deadline = ctw_base__now() + fmin(opt->time_limit_s, ctw_base__time_left(opt->cancel));
    ctw_status s = alloc_job(job, out);
    if (s == CTW_OK) s = start_and_wait(job);
    if (s == CTW_OK) s = translate(job, out);
    free_job(m->ctx, job);
    ctw_base__free(m->ctx, job);
    return s;
}

void ctw_milp__result_free(ctw_ctx *ctx, ctw_milp__result *r)
{
    ctw_base__free(ctx, r->x);
    ctw_base__free(ctx, r->dual);
    memset(r, 0, sizeof *r);
}
