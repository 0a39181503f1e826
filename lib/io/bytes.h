/* bytes.h: little-endian reading and writing that cannot run over. A reader that meets the end stays
 * failed, so a parser may read a whole section and check once. */
#ifndef CTW_IO_BYTES_H
#define CTW_IO_BYTES_H

#include <cybertwin/base.h>
#include <stddef.h>

typedef struct ctw_io__reader {
    const unsigned char *at;
    size_t left;
    int failed;
} ctw_io__reader;

uint8_t ctw_io__get_u8(ctw_io__reader *r);
uint16_t ctw_io__get_u16(ctw_io__reader *r);
uint32_t ctw_io__get_u32(ctw_io__reader *r);
uint64_t ctw_io__get_u64(ctw_io__reader *r);
int64_t ctw_io__get_i64(ctw_io__reader *r);
double ctw_io__get_f64(ctw_io__reader *r);
/* n raw bytes, borrowed; NULL (failed) when fewer are left. */
const unsigned char *ctw_io__get_raw(ctw_io__reader *r, size_t n);
/* n doubles into out; every one must be finite or the reader fails. */
void ctw_io__get_f64s(ctw_io__reader *r, double *out, size_t n);
/* A u64 count whose elements of `size` bytes must still fit into what is left; 0 (failed) otherwise. So an
 * allocation sized by it is bounded by the file's length. */
size_t ctw_io__get_count(ctw_io__reader *r, size_t size);

/* Grows in the context's memory; after a failed allocation it stays failed (status CTW_E_NOMEM). */
typedef struct ctw_io__writer {
    ctw_ctx *ctx;
    unsigned char *data;
    size_t size, cap;
    int failed;
} ctw_io__writer;

void ctw_io__put_u8(ctw_io__writer *w, uint8_t v);
void ctw_io__put_u16(ctw_io__writer *w, uint16_t v);
void ctw_io__put_u32(ctw_io__writer *w, uint32_t v);
void ctw_io__put_u64(ctw_io__writer *w, uint64_t v);
void ctw_io__put_i64(ctw_io__writer *w, int64_t v);
void ctw_io__put_f64(ctw_io__writer *w, double v);
void ctw_io__put_raw(ctw_io__writer *w, const void *p, size_t n);
void ctw_io__put_f64s(ctw_io__writer *w, const double *v, size_t n);
/* u64 count first, then the values: read back with get_count(r, 8) + get_f64s. */
void ctw_io__put_vec(ctw_io__writer *w, const double *v, size_t n);
/* Overwrites 8 bytes at an earlier offset (a length known only afterwards). */
void ctw_io__patch_u64(ctw_io__writer *w, size_t at, uint64_t v);
void ctw_io__writer_free(ctw_io__writer *w);

#endif
