/* bytes.c: little-endian access byte by byte, so that neither alignment nor the host's byte order matters. */
#include "io/bytes.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

const unsigned char *ctw_io__get_raw(ctw_io__reader *r, size_t n)
{
    if (r->failed || n > r->left) {
        r->failed = 1;
        r->left = 0;
        return NULL;
    }
    const unsigned char *p = r->at;
    r->at += n;
    r->left -= n;
    return p;
}

static uint64_t get(ctw_io__reader *r, size_t bytes)
{
    const unsigned char *p = ctw_io__get_raw(r, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < bytes; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t ctw_io__get_u8(ctw_io__reader *r)
{
    return (uint8_t)get(r, 1);
}

uint16_t ctw_io__get_u16(ctw_io__reader *r)
{
    return (uint16_t)get(r, 2);
}

uint32_t ctw_io__get_u32(ctw_io__reader *r)
{
    return (uint32_t)get(r, 4);
}

uint64_t ctw_io__get_u64(ctw_io__reader *r)
{
    return get(r, 8);
}

int64_t ctw_io__get_i64(ctw_io__reader *r)
{
    return (int64_t)get(r, 8);
}

double ctw_io__get_f64(ctw_io__reader *r)
{
    uint64_t bits = get(r, 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

void ctw_io__get_f64s(ctw_io__reader *r, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = ctw_io__get_f64(r);
        if (!isfinite(out[i])) r->failed = 1;
        if (r->failed) return;
    }
}

size_t ctw_io__get_count(ctw_io__reader *r, size_t size)
{
    uint64_t n = ctw_io__get_u64(r);
    if (!r->failed && n <= r->left / (size ? size : 1)) return (size_t)n;
    r->failed = 1;
    r->left = 0;
    return 0;
}

void ctw_io__put_raw(ctw_io__writer *w, const void *p, size_t n)
{
    if (w->failed || n == 0) return;
    void *grown = w->data;
    if (n > SIZE_MAX - w->size || ctw_base__grow(w->ctx, &grown, &w->cap, w->size + n, 1)) {
        w->failed = 1;
        return;
    }
    w->data = grown;
    memcpy(w->data + w->size, p, n);
    w->size += n;
}

static void spread(unsigned char *out, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) out[i] = (unsigned char)(v >> (8 * i));
}

static void put(ctw_io__writer *w, uint64_t v, size_t bytes)
{
    unsigned char b[8];
    spread(b, v, bytes);
    ctw_io__put_raw(w, b, bytes);
}

void ctw_io__put_u8(ctw_io__writer *w, uint8_t v)
{
    put(w, v, 1);
}

void ctw_io__put_u16(ctw_io__writer *w, uint16_t v)
{
    put(w, v, 2);
}

void ctw_io__put_u32(ctw_io__writer *w, uint32_t v)
{
    put(w, v, 4);
}

void ctw_io__put_u64(ctw_io__writer *w, uint64_t v)
{
    put(w, v, 8);
}

void ctw_io__put_i64(ctw_io__writer *w, int64_t v)
{
    put(w, (uint64_t)v, 8);
}

void ctw_io__put_f64(ctw_io__writer *w, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put(w, bits, 8);
}

void ctw_io__put_f64s(ctw_io__writer *w, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) ctw_io__put_f64(w, v[i]);
}

void ctw_io__put_vec(ctw_io__writer *w, const double *v, size_t n)
{
    ctw_io__put_u64(w, n);
    ctw_io__put_f64s(w, v, n);
}

void ctw_io__patch_u64(ctw_io__writer *w, size_t at, uint64_t v)
{
    if (!w->failed) spread(w->data + at, v, 8);
}

void ctw_io__writer_free(ctw_io__writer *w)
{
    if (w->ctx) ctw_base__free(w->ctx, w->data);
    *w = (ctw_io__writer){0};
}
