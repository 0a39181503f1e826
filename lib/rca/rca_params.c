/* rca_params.c: options of the four kinds of handle this module has. */
#include "rca/rca_params.h"

static const ctw_base__option spans_options[] = {
    CTW_OPT_I64("max_spans", 16777216, 1, 2147483647, "spans one table may hold"),
};
const ctw_base__kind ctw_spans__kind = {"spans", spans_options, sizeof spans_options / sizeof *spans_options};

static const ctw_base__option calls_options[] = {
    CTW_OPT_STR("component", "service", "service|instance",
                "what a culprit is: a service, or an instance where the span names one"),
};
const ctw_base__kind ctw_calls__kind = {"calls", calls_options, sizeof calls_options / sizeof *calls_options};

static const ctw_base__option rca_options[] = {
    CTW_OPT_I64("ref_calls", 4096, 8, 1048576, "most recent fault-free calls kept of each operation"),
    CTW_OPT_F64("ref_half_life", 0, 0, 1e9, "windows after which a learned call rate counts half; 0 never forgets"),
    CTW_OPT_I64("max_rows", 65536, 16, 16777216, "labelled component rows kept for training; the oldest go first"),
    CTW_OPT_STR("features", "auto", NULL,
                "comma-separated features of the classifier; 'z:' before a name takes it relative to the window's "
                "other components; 'auto' is the tested set, 'firm' is RI,CI"),
    CTW_OPT_F64("c", 1, 1e-6, 1e6, "penalty of the support vector machine"),
    CTW_OPT_F64("threshold", 0.5, 0, 100, "evidence from which a component is guilty while no classifier is fitted"),
    CTW_OPT_F64("rivalry", 0.5, 0, 1, "share of the strongest other component's score that counts against a component"),
    CTW_OPT_BOOL("forgive", 1, "let guilty rows that look innocent to a first fit count little in the second"),
};
const ctw_base__kind ctw_rca__kind = {"rca", rca_options, sizeof rca_options / sizeof *rca_options};

static const ctw_base__option online_options[] = {
    CTW_OPT_I64("panes", 6, 1, 1024, "panes of the sliding window"),
    CTW_OPT_F64("error", 0.01, 1e-3, 0.25, "relative error of quantiles"),
    CTW_OPT_I64("max_bins", 1024, 8, 65536,
                "bins of one sketch; below the highest so many, values are thrown together"),
    CTW_OPT_I64("max_edges", 65536, 1, 1048576, "operations and callers that are told apart at a time"),
    CTW_OPT_I64("sample", 64, 0, 1048576, "traces kept of each pane, drawn uniformly"),
    CTW_OPT_I64("stream", 0, 0, 4294967295, "number of the collector, so that several draw different samples"),
};
const ctw_base__kind ctw_online__kind = {"online", online_options, sizeof online_options / sizeof *online_options};
