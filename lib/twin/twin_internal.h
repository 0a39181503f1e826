/* twin_internal.h: the whole state of a twin, shared by the files of lib/twin. Entities are plain arrays that refer
 * to each other by index; ids are the host's and only looked up at the border. */
#ifndef CTW_TWIN_INTERNAL_H
#define CTW_TWIN_INTERNAL_H

#include "base/handle.h"
#include "num/rng.h"
#include "twin/events.h"
#include <cybertwin/twin.h>

#define CTW_TWIN__MAGIC CTW_FOUR('T', 'W', 'I', 'N')
#define CTW_TWIN__NONE  UINT32_MAX
/* Entities of a kind are indexed by 32 bits. */
#define CTW_TWIN__MAX 100000000u
/* Replicas of one component, so that their rates fit on the stack. */
#define CTW_TWIN__MAX_REPLICAS 256

/* What draws power, in the order of the accounts. */
enum { CTW_USE_IDLE = 0, CTW_USE_SERVICE, CTW_USE_JOB, CTW_USE_LLM, CTW_USES };

/* Sensor values kept for the guard's features. */
#define CTW_TWIN__RECENT         25
#define CTW_TWIN__GUARD_FEATURES 4

typedef struct ctw_twin__region {
    int64_t id;
    double *ci; /* the truth */
    size_t n_ci;
    double step_s;
    ctw_forecast *forecast; /* own copy, NULL without */
    ctw_guard *guard;
    ctw_watch *watch;
    double recent[CTW_TWIN__RECENT]; /* newest last */
    size_t n_recent;
    double *mean, *lo, *hi; /* present forecast, `horizon` steps from issued_s on; NULL before the first */
    size_t horizon;
    double issued_s;
    double *day_mean, *day_lo, *day_hi; /* the forecast issued at time 0: what accuracy is reported of */
    size_t n_day;
    uint32_t stuck; /* faults that hold the sensor now */
    double stuck_value;
    double no_room; /* scratch of one pass over the waiting jobs: cores that found no room */
} ctw_twin__region;

typedef struct ctw_twin__class {
    int64_t id;
    double cores, idle_w, peak_w, exponent;
    double *level;
    size_t n_level;
    double *factor; /* level^exponent, so that accounting needs no pow */
    ctw_power *power;
} ctw_twin__class;

typedef struct ctw_twin__server {
    int64_t id;
    uint32_t region, klass;
    uint32_t lost;         /* faults that hold it down; 0: up */
    double speed;          /* 1, less while slow */
    uint32_t level;        /* index of its frequency */
    double reserved;       /* cores promised to replicas and running jobs */
    double busy[CTW_USES]; /* cores at work now, by use */
    double since_s;        /* accounted until then */
    uint32_t instance;     /* 1: runs an LLM instance */
    uint32_t request;      /* being answered, NONE when idle */
    double drained_until_s;
    double wish; /* slowdown its work could take: the governor's scratch */
} ctw_twin__server;

typedef struct ctw_twin__service {
    int64_t id;
    uint32_t region;
    uint32_t components, replicas; /* replicas of each component */
    uint32_t first;                /* index of the first of components * replicas replicas */
    double cores, work_s, membound, slo_s;
    double *rate;
    size_t n_rate;
    double step_s;
    double now_rate;  /* accounting between two changes */
    double seen_rate; /* load of the slot before, which is what the governor knows */
    double tail;      /* share of requests that are late now */
    uint32_t ok;
    double since_s;
    double requests, met; /* accumulated */
    ctw_agent *agent;     /* own copy, NULL without */
    uint32_t acted;       /* its last choice waits for its reward */
    double headroom;      /* in force: the agent's choice, else the option's */
    double rise;          /* largest ratio of two slots' loads, slowly forgotten: what the shield demands */
} ctw_twin__service;

typedef struct ctw_twin__replica {
    uint32_t service, component;
    uint32_t server; /* NONE: lost, waits for room */
    uint32_t ready;  /* 0 while it starts */
    uint64_t version;
    double mean_s; /* response time now, 0 when it serves nothing */
    double busy;   /* cores it keeps busy */
} ctw_twin__replica;

