/* queue_params.c: option tables of "queue" and "lengths". */
#include "queue/queue_params.h"

static const ctw_base__option queue_options[] = {
    CTW_OPT_STR("policy", "guarded", "guarded|fcfs|sjf",
                "order: shortest predicted work with ageing, first come first served, or shortest without ageing"),
    CTW_OPT_F64("ageing", 28, 0, 1e9, "seconds of waiting that outweigh one second of predicted work (guarded)"),
    CTW_OPT_BOOL("locked", 0, "calls from several threads wait for each other instead of failing with CTW_E_BUSY"),
    CTW_OPT_I64("capacity", 0, 0, 16777214, "most jobs that may wait, allocated at once; 0 grows as needed"),
    CTW_OPT_BOOL("bias_correction", 1, "scale predictions by the observed ratio of real to predicted work"),
    CTW_OPT_F64("deadline_blend", 1, 0, 1, "how far a deadline may pull a job forward: 0 not at all, 1 fully"),
    CTW_OPT_I64("lookahead", 0, 0, 1024, "jobs that ctw_queue_pop_budget may pass over to fill its budget"),
};

const ctw_base__kind ctw_queue__kind = {"queue", queue_options, sizeof queue_options / sizeof *queue_options};

static const ctw_base__option lengths_options[] = {
    CTW_OPT_I64("models", 1, 1, 16, "served models that share the predictor"),
    CTW_OPT_I64("bits", 16, 8, 20, "log2 of the number of hashed features; a model takes 2 bytes for each"),
    CTW_OPT_F64("ridge", 0, 0, 1e6, "L2 penalty; 0 chooses it by cross-validation"),
    CTW_OPT_I64("folds", 4, 2, 10, "folds of the cross-validation that also calibrates the quantiles"),
    CTW_OPT_I64("byte_cap", 1536, 64, 65536, "bytes of a prompt that are read: its beginning and its end"),
    CTW_OPT_I64("memory", 4096, 0, 65536, "finished requests kept for online refits; 0 turns online learning off"),
};

const ctw_base__kind ctw_lengths__kind = {"lengths", lengths_options, sizeof lengths_options / sizeof *lengths_options};
