/**
 * @file svm.h
 * Support vector classification: data sets in the LIBSVM text format (noun `svmset`) and the classifier
 * itself (noun `svm`), two or more classes, linear or with a kernel.
 *
 * The problem solved for one pair of classes with labels y = +1 / -1 is (Cortes & Vapnik 1995)
 *   min over a of  1/2 a'Qa - sum(a),  0 <= a_i <= C w_i,  Q_ij = y_i y_j K(x_i, x_j),
 * with sum(y_i a_i) = 0 for solver "smo" (unpenalised bias) and without it for "cd" and "sgd", where the bias
 * is the weight of a constant feature of value `bias`. w_i is the row's weight times its class's weight.
 */
#ifndef CYBERTWIN_SVM_H
#define CYBERTWIN_SVM_H

#include <cybertwin/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- svmset: labelled sparse rows ---------------------------------------- */

/**
 * Labelled rows kept sparse, the form in which large sets are fitted and predicted.
 * Threads: one thread while rows are being added; then free to share.
 */
typedef struct ctw_svmset ctw_svmset;

/** An empty set. CTW_E_ARG, CTW_E_NOMEM. */
CTW_API ctw_status ctw_svmset_new(ctw_ctx *ctx, ctw_svmset **out);
/** One more owner; returns s. */
CTW_API ctw_svmset *ctw_svmset_ref(ctw_svmset *s);
/** One owner less; the last one frees it. */
CTW_API void ctw_svmset_unref(ctw_svmset *s);
/**
 * Appends n dense rows of d features, `stride` doubles apart; zeros are not stored. `label` holds n values, or
 * NULL for zeros. CTW_E_SHAPE (stride < d), CTW_E_NONFINITE, CTW_E_RANGE (d over 2^31-1), CTW_E_NOMEM, CTW_E_BUSY.
 */
CTW_API ctw_status ctw_svmset_add(ctw_svmset *s, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                                  const int64_t *label);
/**
 * Appends n sparse rows: row i has the entries start[i] .. start[i+1]-1 of `column` (from 0, strictly ascending
 * within a row) and `value`; start has n+1 elements. `label` may be NULL (zeros). CTW_E_SHAPE when starts fall,
 * CTW_E_RANGE for a bad column, CTW_E_NONFINITE, CTW_E_NOMEM, CTW_E_BUSY.
 */
CTW_API ctw_status ctw_svmset_add_sparse(ctw_svmset *s, const uint64_t *start, const int32_t *column,
                                         const double *value, uint64_t n, const int64_t *label);
/** Number of rows (0 for NULL). */
CTW_API uint64_t ctw_svmset_rows(const ctw_svmset *s);
/** Number of features: the highest column seen plus one, or the widest dense block added (0 for NULL). */
CTW_API uint64_t ctw_svmset_features(const ctw_svmset *s);
/** Number of stored, non-zero entries (0 for NULL). */
CTW_API uint64_t ctw_svmset_entries(const ctw_svmset *s);
/** Label of row i. CTW_E_RANGE past the end. */
CTW_API ctw_status ctw_svmset_label(const ctw_svmset *s, uint64_t i, int64_t *label);
/** Entries of row i, borrowed until the next row is added or the set dies; any out pointer may be NULL. CTW_E_RANGE. */
CTW_API ctw_status ctw_svmset_row(const ctw_svmset *s, uint64_t i, const int32_t **column, const double **value,
                                  uint64_t *count);
/**
 * Reads LIBSVM text, `label index:value ...` a line, indices from 1 and ascending, labels whole numbers; '#' starts
 * a comment. CTW_E_FORMAT names line and column. Memory is bounded by the text's length.
 */
