/* guard_params.c: every option of the three handles with its bounds; this table is the manual too. */
#include "guard/guard_params.h"

static const ctw_base__option guard_options[] = {
    CTW_OPT_F64("alpha", 0.01, 1e-6, 0.5, "Share of typical inputs that may exceed the limit."),
    CTW_OPT_F64("calibration", 0.3, 0.05, 0.95, "Share of the fitted rows held out to set the limit."),
    CTW_OPT_F64(
        "floor", 1e-9, 0.0, 1.0,
        "Least standard deviation of a feature, as a share of max(1, |mean|): keeps constant features regular."),
    CTW_OPT_F64("shrinkage", 0.1, 0.0, 1.0, "Weight of the diagonal in the covariance; 1 ignores correlations."),
    CTW_OPT_F64("warn_at", 0.8, 0.0, 1.0, "Share of the limit from which an input is a warning."),
};
const ctw_base__kind ctw_guard__kind = {"guard", guard_options, sizeof guard_options / sizeof *guard_options};

static const ctw_base__option detector_options[] = {
    CTW_OPT_F64("drift", 0.5, 0.0, 1e6,
                "Allowance a step in standard deviations: half the shift to be found (cusum, page-hinkley)."),
    CTW_OPT_I64("learn", 0, 0, 1000000000, "First values that only set mean and sd; 0 takes the two options."),
    CTW_OPT_F64("limit", 5.0, 1e-9, 1e9, "Alarm limit of the statistic in standard deviations."),
    CTW_OPT_F64("mean", 0.0, -1e300, 1e300, "Mean of the stream before any change."),
    CTW_OPT_STR("method", "cusum", "cusum|page-hinkley|ewma", "Which statistic."),
    CTW_OPT_F64("sd", 1.0, 1e-300, 1e300, "Standard deviation of the stream before any change."),
    CTW_OPT_STR("side", "upper", "upper|lower|both", "Which direction of change raises the alarm."),
    CTW_OPT_F64("weight", 0.1, 1e-6, 1.0, "Weight of the newest value (ewma)."),
};
const ctw_base__kind ctw_detector__kind = {"detector", detector_options,
                                           sizeof detector_options / sizeof *detector_options};

static const ctw_base__option watch_options[] = {
    CTW_OPT_F64("accept", 0.5, 0.0, 1.0, "Share of good shadow steps needed to return to the model."),
    CTW_OPT_F64("allowance", 0.25, 0.0, 1.0, "Subtracted from the sum each step: the strange share that is tolerated."),
    CTW_OPT_I64("clean", 12, 1, 1000000, "Calm steps in fallback before the model is scored in shadow."),
    CTW_OPT_F64("level", 0.05, 0.0, 1.0, "A step whose p-value is below this is strange."),
    CTW_OPT_F64("limit", 3.0, 1e-6, 1e6, "Sum at which the fallback takes over."),
    CTW_OPT_I64("shadow", 12, 1, 1000000, "Steps the model is scored in shadow."),
    CTW_OPT_F64("suspect", 1.4, 1e-6, 1e6, "Sum at which the model becomes suspect; below \"limit\"."),
};
const ctw_base__kind ctw_watch__kind = {"watch", watch_options, sizeof watch_options / sizeof *watch_options};
