/* about.c: the facts a bug report needs, gathered once from the layers that know them. */
#include "base/error.h"
#include "ctw_version.h"
#include "num/blas.h"
#include <pthread.h>

static char text[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void gather(void)
{
    ctw_base__format(text, sizeof text, "libcybertwin " CTW_VERSION_TEXT " (" CTW_BUILD_TYPE ", %s); BLAS: %s",
#if defined(__clang__)
                     "clang " __clang_version__,
#else
                     "gcc " __VERSION__,
#endif
                     ctw_num__blas_config());
}

const char *ctw_build_info(void)
{
    pthread_once(&once, gather);
    return text;
}