CTW_API ctw_status ctw_svmset_load_mem(ctw_ctx *ctx, const void *text, uint64_t len, ctw_svmset **out);
/** The same from a file of at most 4 GiB; CTW_E_IO when it cannot be read. */
CTW_API ctw_status ctw_svmset_load_file(ctw_ctx *ctx, const char *path, ctw_svmset **out);
/** Writes LIBSVM text, shortest digits that read back equal; sizes with buf NULL and cap 0. CTW_E_BUFFER. */
CTW_API ctw_status ctw_svmset_save_mem(const ctw_svmset *s, void *buf, uint64_t cap, uint64_t *need);
/** The same to a file, written beside and renamed. CTW_E_IO. */
CTW_API ctw_status ctw_svmset_save_file(const ctw_svmset *s, const char *path);

/* ---- svm: the classifier ------------------------------------------------- */

/**
 * A classifier. Options (kind "svm"): see doc/options or ctw_params_at.
 * Threads: fit, update and the setters exclusively (CTW_E_BUSY otherwise); every const function of a fitted model
 * in parallel.
 */
typedef struct ctw_svm ctw_svm;

/** An unfitted classifier; params of kind "svm" or NULL. CTW_E_ARG, CTW_E_TYPE (other kind), CTW_E_NOMEM. */
CTW_API ctw_status ctw_svm_new(ctw_ctx *ctx, const ctw_params *params, ctw_svm **out);
/** One more owner; returns m. */
CTW_API ctw_svm *ctw_svm_ref(ctw_svm *m);
/** One owner less; the last one frees it. */
CTW_API void ctw_svm_unref(ctw_svm *m);
/** Progress of fits: step = iterations so far (from 0 again for each machine of several classes), bound = largest
 * violation, best = objective or NaN. NULL stops reporting. */
CTW_API ctw_status ctw_svm_set_progress(ctw_svm *m, ctw_progress_fn fn, void *user);
/**
 * Multiplies C for the rows of one class in later fits, on top of option class_weight and of row weights (so
 * LIBSVM's -wi). weight > 0, else CTW_E_RANGE. Setting a label again replaces its weight.
 */
CTW_API ctw_status ctw_svm_set_class_weight(ctw_svm *m, int64_t label, double weight);

/**
 * Learns from n rows of d features, `stride` doubles apart. `label`: n whole numbers, at least two distinct. `weight`:
 * n positive factors of C, or NULL for ones. A failed or stopped fit leaves the model unfitted. CTW_E_ARG (one class
 * only), CTW_E_SHAPE, CTW_E_NONFINITE, CTW_E_RANGE (weight <= 0), CTW_E_NOMEM, CTW_E_BUSY, CTW_E_CANCELLED,
 * CTW_E_DEADLINE. Reaching option max_iter is no failure: the report's "converged" is then 0.
 */
CTW_API ctw_status ctw_svm_fit(ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                               const int64_t *label, const double *weight, ctw_cancel *cancel);
/** The same from a set; weight has one value a row, or is NULL. */
CTW_API ctw_status ctw_svm_fit_set(ctw_svm *m, const ctw_svmset *s, const double *weight, ctw_cancel *cancel);

/**
 * Adds n rows of d = ctw_svm_features() features to a fitted model. Solvers smo and cd (option incremental) go on from
 * their solution to the optimum over all rows ever given: the answer is a cold fit's within tol. New labels become new
 * classes. Default gamma stays that of the first fit; probabilities, where asked for, are cross-validated again.
 * Solver sgd takes one pass over the new rows, whose labels it must know (CTW_E_ARG), and keeps nothing. A failed or
 * stopped update changes nothing. CTW_E_STATE (not fitted, or without option incremental), CTW_E_SHAPE,
 * CTW_E_NONFINITE, CTW_E_RANGE, CTW_E_NOMEM, CTW_E_BUSY, CTW_E_CANCELLED, CTW_E_DEADLINE.
 */
CTW_API ctw_status ctw_svm_update(ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                                  const int64_t *label, const double *weight, ctw_cancel *cancel);
/** The same from a set, which may be wider than the model's rows (not for sgd). */
CTW_API ctw_status ctw_svm_update_set(ctw_svm *m, const ctw_svmset *s, const double *weight, ctw_cancel *cancel);
/**
 * Drops the oldest `count` kept rows and goes on to the optimum without them. CTW_E_ARG when fewer than two classes
 * would remain, CTW_E_RANGE past ctw_svm_kept(), CTW_E_STATE without option incremental.
 */
