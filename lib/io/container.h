/* container.h: the file format all saved handles share (doc/format.md): a 32-byte header, then
 * sections with tag, version, length and checksum. */
#ifndef CTW_IO_CONTAINER_H
#define CTW_IO_CONTAINER_H

#include "io/bytes.h"

/* ---- writing: begin, for each section (open, put_*, close), then finish ---- */
typedef struct ctw_io__out {
    ctw_io__writer w;
    size_t section; /* offset of the open section's header */
} ctw_io__out;

void ctw_io__out_begin(ctw_io__out *o, ctw_ctx *ctx, uint32_t kind, uint16_t major, uint16_t minor);
/* skippable: an older reader that does not know the tag may pass over it. */
void ctw_io__out_open(ctw_io__out *o, uint32_t tag, uint16_t version, int skippable);
void ctw_io__out_close(ctw_io__out *o);
/* Section "PRMS": the options a model was built with, as key/value text. */
void ctw_io__out_params(ctw_io__out *o, const ctw_params *p);
/* Completes lengths and checksums. CTW_E_NOMEM if any put failed. The bytes are o->w.data, o->w.size. */
ctw_status ctw_io__out_finish(ctw_io__out *o);
void ctw_io__out_free(ctw_io__out *o);
/* The contract of every ctw_*_save_mem: *need is set (need not NULL); CTW_E_BUFFER when cap is too small
 * (buf NULL with cap 0 only asks for the size: CTW_OK). Frees o. */
ctw_status ctw_io__out_to_mem(ctw_io__out *o, void *buf, uint64_t cap, uint64_t *need, const char *fn);
/* The contract of every ctw_*_save_file: written beside, flushed, renamed. Frees o. */
ctw_status ctw_io__out_to_file(ctw_io__out *o, const char *path, const char *fn);

/* ---- reading ---- */
typedef struct ctw_io__in {
    const unsigned char *base;
    size_t size;
    uint16_t major, minor;
} ctw_io__in;

/* Checks magic, kind (CTW_E_KIND), major (<= max_major, else CTW_E_VERSION), length and every checksum. The
 * bytes are borrowed. Checksums are not checked under FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION. */
ctw_status ctw_io__in_begin(ctw_io__in *in, const void *buf, uint64_t len, uint32_t kind, uint16_t max_major,
                            const char *fn);
/* CTW_E_VERSION when a section that is not in `known` and not skippable stands there; CTW_E_FORMAT for a repeat. */
ctw_status ctw_io__in_known(const ctw_io__in *in, const uint32_t *known, size_t n, const char *fn);
/* Positions r on the section's bytes; CTW_E_FORMAT when it is missing. */
ctw_status ctw_io__in_section(const ctw_io__in *in, uint32_t tag, ctw_io__reader *r, const char *fn);
/* 1 when the section is there. */
int ctw_io__in_has(const ctw_io__in *in, uint32_t tag);
/* Section "PRMS" into a new bag of `kind`; keys this version does not know are CTW_E_VERSION. */
ctw_status ctw_io__in_params(const ctw_io__in *in, ctw_ctx *ctx, const char *kind, ctw_params **out, const char *fn);
/* Ends a section: CTW_E_FORMAT when the reader failed or bytes are left over. */
ctw_status ctw_io__in_end(const ctw_io__reader *r, const char *fn, const char *what);

#endif
