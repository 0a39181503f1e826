/* exec_internal.h: the handle of execution-time models, for its verbs (exec.c) and its file (exec_io.c). */
#ifndef CTW_QUEUE_EXEC_INTERNAL_H
#define CTW_QUEUE_EXEC_INTERNAL_H

#include "base/handle.h"
#include "queue/exec_fit.h"
#include <cybertwin/exec.h>

#define CTW_EXEC_MAGIC CTW_FOUR('E', 'X', 'E', 'C')

struct ctw_exec {
    ctw_base__handle h;
    ctw_params *params;
    int64_t instances;
    ctw_exec__prior prior;
    ctw_exec__fit *fit;
};

#endif
