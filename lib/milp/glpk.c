/* glpk.c: the only file that knows GLPK. It runs on a thread made for this solve (pump.c): GLPK's memory
 * belongs to the thread, its errors end in abort() unless one jumps out of the error hook, and freeing its
 * environment frees every problem of the thread, the host's included, were it the host's thread.
 * - glp_init_env first: its failure is reported, any other first call would abort.
 * - glp_term_hook swallows all text and is also the watchdog: GLPK "displays" from inside long LPs, and the
 *   hook jumps out when the caller wants to stop.
 * - Incumbents are copied out as they appear, so that a jump loses nothing. With glp_intopt's own presolver the columns
 *   in its callback are not ours: who asks for it gets the answer at the end only, and the bound all along. */
#include "base/cancel.h"
#include "milp/internal.h"
#include <glpk.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <string.h>

/* Time over which a stop request may go unseen before the term hook jumps, in milliseconds. */
enum { DISPLAY_MS = 20 };

typedef struct run {
    ctw_milp__job *job;
    jmp_buf out;
    int jumped; /* 1 error, 2 stop */
    int in_search;
    int start_given;
    int ends;
    double last_news;
} run;

static int on_text(void *info, const char *s)
{
    run *r = info;
    size_t n = strcspn(s, "\n");
    if (n > 1) {
        if (n >= sizeof r->job->text) n = sizeof r->job->text - 1;
        memcpy(r->job->text, s, n);
        r->job->text[n] = '\0';
    }
    if (atomic_load(&r->job->stop) && r->ends == 0) {
        r->jumped = 2;
        longjmp(r->out, 1);
    }
    return 1;
}

static void on_error(void *info)
{
    run *r = info;
    r->jumped = 1;
    longjmp(r->out, 1);
}

static int limit_ms(const ctw_milp__job *job)
{
    double left = (job->deadline - ctw_base__now()) * 1000;
    if (left < 1) return 1;
    return left > INT_MAX / 2 ? INT_MAX / 2 : (int)left;
}

static void copy_x(ctw_milp__job *job, glp_prob *p, double (*value)(glp_prob *, int))
{
    for (size_t j = 0; j < job->model->cols; j++) {
        double v = value(p, (int)j + 1);
        if (job->model->integer[j]) v = round(v);
        job->x[j] = fmin(fmax(v, job->model->lo[j]), job->model->hi[j]);
    }
    job->has_x = 1;
    job->objective = ctw_milp__objective(job->model, job->x);
}

static void on_node(glp_tree *tree, void *info)
{
    run *r = info;
    ctw_milp__job *job = r->job;
    int best = glp_ios_best_node(tree);
    if (best) job->bound = fmax(job->bound, glp_ios_node_bound(tree, best));
    switch (glp_ios_reason(tree)) {
    case GLP_IBINGO:
        if (!job->opt->presolve) copy_x(job, glp_ios_get_prob(tree), glp_get_col_prim);
        break;
    case GLP_ISELECT: job->nodes++; break;
    case GLP_IHEUR:
        if (job->start1 && !job->opt->presolve && !r->start_given) {
            r->start_given = 1;
            if (!glp_ios_heur_sol(tree, job->start1)) {
                memcpy(job->x, job->start1 + 1, job->model->cols * sizeof(double));
                job->has_x = 1;
                job->objective = ctw_milp__objective(job->model, job->x);
            }
        }
        break;
    default: break;
    }
    int64_t most = job->opt->max_nodes;
    if (most > 0 && job->nodes > (uint64_t)most) {
        job->why = CTW_MILP_NODES;
        glp_ios_terminate(tree);
    } else if (atomic_load(&job->stop)) {
        glp_ios_terminate(tree);
    }
    double now = ctw_base__now();
    if (job->opt->progress && now - r->last_news > 0.01) {
        r->last_news = now;
        ctw_milp__pump_news(job, job->nodes, job->bound, job->has_x ? job->objective : INFINITY);
    }
}

static int bound_type(double lo, double hi)
{
    if (lo == hi) return GLP_FX;
    if (isinf(lo)) return isinf(hi) ? GLP_FR : GLP_UP;
    return isinf(hi) ? GLP_LO : GLP_DB;
}

static void build(const ctw_milp__job *job, glp_prob *p)
{
    const ctw_milp__model *m = job->model;
    glp_set_obj_dir(p, GLP_MIN);
    glp_set_obj_coef(p, 0, m->offset);
    if (m->rows) glp_add_rows(p, (int)m->rows);
    for (size_t i = 0; i < m->rows; i++) {
        glp_set_row_bnds(p, (int)i + 1, bound_type(m->row_lo[i], m->row_hi[i]), m->row_lo[i], m->row_hi[i]);
    }
    glp_add_cols(p, (int)m->cols);
    for (size_t j = 0; j < m->cols; j++) {
        glp_set_col_bnds(p, (int)j + 1, bound_type(m->lo[j], m->hi[j]), m->lo[j], m->hi[j]);
        glp_set_obj_coef(p, (int)j + 1, m->cost[j]);
        if (m->integer[j] && !job->opt->relax) glp_set_col_kind(p, (int)j + 1, GLP_IV);
    }
    glp_load_matrix(p, (int)m->nnz, job->ia, job->ja, job->ar);
}