CTW_API ctw_status ctw_svm_forget(ctw_svm *m, uint64_t count, ctw_cancel *cancel);
/** Training rows kept for updates; 0 without option incremental. */
CTW_API uint64_t ctw_svm_kept(const ctw_svm *m);

/** Number of classes, 0 before a fit. */
CTW_API uint64_t ctw_svm_classes(const ctw_svm *m);
/** Label of class i; ascending after a fit, in the file's order after an import. CTW_E_RANGE, CTW_E_STATE. */
CTW_API ctw_status ctw_svm_class_at(const ctw_svm *m, uint64_t i, int64_t *label);
/** Number of features learned from, 0 before a fit. Rows to predict may be narrower or wider: see predict. */
CTW_API uint64_t ctw_svm_features(const ctw_svm *m);
/** Columns of the decision values: 1 for two classes, else k(k-1)/2 (one against one) or k (one against the rest). */
CTW_API uint64_t ctw_svm_decisions(const ctw_svm *m);
/** Number of distinct support vectors, or of rows at non-zero multiplier for linear solvers; 0 before a fit. */
CTW_API uint64_t ctw_svm_vectors(const ctw_svm *m);

/**
 * Classes of n rows. out_label: n. out_prob: n rows of ctw_svm_classes(), `prob_stride` apart, or NULL; asking for it
 * needs a model fitted with option probability (CTW_E_STATE). d must be the model's (CTW_E_SHAPE). The label is the
 * vote's or the largest decision's, which need not have the largest probability near a tie. n 0 is fine.
 */
CTW_API ctw_status ctw_svm_predict(const ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                                   int64_t *out_label, double *out_prob, uint64_t prob_stride);
/** The same for the rows of a set; columns the model has not seen have no influence on linear models. */
CTW_API ctw_status ctw_svm_predict_set(const ctw_svm *m, const ctw_svmset *s, int64_t *out_label, double *out_prob,
                                       uint64_t prob_stride);
/**
 * Decision values: n rows of ctw_svm_decisions(), `out_stride` apart. Two classes: > 0 speaks for class 1, < 0 for
 * class 0. One against one, pairs (0,1), (0,2) ... (1,2) ...: > 0 speaks for the pair's second class. One against the
 * rest: > 0 speaks for the column's class.
 */
CTW_API ctw_status ctw_svm_decision(const ctw_svm *m, const double *x, uint64_t n, uint64_t d, uint64_t stride,
                                    double *out, uint64_t out_stride);
/** The same for the rows of a set. */
CTW_API ctw_status ctw_svm_decision_set(const ctw_svm *m, const ctw_svmset *s, double *out, uint64_t out_stride);
/** Weights (ctw_svm_features() values) and bias of decision column i of a linear model. CTW_E_UNSUPPORTED otherwise. */
CTW_API ctw_status ctw_svm_coefficients(const ctw_svm *m, uint64_t i, double *weight, double *bias);

/**
 * What the last fit did: "objective" (dual, as LIBSVM prints it, summed over machines; primal for sgd), "n_sv",
 * "n_bounded", "iterations", "converged", "machines", "classes", "features", series "objective_each".
 */
CTW_API ctw_status ctw_svm_report(const ctw_svm *m, ctw_report **out);

/** Bytes of a saved model; sizes with buf NULL and cap 0. CTW_E_STATE before a fit, CTW_E_BUFFER. */
CTW_API ctw_status ctw_svm_save_mem(const ctw_svm *m, void *buf, uint64_t cap, uint64_t *need);
/** Reads one back. CTW_E_FORMAT, CTW_E_KIND, CTW_E_VERSION, CTW_E_NOMEM. */
CTW_API ctw_status ctw_svm_load_mem(ctw_ctx *ctx, const void *buf, uint64_t len, ctw_svm **out);
/** Saves to a file, written beside and renamed. CTW_E_IO. */
CTW_API ctw_status ctw_svm_save_file(const ctw_svm *m, const char *path);
/** Loads from a file. CTW_E_IO and whatever load_mem says. */
CTW_API ctw_status ctw_svm_load_file(ctw_ctx *ctx, const char *path, ctw_svm **out);

