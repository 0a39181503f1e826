/* damaged.h: the words for a number in a file that no model of its kind can hold. */
#ifndef CTW_POWER_DAMAGED_H
#define CTW_POWER_DAMAGED_H

#include "base/error.h"

/* "fn: WHAT in the file cannot be a KIND's". */
static inline ctw_status ctw_power__damaged(const char *fn, const char *what, const char *kind)
{
    return ctw_base__fail(CTW_E_FORMAT, "%s: %s in the file cannot be a %s's", fn, what, kind);
}

#endif