/* The LP relaxation; 0 when it is solved to optimality. Unscaled models with coefficients from 1 to 1e5 have
 * been seen not to return at all, hence the scaling. */
static int solve_lp(run *r, glp_prob *p)
{
    ctw_milp__job *job = r->job;
    glp_smcp lp;
    glp_init_smcp(&lp);
    glp_scale_prob(p, GLP_SF_GM | GLP_SF_EQ | GLP_SF_2N);
    lp.msg_lev = GLP_MSG_ALL;
    lp.out_frq = DISPLAY_MS;
    lp.tm_lim = limit_ms(job);
    lp.meth = GLP_DUALP;
    int e = glp_simplex(p, &lp);
    int unsure = e == 0 && glp_get_status(p) != GLP_OPT;
    if (unsure || e == GLP_EBADB || e == GLP_ESING || e == GLP_ECOND || e == GLP_EFAIL) {
        glp_adv_basis(p, 0);
        lp.meth = GLP_PRIMAL;
        lp.tm_lim = limit_ms(job);
        e = glp_simplex(p, &lp);
    }
    int status = glp_get_status(p);
    if (e == GLP_ETMLIM) {
        job->why = CTW_MILP_TIME;
    } else if (e) {
        job->end = CTW_MILP_END_BACKEND;
    } else if (status == GLP_NOFEAS || status == GLP_INFEAS) {
        job->end = CTW_MILP_END_INFEASIBLE;
    } else if (status == GLP_UNBND) {
        job->end = CTW_MILP_END_UNBOUNDED;
    } else if (status == GLP_OPT) {
        return 0;
    }
    return 1;
}

static void search(run *r, glp_prob *p)
{
    ctw_milp__job *job = r->job;
    glp_iocp io;
    glp_init_iocp(&io);
    io.msg_lev = GLP_MSG_DBG;
    io.out_frq = DISPLAY_MS;
    io.tm_lim = limit_ms(job);
    io.mip_gap = job->opt->mip_gap;
    io.cb_func = on_node;
    io.cb_info = r;
    io.br_tech = GLP_BR_DTH;
    io.bt_tech = GLP_BT_BLB;
    io.presolve = job->opt->presolve ? GLP_ON : GLP_OFF;
    if (job->opt->cuts) {
        io.mir_cuts = GLP_ON;
        io.gmi_cuts = GLP_ON;
    }
    r->in_search = 1;
    int e = glp_intopt(p, &io);
    int status = glp_mip_status(p);
    if ((status == GLP_OPT || status == GLP_FEAS) && e != GLP_EFAIL) copy_x(job, p, glp_mip_col_val);
    if (e == 0 && status == GLP_OPT) {
        job->why = CTW_MILP_PROVED;
        job->bound = job->objective;
    } else if ((e == 0 && status == GLP_NOFEAS) || e == GLP_ENOPFS) {
        job->end = CTW_MILP_END_INFEASIBLE;
    } else if (e == GLP_EMIPGAP) {
        job->why = CTW_MILP_GAP;
    } else if (e == GLP_ETMLIM) {
        job->why = CTW_MILP_TIME;
    } else if (e == GLP_ESTOP) {
        if (!job->why) job->why = (int32_t)atomic_load(&job->stop);
    } else if (e) {
        job->end = CTW_MILP_END_BACKEND;
    }
}

static void solve(run *r, glp_prob *p)
{
    ctw_milp__job *job = r->job;
    build(job, p);
    if (solve_lp(r, p)) return;
    job->bound = glp_get_obj_val(p);
    if (job->opt->relax) {
        copy_x(job, p, glp_get_col_prim);
        for (size_t i = 0; i < job->model->rows; i++) job->dual[i] = glp_get_row_dual(p, (int)i + 1);
        job->why = CTW_MILP_PROVED;
        return;
    }
    search(r, p);
}

/* setjmp in a function of its own: no local of it changes between setjmp and longjmp. */
static void guarded(run *r)
{
    if (setjmp(r->out)) {
        ctw_milp__job *job = r->job;
        if (r->jumped == 2) {
            job->why = (int32_t)atomic_load(&job->stop);
        } else {
            job->end = strstr(job->text, "memory") ? CTW_MILP_END_NOMEM : CTW_MILP_END_BACKEND;
        }
        return;
    }
    glp_prob *p = glp_create_prob();
    solve(r, p);
}

void ctw_milp__glpk_run(ctw_milp__job *job)
{
    run r;
    memset(&r, 0, sizeof r);
    r.job = job;
    job->end = CTW_MILP_END_SOLVED;
    if (glp_init_env() == 2) {
        job->end = CTW_MILP_END_NOMEM;
        return;
    }
    glp_term_hook(on_text, &r);
    glp_error_hook(on_error, &r);
    guarded(&r);
    r.ends = 1;
    glp_free_env();
}
