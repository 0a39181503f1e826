/* inst_jobs.h: the job half of compiling a problem. */
#ifndef CTW_PLACE_INST_JOBS_H
#define CTW_PLACE_INST_JOBS_H

#include "place/inst.h"

ctw_status ctw_place__inst_jobs(const ctw_place *p, ctw_place__inst *in, const char *fn);

#endif
