/* svm_params.c: the options of a support vector classifier. */
#include "svm/svm_params.h"
#include "base/error.h"

static const ctw_base__option options[] = {
    CTW_OPT_STR("kernel", "rbf", "linear|rbf|poly|sigmoid",
                "kernel: u'v, exp(-gamma |u-v|^2), (gamma u'v + coef0)^degree, tanh(gamma u'v + coef0)"),
    CTW_OPT_STR(
        "solver", "auto", "auto|smo|cd|sgd",
        "smo: any kernel, LIBSVM's problem; cd: linear dual coordinate descent, LIBLINEAR's problem; sgd: linear, "
        "averaged hinge steps; auto: cd for the linear kernel, else smo"),
    CTW_OPT_F64("c", 1.0, 1e-12, 1e12, "price of a margin violation, before row and class weights"),
    CTW_OPT_F64("gamma", 0.0, 0.0, 1e12, "kernel width; 0 means 1 / number of features"),
    CTW_OPT_F64("coef0", 0.0, -1e12, 1e12, "constant of the poly and sigmoid kernels"),
    CTW_OPT_I64("degree", 3, 1, 32, "degree of the poly kernel"),
    CTW_OPT_STR("loss", "hinge", "hinge|squared", "loss of solver cd: max(0, 1 - m) or its square"),
    CTW_OPT_F64("bias", 1.0, 0.0, 1e6, "constant feature that carries the bias in cd and sgd; 0 means no bias"),
    CTW_OPT_F64(
        "tol", 0.0, 0.0, 10.0,
        "largest allowed violation of optimality; 0 means 1e-3 for smo and 0.1 for cd, as LIBSVM and LIBLINEAR, but "
        "1e-5 for an incremental cd"),
    CTW_OPT_STR("multiclass", "auto", "auto|ovo|ovr",
                "three and more classes: one against one, or one against the rest; auto: ovo for smo, else ovr"),
    CTW_OPT_STR("class_weight", "none", "none|balanced", "balanced: each class's C times rows / (classes * its rows)"),
    CTW_OPT_BOOL("probability", 0, "also fit class probabilities (Platt's sigmoid on cross-validated decision values)"),
    CTW_OPT_I64("folds", 5, 2, 100, "folds behind the probabilities"),
    CTW_OPT_BOOL("incremental", 0, "keep the training rows, so that update and forget can continue the fit exactly"),
    CTW_OPT_I64("cache_mb", 100, 1, 16777216, "kernel rows kept during an smo fit, MiB"),
    CTW_OPT_STR("cache_type", "float", "float|double",
                "precision of the kernel rows kept: float holds twice as many and is what LIBSVM does"),
    CTW_OPT_BOOL("shrinking", 1, "set variables that look settled aside during an smo or cd fit"),
    CTW_OPT_I64(
        "max_iter", 0, 0, 4611686018427387904,
        "limit of smo iterations or cd sweeps; 0 means max(10 million, 100 rows), or 1000 (incremental: a million)"),
    CTW_OPT_I64("epochs", 20, 1, 1000000, "passes of solver sgd over the rows"),
    CTW_OPT_I64("stream", 0, 0, 9223372036854775807, "random stream of folds and sweep orders"),
};
const ctw_base__kind ctw_svm__kind = {"svm", options, sizeof options / sizeof *options};

#define KIND &ctw_svm__kind

ctw_status ctw_svm__opts_read(const ctw_params *p, ctw_svm__opts *o, const char *fn)
{
    *o = (ctw_svm__opts){
        .kernel = ctw_base__opt_choice(p, KIND, "kernel"),
        .solver = ctw_base__opt_choice(p, KIND, "solver"),
        .loss = ctw_base__opt_choice(p, KIND, "loss"),
        .multi = ctw_base__opt_choice(p, KIND, "multiclass"),
        .balanced = ctw_base__opt_choice(p, KIND, "class_weight"),
        .probability = ctw_base__opt_bool(p, KIND, "probability"),
        .shrinking = ctw_base__opt_bool(p, KIND, "shrinking"),
        .incremental = ctw_base__opt_bool(p, KIND, "incremental"),
        .c = ctw_base__opt_f64(p, KIND, "c"),
        .gamma = ctw_base__opt_f64(p, KIND, "gamma"),
        .coef0 = ctw_base__opt_f64(p, KIND, "coef0"),
        .bias = ctw_base__opt_f64(p, KIND, "bias"),
        .tol = ctw_base__opt_f64(p, KIND, "tol"),
        .degree = (int)ctw_base__opt_i64(p, KIND, "degree"),
        .folds = (int)ctw_base__opt_i64(p, KIND, "folds"),
        .wide_rows = ctw_base__opt_choice(p, KIND, "cache_type"),
        .cache_bytes = (size_t)ctw_base__opt_i64(p, KIND, "cache_mb") << 20,
        .max_iter = (uint64_t)ctw_base__opt_i64(p, KIND, "max_iter"),
        .epochs = (uint64_t)ctw_base__opt_i64(p, KIND, "epochs"),
        .stream = (uint64_t)ctw_base__opt_i64(p, KIND, "stream"),
    };
    if (o->solver == CTW_SVM_AUTO) o->solver = o->kernel == CTW_SVM_LINEAR ? CTW_SVM_CD : CTW_SVM_SMO;
    if (o->solver != CTW_SVM_SMO && o->kernel != CTW_SVM_LINEAR)
        return ctw_base__fail(CTW_E_ARG, "%s: solver %s needs kernel linear", fn,
                              o->solver == CTW_SVM_CD ? "cd" : "sgd");
    if (o->multi == CTW_SVM_MULTI_AUTO) o->multi = o->solver == CTW_SVM_SMO ? CTW_SVM_OVO : CTW_SVM_OVR;
    /* An update is promised to end where a cold fit ends, so both must come close to the optimum. */
    if (o->tol == 0) o->tol = o->solver != CTW_SVM_CD ? 1e-3 : o->incremental ? 1e-5 : 0.1;
    if (o->max_iter == 0 && o->solver == CTW_SVM_CD) o->max_iter = o->incremental ? 1000000 : 1000;
    return CTW_OK;
}
