/**
 * @file base.h
 * What every module shares: status codes, the error text, context, options,
 * cancellation and deadlines, reports, version.
 *
 * Rules that hold for every function of the library:
 * - A function that can fail returns ctw_status; CTW_OK is 0, failures are negative.
 * - Inputs are copied or used only during the call; nothing borrowed is kept.
 * - Constructors set `*out = NULL` before anything else; `*_unref(NULL)` is a no-op
 *   and `*_ref(NULL)` returns NULL.
 * - A failed call leaves its handle as it was (a failed *fit* leaves it unfitted).
 * - Strides count elements, not bytes. A matrix is rows of samples, columns adjacent.
 * - Text is UTF-8 and NUL-terminated; '.' is the decimal point in every locale.
 * - The library never prints, exits, reads the environment or changes global state.
 *
 * Threads: see the note of each handle. The error text is thread-local.
 */
#ifndef CYBERTWIN_BASE_H
#define CYBERTWIN_BASE_H

#include <stdint.h>

#ifndef CTW_API
#if defined(__GNUC__)
/** Marks what the shared library exports; everything else stays hidden. */
#define CTW_API __attribute__((visibility("default")))
#else
#define CTW_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status -------------------------------------------------------------- */

/** Result of a call: CTW_OK or a negative code. Treat an unknown negative value as "failed". */
typedef int32_t ctw_status;

/** Status values; frozen once released. */
enum {
    CTW_OK = 0,             /**< success */
    CTW_E_INTERNAL = -1,    /**< a bug in the library; the message names the place */
    CTW_E_NOMEM = -2,       /**< the allocator, GLPK or LAPACK ran out of memory */
    CTW_E_ARG = -10,        /**< a null, empty or contradictory argument */
    CTW_E_RANGE = -11,      /**< a value outside its documented interval */
    CTW_E_SHAPE = -12,      /**< lengths or strides that do not agree */
    CTW_E_NONFINITE = -13,  /**< NaN or infinity where the input may not have one */
    CTW_E_STATE = -14,      /**< verb called too early (predict before fit) or on a dead handle */
    CTW_E_BUSY = -15,       /**< the handle is inside another call */
    CTW_E_KEY = -20,        /**< no option, metric, column or id of that name */
    CTW_E_TYPE = -21,       /**< that option or field has another type */
    CTW_E_IO = -30,         /**< the operating system refused; the message carries its text */
    CTW_E_FORMAT = -31,     /**< not one of our files, damaged, or malformed data */
    CTW_E_VERSION = -32,    /**< ours, but written by a newer major format */
    CTW_E_KIND = -33,       /**< ours, but another kind of model */
    CTW_E_BUFFER = -34,     /**< caller's buffer too small; the needed size was stored */
    CTW_E_SINGULAR = -40,   /**< the numbers do not determine an answer */
    CTW_E_NOCONV = -41,     /**< iteration limit reached without convergence, or divergence */
    CTW_E_INFEASIBLE = -42, /**< no answer satisfies the constraints; the message names one */
    CTW_E_BACKEND = -43,    /**< GLPK, LAPACK or a sensor gave up; the message carries its text */
    CTW_E_CANCELLED = -50,  /**< stopped on request before there was any answer */
    CTW_E_DEADLINE = -51,   /**< out of time before there was any answer */
    CTW_E_UNSUPPORTED = -60 /**< built without it, or this machine lacks it */
};

/** Name of a status, e.g. "CTW_E_RANGE" ("CTW_E_?" if unknown); never NULL, static storage. */
CTW_API const char *ctw_status_name(ctw_status s);

/**
 * What went wrong in the last failed call on this thread, in one sentence: the
 * function, the value and its limit, and file:line for data. Never NULL; valid
 * until this thread's next ctw_ call. Successful calls leave it alone.
 */
CTW_API const char *ctw_error_message(void);

/* ---- version ------------------------------------------------------------- */

/** Version of the loaded library: major*1000000 + minor*1000 + patch. */
CTW_API uint32_t ctw_version(void);
/** Version of the loaded library as text, e.g. "0.1.0". Static storage. */
CTW_API const char *ctw_version_string(void);
/** Facts a bug report needs (version, compiler, GLPK and BLAS configuration), one line. Static storage. */
CTW_API const char *ctw_build_info(void);

/* ---- context ------------------------------------------------------------- */

/**
 * Owns the allocator, the log sink and the seed. Counted, and every handle keeps
 * its context alive, so handles and context may be dropped in any order.
 * Threads: free to share; set_log and set_seed before sharing.
 */
typedef struct ctw_ctx ctw_ctx;

