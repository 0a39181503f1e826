/* status.c: names of the status codes, and the version and build facts of the loaded library. */
#include "base/error.h"
#include "ctw_version.h"

const char *ctw_status_name(ctw_status s)
{
    switch (s) {
    case CTW_OK: return "CTW_OK";
    case CTW_E_INTERNAL: return "CTW_E_INTERNAL";
    case CTW_E_NOMEM: return "CTW_E_NOMEM";
    case CTW_E_ARG: return "CTW_E_ARG";
    case CTW_E_RANGE: return "CTW_E_RANGE";
    case CTW_E_SHAPE: return "CTW_E_SHAPE";
    case CTW_E_NONFINITE: return "CTW_E_NONFINITE";
    case CTW_E_STATE: return "CTW_E_STATE";
    case CTW_E_BUSY: return "CTW_E_BUSY";
    case CTW_E_KEY: return "CTW_E_KEY";
    case CTW_E_TYPE: return "CTW_E_TYPE";
    case CTW_E_IO: return "CTW_E_IO";
    case CTW_E_FORMAT: return "CTW_E_FORMAT";
    case CTW_E_VERSION: return "CTW_E_VERSION";
    case CTW_E_KIND: return "CTW_E_KIND";
    case CTW_E_BUFFER: return "CTW_E_BUFFER";
    case CTW_E_SINGULAR: return "CTW_E_SINGULAR";
    case CTW_E_NOCONV: return "CTW_E_NOCONV";
    case CTW_E_INFEASIBLE: return "CTW_E_INFEASIBLE";
    case CTW_E_BACKEND: return "CTW_E_BACKEND";
    case CTW_E_CANCELLED: return "CTW_E_CANCELLED";
    case CTW_E_DEADLINE: return "CTW_E_DEADLINE";
    case CTW_E_UNSUPPORTED: return "CTW_E_UNSUPPORTED";
    default: return "CTW_E_?";
    }
}

uint32_t ctw_version(void)
{
    return CTW_VERSION_NUMBER;
}

const char *ctw_version_string(void)
{
    return CTW_VERSION_TEXT;
}
