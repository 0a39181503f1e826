/* queue_params.c: option tables of "queue", "exec", "lengths" and "serving". */
#include "queue/queue_params.h"

static const ctw_base__option queue_options[] = {
    CTW_OPT_STR("policy", "guarded", "guarded|fcfs|sjf|auto",
                "order: shortest predicted work with ageing, first come first served, or shortest without ageing"),
    CTW_OPT_F64(
        "ageing", -1, -1, 1e9,
        "seconds of waiting that outweigh one second of predicted work (guarded); -1 chooses it from what is seen"),
    CTW_OPT_F64("tail", 0.91, 0.1, 100, "longest wait over the 99th percentile of first come first served (auto)"),
    CTW_OPT_F64("worst", 50, 0.1, 1e6, "the same for the largest jobs, at most one in a hundred (auto)"),
    CTW_OPT_BOOL("locked", 0, "calls from several threads wait for each other instead of failing with CTW_E_BUSY"),
    CTW_OPT_I64("capacity", 0, 0, 16777214, "most jobs that may wait, allocated at once; 0 grows as needed"),
    CTW_OPT_I64(
        "intake", 0, 0, 1048576,
        "jobs that ctw_queue_offer may leave for the next drain, 40 bytes each, rounded up to a power of two; 0: none"),
    CTW_OPT_BOOL("bias_correction", 1, "scale predictions by the observed ratio of real to predicted work"),
    CTW_OPT_F64("deadline_blend", 1, 0, 1, "how far a deadline may pull a job forward: 0 not at all, 1 fully"),
    CTW_OPT_I64("lookahead", 0, 0, 1024, "jobs that ctw_queue_pop_budget may pass over to fill its budget"),
};

const ctw_base__kind ctw_queue__kind = {"queue", queue_options, sizeof queue_options / sizeof *queue_options};

static const ctw_base__option exec_options[] = {
    CTW_OPT_STR("preset", "ssjf", "ssjf", "published constants to begin with, see doc/queue.md"),
    CTW_OPT_F64("const_s", -1, -1, 1e6, "seconds that any request takes; -1: as in the preset"),
    CTW_OPT_F64("prefill_s", -1, -1, 1e3, "seconds for an input token; -1: as in the preset"),
    CTW_OPT_F64("token_s", -1, -1, 1e3, "seconds for an output token; -1: as in the preset"),
    CTW_OPT_F64("crowd_s", -1, -1, 1e3, "and for each other request that runs meanwhile; -1: as in the preset"),
    CTW_OPT_I64("instances", 1, 1, 65536, "instances, each with its own coefficients"),
    CTW_OPT_F64("trust", 4, 1e-3, 1e9, "finished requests that the preset is worth"),
    CTW_OPT_I64("memory", 500, 16, 1000000, "finished requests over which the fit averages"),
};

const ctw_base__kind ctw_exec__kind = {"exec", exec_options, sizeof exec_options / sizeof *exec_options};

static const ctw_base__option lengths_options[] = {
    CTW_OPT_I64("models", 1, 1, 16, "served models that share the predictor"),
    CTW_OPT_I64("samples", 1, 1, 16, "lengths per prompt and model given to a fit: answers to the same prompt"),
    CTW_OPT_STR(
        "head", "rank", "rank|log|ordinal|binary|classes",
        "what is learnt: the rank of the length, its logarithm, the number of its class, short or long, or each class"),
    CTW_OPT_I64("bits", 16, 8, 18, "log2 of the number of weights kept; a model takes 3 bytes for each"),
    CTW_OPT_F64("ridge", 0, 0, 1e6, "L2 penalty; 0 chooses it by cross-validation"),
    CTW_OPT_I64("folds", 4, 2, 10, "folds of the cross-validation that also calibrates the quantiles"),
    CTW_OPT_I64("byte_cap", 1536, 64, 65536, "bytes of a prompt that are read: its beginning and its end"),
    CTW_OPT_I64("memory", 4096, 0, 65536, "finished requests kept for online refits; 0 turns online learning off"),
};

const ctw_base__kind ctw_lengths__kind = {"lengths", lengths_options, sizeof lengths_options / sizeof *lengths_options};

static const ctw_base__option serving_options[] = {
    CTW_OPT_STR("batching", "none", "none|dynamic|continuous",
                "one request at a time, batches that end with their longest, or places that free up one by one"),
    CTW_OPT_I64("batch", 8, 1, 1024, "requests served at once by an instance (dynamic and continuous)"),
    CTW_OPT_I64("instances", 1, 1, 4096,
                "instances, each with its own line; a request joins the shortest predicted work"),
    CTW_OPT_STR(
        "policy", "guarded", "fcfs|sjf|ssjf|guarded|strict|auto|srpt|hrrn|mlfq|random|psrpt",
        "order: first come; shortest by truth or prediction; guarded; rivals; psrpt: shortest predicted rest first"),
    CTW_OPT_F64("ageing", -1, -1, 1e9, "ageing factor of policy guarded; -1 chooses it by itself"),
    CTW_OPT_F64("tail", 0.91, 0.1, 100, "policy auto: as the option of the queue"),
    CTW_OPT_F64("worst", 50, 0.1, 1e6, "policy auto: as the option of the queue"),
    CTW_OPT_F64("const_s", 0.1, 0, 1e6, "seconds that any request takes"),
    CTW_OPT_F64("prefill_s", 0, 0, 1e3, "seconds for an input token"),
    CTW_OPT_F64("token_s", 0.02, 0, 1e3, "seconds for an output token"),
    CTW_OPT_F64("crowd_s", 0, 0, 1e3, "and for each other request that its instance runs meanwhile"),
    CTW_OPT_I64("kv_tokens", 0, 0, 1000000000,
                "tokens, read and written, that fit an instance's memory (continuous); 0: any number"),
    CTW_OPT_F64("quantum_s", 1, 1e-3, 1e6, "policy mlfq: slice of the first level; each level doubles it"),
    CTW_OPT_I64("warmup", 0, 0, 16000000, "first requests of a run that the report leaves out of its statistics"),
    CTW_OPT_I64("stream", 0, 0, INT64_MAX, "random stream of arrivals"),
};

const ctw_base__kind ctw_serving__kind = {"serving", serving_options, sizeof serving_options / sizeof *serving_options};