/* ---- choosing settings ---- */

/**
 * Cross-validates m's settings (not its fit; m may be unfitted) on the rows of s: every row is predicted by a
 * classifier that has not seen its fold. `group`: rows of equal value stay in one fold (one incident, one host), or
 * NULL: folds are dealt class by class. out_label (rows) and out_decision (rows; NaN with more than two classes) may be
 * NULL. Report: "accuracy", "accuracy_se" (over folds), "balanced_accuracy", series "accuracy_each", "rows", "folds";
 * for two classes also "precision", "recall", "f1" and "auc" of the larger label. CTW_E_RANGE (folds, or fewer groups
 * than folds), CTW_E_ARG (a training part with one class only) and whatever a fit says.
 */
CTW_API ctw_status ctw_svm_crossval(const ctw_svm *m, const ctw_svmset *s, const double *weight, const int64_t *group,
                                    uint64_t folds, ctw_cancel *cancel, int64_t *out_label, double *out_decision,
                                    ctw_report **out);
/**
 * Cross-validates every pair of the n_c values of option c and the n_gamma values of gamma (gamma NULL: m's own) on
 * the same folds. Report: "best_c", "best_gamma", "best_score" (accuracy, or balanced accuracy where the option
 * class_weight is balanced), series "scores" (n_c rows of n_gamma). The first of equals is best.
 */
CTW_API ctw_status ctw_svm_grid(const ctw_svm *m, const ctw_svmset *s, const double *weight, const int64_t *group,
                                uint64_t folds, const double *c, uint64_t n_c, const double *gamma, uint64_t n_gamma,
                                ctw_cancel *cancel, ctw_report **out);

/* ---- model files of other programs ---- */

/** Text formats of trained models. */
enum {
    CTW_SVM_LIBSVM = 1,   /**< LIBSVM's svm_save_model: two classes or one against one */
    CTW_SVM_LIBLINEAR = 2 /**< LIBLINEAR's save_model: linear, two classes or one against the rest */
};

/**
 * Reads a LIBSVM classification model (c_svc, nu_svc; linear, polynomial, rbf, sigmoid; with probabilities if it has
 * them) or a LIBLINEAR classification model (every solver type; logistic ones come with probabilities), told apart by
 * their first line. Decisions, labels and probabilities are theirs (a decision's sign follows ctw_svm_decision's
 * rule). CTW_E_FORMAT names line and column; CTW_E_UNSUPPORTED for regression, one-class and precomputed kernels.
 */
CTW_API ctw_status ctw_svm_import_mem(ctw_ctx *ctx, const void *text, uint64_t len, ctw_svm **out);
/** The same from a file of at most 4 GiB. CTW_E_IO. */
CTW_API ctw_status ctw_svm_import_file(ctw_ctx *ctx, const char *path, ctw_svm **out);
/**
 * Writes the model in the given format; sizes with buf NULL and cap 0. CTW_E_UNSUPPORTED when the format cannot hold
 * it (kernel to LIBLINEAR, one against one to LIBLINEAR, one against the rest of three and more classes to LIBSVM),
 * CTW_E_STATE before a fit, CTW_E_RANGE for another format, CTW_E_BUFFER. LIBLINEAR's format has no probabilities.
 */
CTW_API ctw_status ctw_svm_export_mem(const ctw_svm *m, int32_t format, void *buf, uint64_t cap, uint64_t *need);
/** The same to a file, written beside and renamed. CTW_E_IO. */
CTW_API ctw_status ctw_svm_export_file(const ctw_svm *m, int32_t format, const char *path);

#ifdef __cplusplus
}
#endif
#endif