/**
 * One function does all memory work: new_size 0 frees, ptr NULL allocates,
 * otherwise resizes; NULL return means out of memory (ptr then stays valid).
 * Returned memory is aligned as malloc's. Must be callable from any thread.
 * GLPK and LAPACK's own workspaces do not go through it.
 */
typedef void *(*ctw_alloc_fn)(void *user, void *ptr, uint64_t old_size, uint64_t new_size);

/** Log levels. */
enum {
    CTW_LOG_ERROR = 0, /**< a call failed in a way the status alone does not tell */
    CTW_LOG_WARN = 1,  /**< a fallback was taken */
    CTW_LOG_INFO = 2,  /**< one line per long operation */
    CTW_LOG_DEBUG = 3  /**< solver and optimiser detail */
};

/** Log sink. `origin` is the module's name. Called on the thread that made the call. */
typedef void (*ctw_log_fn)(void *user, int32_t level, const char *origin, const char *message);

/**
 * New context; `alloc` NULL means the C library's allocator, on Linux with blocks of 8 MiB and
 * more mapped by themselves and large pages asked for (madvise; small ones do where the system
 * grants none). CTW_E_ARG, CTW_E_NOMEM.
 */
CTW_API ctw_status ctw_ctx_new(ctw_alloc_fn alloc, void *user, ctw_ctx **out);
/** One more owner; returns ctx. */
CTW_API ctw_ctx *ctw_ctx_ref(ctw_ctx *ctx);
/** One owner less; the last one frees it. */
CTW_API void ctw_ctx_unref(ctw_ctx *ctx);

/** Sends log lines up to `max_level` to `fn`; NULL silences again (the default). */
CTW_API ctw_status ctw_ctx_set_log(ctw_ctx *ctx, ctw_log_fn fn, void *user, int32_t max_level);
/** Seed from which every random stream is derived, with the handle's own "stream" option. Default 0. */
CTW_API ctw_status ctw_ctx_set_seed(ctw_ctx *ctx, uint64_t seed);
/**
 * Sets BLAS's PROCESS-WIDE thread count to n >= 1. Never done unasked: with the
 * matrix sizes of this library one thread is fastest. CTW_E_UNSUPPORTED if the
 * BLAS in the process has no such call.
 */
CTW_API ctw_status ctw_ctx_set_blas_threads(ctw_ctx *ctx, int32_t n);

/* ---- params -------------------------------------------------------------- */

/**
 * A named bag of options for one kind of handle ("forecast", "place", ...). A
 * constructor copies what it needs, so the bag may be reused or dropped at once;
 * NULL in its place means every default. Threads: one writer; reading is free.
 */
typedef struct ctw_params ctw_params;

/** Types of options and report entries. */
enum {
    CTW_T_BOOL = 1,  /**< int32_t 0 or 1 */
    CTW_T_I64 = 2,   /**< int64_t */
    CTW_T_F64 = 3,   /**< double, never NaN */
    CTW_T_STR = 4,   /**< UTF-8 text, possibly one of a fixed set of choices */
    CTW_T_SERIES = 5 /**< an array of doubles (reports only) */
};

/** All options of `kind` at their defaults. CTW_E_KEY (with the nearest kind) if there is no such kind. */
CTW_API ctw_status ctw_params_new(ctw_ctx *ctx, const char *kind, ctw_params **out);
/** One more owner; returns p. */
CTW_API ctw_params *ctw_params_ref(ctw_params *p);
/** One owner less; the last one frees it. */
CTW_API void ctw_params_unref(ctw_params *p);
/** Number of kinds, and the name of kind i (NULL when i is out of range), for tools that list everything. */
CTW_API uint64_t ctw_params_kind_count(void);
/** Name of the i-th kind, NULL when out of range. Static storage. */
CTW_API const char *ctw_params_kind_at(uint64_t i);

/** Sets a boolean (0 or 1). Unknown key: CTW_E_KEY and the nearest name; wrong type: CTW_E_TYPE; never clamps. */
CTW_API ctw_status ctw_params_set_bool(ctw_params *p, const char *key, int32_t value);
/** Sets an integer; out of bounds is CTW_E_RANGE with the bounds in the message. */
CTW_API ctw_status ctw_params_set_i64(ctw_params *p, const char *key, int64_t value);
/** Sets a real; NaN and out of bounds are CTW_E_RANGE. */
CTW_API ctw_status ctw_params_set_f64(ctw_params *p, const char *key, double value);
/** Sets a text; where the option has fixed choices anything else is CTW_E_RANGE. */
CTW_API ctw_status ctw_params_set_str(ctw_params *p, const char *key, const char *utf8);
/** Parses `text` for whatever type the key has, e.g. from a command line. Malformed: CTW_E_TYPE. */
CTW_API ctw_status ctw_params_set_text(ctw_params *p, const char *key, const char *text);