enum { CTW_JOB_FUTURE = 0, CTW_JOB_WAITS, CTW_JOB_RUNS, CTW_JOB_ENDED };

typedef struct ctw_twin__job {
    int64_t id;
    uint32_t region, state, server;
    double arrival_s, cores, work_s, predicted_s, deadline_s, membound;
    double left_s;  /* work left, in seconds at top frequency */
    double since_s; /* left_s is as of then */
    double rate;    /* work per second now */
    double start_s; /* first start, NAN before */
    double finish_s;
    double planned_s; /* may start from then on; INFINITY: waits for the next plan */
    uint64_t version;
} ctw_twin__job;

typedef struct ctw_twin__request {
    double arrival_s, tokens, predicted;
    double left_s, since_s, rate, finish_s;
    uint32_t state, server;
    uint64_t version;
} ctw_twin__request;

typedef struct ctw_twin__fault {
    int32_t kind;
    uint32_t target; /* index of server or region */
    double start_s, end_s, magnitude;
    double recovered_s; /* NAN until then */
    uint32_t active;
    uint32_t hit;  /* something broke its promise because of it */
    int64_t found; /* server that the localiser named, -1 none */
} ctw_twin__fault;

typedef struct ctw_twin__llm {
    double base_s, per_token_s, membound, slo_s, slo_factor;
    uint32_t *at; /* servers with an instance */
    size_t instances;
    uint32_t *line; /* first come first served: indices of waiting requests, oldest first from `head` */
    size_t head, tail, cap;
} ctw_twin__llm;

/* A value by control slot, for the report. */
typedef enum ctw_twin__series_name {
    CTW_SR_TIME = 0,
    CTW_SR_IDLE, /* watts */
    CTW_SR_SERVICE,
    CTW_SR_JOB,
    CTW_SR_LLM,
    CTW_SR_QUEUE,   /* requests waiting */
    CTW_SR_WAITING, /* jobs waiting */
    CTW_SR_RUNNING,
    CTW_SR_PROMISE, /* share of services that keep their promise */
    CTW_SR_CI,      /* power-weighted over regions */
    CTW_SR_COUNT
} ctw_twin__series_name;

typedef struct ctw_twin__counters {
    uint64_t events, plans, plan_failures, part_failures, diagnoses, drains, moves;
    uint64_t abstained_steps, watched_steps;
    uint64_t agent_steps, agent_shielded; /* slots in which an agent chose; in which the shield took choices from it */
    double gap_sum, gap_max, plan_cpu_s;
    double headroom_sum; /* over the agents' slots */
    double diagnosed_s;  /* time of the last diagnosis */
    uint64_t gaps;
} ctw_twin__counters;

struct ctw_twin {
    ctw_base__handle h;
    ctw_params *params;
    /* options */
    double checkpoint_s, coverage, day_s, drain_s, headroom, heartbeat_s, hop_s, horizon_s, io_share, llm_slowdown,
        margin, max_slowdown, plan_slot_s, replan_s, restart_s, slot_s, tail;
    uint64_t max_events, rca_traces;
    /* parts that are not a region's or a class's */
    ctw_params *place_params, *queue_params;
    ctw_queue *queue; /* built from queue_params; rebuilt on load from the waiting requests */
    ctw_rca *rca;
    ctw_progress_fn progress;
    void *progress_user;
    /* state */
    double now, from_s, until_s;
    int started;
    int broken; /* memory ran out inside an event: the state is not to be trusted */
    uint32_t plan_generation;
    ctw_twin__heap heap;
    ctw_num__rng rng;
    ctw_twin__region *region;
    ctw_twin__class *klass;
    ctw_twin__server *server;
    ctw_twin__service *service;
    ctw_twin__replica *replica;
    ctw_twin__job *job;
    ctw_twin__request *request;
    ctw_twin__fault *fault;
    size_t n_region, n_klass, n_server, n_service, n_replica, n_job, n_request, n_fault;
    size_t cap_region, cap_klass, cap_server, cap_service, cap_replica, cap_job, cap_request, cap_fault;
    uint32_t *waiting; /* jobs in WAITS, in order of arrival */
    size_t n_waiting, cap_waiting;
    double next_start; /* no waiting job may start before; not saved: 0 only costs one look at the list */
    uint32_t *running; /* jobs in RUNS, in order of start */
    size_t n_running, cap_running;
    ctw_twin__llm llm;
    double energy_wh[CTW_USES], carbon_g[CTW_USES];
    double slot_wh[CTW_USES]; /* of the present slot, for the series */
    double slot_g;
    double *series[CTW_SR_COUNT];
    size_t n_series, cap_series;
    ctw_twin__counters count;
};

