/* squeeze.h: fewer servers for what is packed already. */
#ifndef CTW_PLACE_SQUEEZE_H
#define CTW_PLACE_SQUEEZE_H

#include "place/pack.h"

/* Improves the patterns of the packer's last cell: never dearer, never more left over. CTW_E_NOMEM. */
ctw_status ctw_place__squeeze(ctw_place__packer *p);

#endif
