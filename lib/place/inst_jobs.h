/* inst_jobs.h: the job half of compiling a problem. */
#ifndef CTW_PLACE_INST_JOBS_H
#define CTW_PLACE_INST_JOBS_H

#include "place/inst.h"

ctw_status ctw_place__inst_jobs(const ctw_place *p, ctw_place__inst *in, const char *fn);
/* migrate.c: where units run before slot 0; `index_of` maps rows to services, -1 for batch. */
ctw_status ctw_place__inst_running(const ctw_place *p, ctw_place__inst *in, const int32_t *index_of, const char *fn);

#endif