/* ---- twin.c ---- */
/* Finds an entity by id; CTW_E_KEY naming fn. */
ctw_status ctw_twin__find_region(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx);
ctw_status ctw_twin__find_class(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx);
ctw_status ctw_twin__find_service(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx);
ctw_status ctw_twin__find_server(const ctw_twin *t, int64_t id, const char *fn, uint32_t *idx);
ctw_status ctw_twin__post(ctw_twin *t, double time, ctw_twin__event_kind kind, size_t idx, uint64_t version);
/* A part gave up: counted and logged; memory and cancellation are passed on, all else becomes CTW_OK. */
ctw_status ctw_twin__part_failed(ctw_twin *t, ctw_status s, const char *part);
/* Everything a twin owns, apart from the handle itself. */
void ctw_twin__destroy(ctw_twin *t);
ctw_status ctw_twin__copy_params(ctw_ctx *ctx, const ctw_params *p, const char *kind, ctw_params **out);

/* ---- physics.c: power, speed, accounts ---- */
double ctw_twin__true_ci(const ctw_twin__region *r, double time);
double ctw_twin__slowdown(double level, double membound);
/* Accounts a server's power since its last change; call before any change to it. */
void ctw_twin__account(ctw_twin *t, ctw_twin__server *s);
/* Watts of a server by use. */
void ctw_twin__watts(const ctw_twin *t, const ctw_twin__server *s, double out[CTW_USES]);
/* Sets level and speed and lets everything on the server follow. */
ctw_status ctw_twin__set_clock(ctw_twin *t, size_t server, uint32_t level, double speed);
/* The server of the region with least free cores that still has room, NONE without. */
uint32_t ctw_twin__fit(const ctw_twin *t, uint32_t region, double cores);
int ctw_twin__usable(const ctw_twin *t, const ctw_twin__server *s);

/* ---- press.c ---- */
/* Shares of a server's resources that contention leaves to its services: 1 each without. */
typedef struct ctw_twin__press {
    double cpu, memory, cache, io, network;
} ctw_twin__press;
ctw_twin__press ctw_twin__press_on(const ctw_twin *t, uint32_t server);
/* Time that work of this memory-boundness takes at that level and with what is left, over the time alone at the top. */
double ctw_twin__pressed(const ctw_twin__press *p, double level, double membound);
/* Waits of a visit to a component: for storage, and on the way there. */
double ctw_twin__io_wait(const ctw_twin *t, const ctw_twin__service *s, const ctw_twin__press *p);
double ctw_twin__hop_wait(const ctw_twin *t, const ctw_twin__press *p);
/* Slower, but there: a slow server or contention on one. */
int ctw_twin__slows(const ctw_twin__fault *f);

/* ---- services.c ---- */
double ctw_twin__rate_at(const ctw_twin__service *s, double time);
void ctw_twin__service_refresh(ctw_twin *t, size_t service);
void ctw_twin__services_on(ctw_twin *t, size_t server);
/* Largest slowdown (>= 1) under which the service would keep its promise with headroom. */
double ctw_twin__service_slack(const ctw_twin *t, const ctw_twin__service *s);
/* Puts replicas that have no server on one; CTW_E_NOMEM only. */
ctw_status ctw_twin__restore_replicas(ctw_twin *t);
/* Takes the replicas off a server, to be restored elsewhere. */
void ctw_twin__evict_replicas(ctw_twin *t, size_t server);
uint32_t ctw_twin__spread(const ctw_twin *t, const ctw_twin__service *s, uint32_t component);
void ctw_twin__assign(ctw_twin *t, ctw_twin__replica *r, uint32_t server);

