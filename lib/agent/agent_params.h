/* agent_params.h: the option tables of this folder's handles. */
#ifndef CTW_AGENT_PARAMS_H
#define CTW_AGENT_PARAMS_H

#include "base/params.h"

extern const ctw_base__kind ctw_agent__kind;
extern const ctw_base__kind ctw_dual__kind;
extern const ctw_base__kind ctw_features__kind;
extern const ctw_base__kind ctw_bandit__kind;
extern const ctw_base__kind ctw_ope__kind;
extern const ctw_base__kind ctw_policy__kind;
extern const ctw_base__kind ctw_prior__kind;

#endif
