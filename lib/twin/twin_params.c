/* twin_params.c: every option of the twin with its bounds; this table is the manual too. */
#include "twin/twin_params.h"

static const ctw_base__option options[] = {
    CTW_OPT_F64("checkpoint_s", 300, 1, 1e6,
                "Work between two checkpoints of a job: what a lost server costs it at most."),
    CTW_OPT_F64("coverage", 0.9, 0.01, 0.99, "Coverage of the carbon forecast's intervals."),
    CTW_OPT_F64("day_s", 86400, 1, 1e9,
                "Services and idle power are accounted up to this time; jobs and requests are followed to their end."),
    CTW_OPT_F64("drain_s", 3600, 1, 1e6, "How long a server found guilty gets no work before it is tried again."),
    CTW_OPT_F64("headroom", 1.25, 1, 10, "Load for which a frequency must suffice, as a multiple of the present load."),
    CTW_OPT_F64("heartbeat_s", 60, 0, 1e6, "Seconds until the loss of a server is noticed."),
    CTW_OPT_F64("hop_s", 0.001, 0, 1,
                "Time a call to another server spends in the network, what a fault there stretches."),
    CTW_OPT_F64("horizon_s", 172800, 3600, 1e6, "How far ahead plans may look."),
    CTW_OPT_F64("io_share", 0.1, 0, 1,
                "Share of a service's work that waits for storage, what a fault there stretches."),
    CTW_OPT_F64("llm_slowdown", 1.15, 1, 10, "Slowdown an LLM instance may take while nobody waits."),
    CTW_OPT_F64("margin", 1.25, 1, 10, "Planned duration of a job as a multiple of the predicted one."),
    CTW_OPT_I64("max_events", 1000000000, 1, 1000000000000, "A run that needs more events than this is ended."),
    CTW_OPT_F64("max_slowdown", 1.5, 1, 10, "Slowdown that a governor may give to anything at most."),
    CTW_OPT_F64("plan_slot_s", 1800, 60, 86400, "Length of a planning slot."),
    CTW_OPT_I64("rca_traces", 80, 10, 10000, "Request traces sampled in a window that broke its promise."),
    CTW_OPT_F64("replan_s", 1800, 60, 86400, "Seconds between two plans; losses and new forecasts also cause one."),
    CTW_OPT_F64("restart_s", 30, 0, 1e6, "Seconds a service replica needs to start on another server."),
    CTW_OPT_F64("slot_s", 60, 1, 3600, "Length of a control slot: load, frequency and series change at this step."),
    CTW_OPT_I64("stream", 0, 0, INT64_MAX, "Random stream of this handle."),
    CTW_OPT_F64("tail", 0.01, 1e-6, 0.5,
                "Share of a service's requests that may be late in a moment that keeps its promise."),
};
const ctw_base__kind ctw_twin__kind = {"twin", options, sizeof options / sizeof *options};

static const ctw_base__option campaign_options[] = {
    CTW_OPT_STR("kinds", "cpu,memory,llc,io,network", NULL,
                "Faults that are injected, comma-separated: cpu, memory, llc, io, network, slowdown."),
    CTW_OPT_I64("at_once", 1, 1, 16, "Most servers with a fault in one episode; 1 to that many are equally likely."),
    CTW_OPT_F64("quiet", 0.3, 0, 1, "Share of episodes without a fault."),
    CTW_OPT_F64("mildest", 0.6, 0.001, 1, "Largest share of the resource that a fault leaves."),
    CTW_OPT_F64("harshest", 0.1, 0.001, 1, "Smallest share; uniform between the two."),
    CTW_OPT_F64("fault_s", 60, 1, 1e6, "Length of a fault; traces are taken half-way."),
    CTW_OPT_F64("rest_s", 60, 0, 1e6, "Rest after an episode."),
    CTW_OPT_I64("stream", 0, 0, INT64_MAX, "Random stream of this handle."),
};
const ctw_base__kind ctw_campaign__kind = {"campaign", campaign_options,
                                           sizeof campaign_options / sizeof *campaign_options};