/* ---- jobs.c ---- */
ctw_status ctw_twin__job_arrives(ctw_twin *t, size_t job);
ctw_status ctw_twin__jobs_start(ctw_twin *t);
void ctw_twin__job_done(ctw_twin *t, size_t job);
ctw_status ctw_twin__job_reclock(ctw_twin *t, size_t job);
ctw_status ctw_twin__jobs_lost(ctw_twin *t, size_t server);
/* From when a waiting job may start. */
void ctw_twin__set_start(ctw_twin *t, ctw_twin__job *j, double when);
/* Preempts the jobs that started last on a server until so many cores are free. */
void ctw_twin__make_room(ctw_twin *t, size_t server, double cores);

/* ---- llm.c ---- */
ctw_status ctw_twin__request_arrives(ctw_twin *t, size_t request);
ctw_status ctw_twin__answer(ctw_twin *t, size_t request);
ctw_status ctw_twin__request_reclock(ctw_twin *t, size_t request);
ctw_status ctw_twin__request_lost(ctw_twin *t, size_t server);
ctw_status ctw_twin__dispatch(ctw_twin *t);
size_t ctw_twin__llm_waiting(const ctw_twin *t);
/* Seconds a request takes alone at top frequency, by its true length. */
double ctw_twin__own_time(const ctw_twin *t, double tokens);
/* A queue with the twin's options and all waiting requests in it. */
ctw_status ctw_twin__queue_build(ctw_twin *t);
/* Everybody who waits in the queue part moves to the plain line, in order of arrival, and the part is dropped. */
ctw_status ctw_twin__queue_leave(ctw_twin *t);

/* ---- sensor.c ---- */
ctw_status ctw_twin__observe(ctw_twin *t, size_t region);
ctw_status ctw_twin__forecast(ctw_twin *t, ctw_twin__region *r);
/* Mean forecast over [from, to), NAN when decisions must do without. */
double ctw_twin__expected_ci(const ctw_twin *t, const ctw_twin__region *r, double from, double to);
int ctw_twin__trusted(const ctw_twin__region *r);
void ctw_twin__guard_row(const double *newest, double out[CTW_TWIN__GUARD_FEATURES]);

/* ---- supervise.c ---- */
/* CTW_E_SHAPE for an agent of other dimensions or actions than a service's seat has. */
ctw_status ctw_twin__agent_fits(const ctw_agent *a);
/* The slot before is over: the agent of the service learns from it and chooses the headroom of the next. */
ctw_status ctw_twin__supervise(ctw_twin *t, ctw_twin__service *s);

/* ---- twin_io.c ---- */
ctw_status ctw_twin__copy_forecast(ctw_ctx *ctx, const ctw_forecast *f, ctw_forecast **out);
ctw_status ctw_twin__copy_agent(ctw_ctx *ctx, const ctw_agent *a, ctw_agent **out);

/* ---- plan.c, govern.c, faults.c, diagnose.c ---- */
ctw_status ctw_twin__replan(ctw_twin *t);
ctw_status ctw_twin__replan_soon(ctw_twin *t);
ctw_status ctw_twin__govern(ctw_twin *t);
/* Level of a class for work of that memory-boundness that may take `slowdown`. */
uint32_t ctw_twin__level_for(const ctw_twin__class *k, double util, double membound, double slowdown);
ctw_status ctw_twin__fault_on(ctw_twin *t, size_t fault);
ctw_status ctw_twin__fault_off(ctw_twin *t, size_t fault);
ctw_status ctw_twin__loss_seen(ctw_twin *t, size_t fault);
void ctw_twin__check_recovery(ctw_twin *t);
ctw_status ctw_twin__diagnose(ctw_twin *t);
/* Adds a window of request traces as they would be seen now to `calls`. */
ctw_status ctw_twin__sample_calls(ctw_twin *t, struct ctw_calls *calls);

/* ---- twin_check.c ---- */
ctw_status ctw_twin__validate(const ctw_twin *t, const char *fn);

/* ---- report.c ---- */
ctw_status ctw_twin__sample(ctw_twin *t);

#endif
