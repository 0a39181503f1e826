/* point_io.h: a state inside the file of an agent or a policy. */
#ifndef CTW_AGENT_POINT_IO_H
#define CTW_AGENT_POINT_IO_H

#include "agent/agent_internal.h"

void ctw_agent__point_save(ctw_io__writer *w, const ctw_agent__point *p);
/* At most max_active features below `rows`; CTW_E_FORMAT. */
ctw_status ctw_agent__point_load(ctw_io__reader *r, size_t max_active, size_t rows, ctw_agent__point *p,
                                 const char *fn);

#endif