/** Current value of a boolean. */
CTW_API ctw_status ctw_params_get_bool(const ctw_params *p, const char *key, int32_t *out);
/** Current value of an integer. */
CTW_API ctw_status ctw_params_get_i64(const ctw_params *p, const char *key, int64_t *out);
/** Current value of a real. */
CTW_API ctw_status ctw_params_get_f64(const ctw_params *p, const char *key, double *out);
/** Current text; borrowed until the key is set again or the bag dies. */
CTW_API ctw_status ctw_params_get_str(const ctw_params *p, const char *key, const char **out);

/** Number of options of this kind. */
CTW_API uint64_t ctw_params_count(const ctw_params *p);
/** The option table, for bindings, command lines and the manual. Any out pointer may be NULL. Static storage. */
CTW_API ctw_status ctw_params_at(const ctw_params *p, uint64_t i, const char **key, int32_t *type, const char **help);
/** Bounds (inclusive) and default of a real. Any out pointer may be NULL. */
CTW_API ctw_status ctw_params_bounds_f64(const ctw_params *p, const char *key, double *lo, double *hi, double *dflt);
/** Bounds (inclusive) and default of an integer or boolean. Any out pointer may be NULL. */
CTW_API ctw_status ctw_params_bounds_i64(const ctw_params *p, const char *key, int64_t *lo, int64_t *hi, int64_t *dflt);
/** Choices ("a|b|c", NULL when free text) and default of a text. Any out pointer may be NULL. Static storage. */
CTW_API ctw_status ctw_params_choices(const ctw_params *p, const char *key, const char **choices, const char **dflt);

/* ---- cancellation and deadlines ------------------------------------------ */

/**
 * A flag one thread raises and a long call on another thread looks at, with an
 * optional deadline. NULL is accepted wherever a ctw_cancel is taken. A call
 * stopped this way returns its best answer so far, or CTW_E_CANCELLED /
 * CTW_E_DEADLINE when there is none. Threads: free to share.
 */
typedef struct ctw_cancel ctw_cancel;

/** New flag, not raised, without deadline. */
CTW_API ctw_status ctw_cancel_new(ctw_ctx *ctx, ctw_cancel **out);
/** One more owner; returns c. */
CTW_API ctw_cancel *ctw_cancel_ref(ctw_cancel *c);
/** One owner less; the last one frees it. */
CTW_API void ctw_cancel_unref(ctw_cancel *c);
/** Raises the flag. Async-signal-safe; NULL is a no-op. */
CTW_API void ctw_cancel_request(ctw_cancel *c);
/** Lowers the flag and removes the deadline. NULL is a no-op. */
CTW_API void ctw_cancel_reset(ctw_cancel *c);
/** Every call given this flag stops `seconds` from now (monotonic clock); negative removes it. NaN: CTW_E_RANGE. */
CTW_API ctw_status ctw_cancel_set_deadline(ctw_cancel *c, double seconds);

/**
 * Progress of a long call, on the thread that made it, never on another. Non-zero
 * stops the call as a raised ctw_cancel does. Calling back into the same handle
 * gives CTW_E_BUSY.
 */
typedef int32_t (*ctw_progress_fn)(void *user, uint64_t step, double bound, double best);

/* ---- reports ------------------------------------------------------------- */

/** Named results of a solve, a backtest or a simulation; names only ever get added. Immutable: share freely. */
typedef struct ctw_report ctw_report;

/** One more owner; returns r. */
CTW_API ctw_report *ctw_report_ref(ctw_report *r);
/** One owner less; the last one frees it. */
CTW_API void ctw_report_unref(ctw_report *r);
/** Number of entries. */
CTW_API uint64_t ctw_report_count(const ctw_report *r);
/** Name and type of entry i; any out pointer may be NULL. Borrowed from the report. */
CTW_API ctw_status ctw_report_at(const ctw_report *r, uint64_t i, const char **key, int32_t *type);
/** A real (or an integer, converted). CTW_E_KEY with the nearest name if there is none. */
CTW_API ctw_status ctw_report_get_f64(const ctw_report *r, const char *key, double *out);
/** An integer. */
CTW_API ctw_status ctw_report_get_i64(const ctw_report *r, const char *key, int64_t *out);
/** A text; lives as long as the report. */
CTW_API ctw_status ctw_report_get_str(const ctw_report *r, const char *key, const char **out);
/** A series; `*data` lives as long as the report. */
CTW_API ctw_status ctw_report_series(const ctw_report *r, const char *key, const double **data, uint64_t *n);

#ifdef __cplusplus
}
#endif
#endif
