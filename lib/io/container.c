/* container.c: the file format all saved handles share. Header, 32 bytes:
 *   0 magic 89 43 54 57 0D 0A 1A 0A | 8 kind u32 | 12 major u16 | 14 minor u16 | 16 payload length u64
 *   24 zero u32 | 28 CRC-32C of bytes 0..27
 * Section: tag u32 | version u16 | flags u16 (bit 0: skippable) | length u64 | bytes | CRC-32C of all before. */
#include "io/container.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/handle.h"
#include "base/params.h"
#include "io/crc32c.h"
#include "io/file.h"
#include <inttypes.h>
#include <string.h>

static const unsigned char magic[8] = {0x89, 'C', 'T', 'W', 0x0D, 0x0A, 0x1A, 0x0A};
enum { HEADER = 32, SECTION_HEAD = 16, SECTION_TAIL = 4 };

#define TAG_PARAMS CTW_FOUR('P', 'R', 'M', 'S')

/* ---- writing ---- */

void ctw_io__out_begin(ctw_io__out *o, ctw_ctx *ctx, uint32_t kind, uint16_t major, uint16_t minor)
{
    *o = (ctw_io__out){.w.ctx = ctx};
    ctw_io__put_raw(&o->w, magic, sizeof magic);
    ctw_io__put_u32(&o->w, kind);
    ctw_io__put_u16(&o->w, major);
    ctw_io__put_u16(&o->w, minor);
    ctw_io__put_u64(&o->w, 0);
    ctw_io__put_u64(&o->w, 0);
}

void ctw_io__out_open(ctw_io__out *o, uint32_t tag, uint16_t version, int skippable)
{
    o->section = o->w.size;
    ctw_io__put_u32(&o->w, tag);
    ctw_io__put_u16(&o->w, version);
    ctw_io__put_u16(&o->w, skippable ? 1 : 0);
    ctw_io__put_u64(&o->w, 0);
}

void ctw_io__out_close(ctw_io__out *o)
{
    if (o->w.failed) return;
    ctw_io__patch_u64(&o->w, o->section + 8, o->w.size - o->section - SECTION_HEAD);
    ctw_io__put_u32(&o->w, ctw_io__crc32c(0, o->w.data + o->section, o->w.size - o->section));
}

void ctw_io__out_params(ctw_io__out *o, const ctw_params *p)
{
    uint64_t n = ctw_params_count(p);
    ctw_io__out_open(o, TAG_PARAMS, 1, 0);
    ctw_io__put_u64(&o->w, n);
    for (uint64_t i = 0; i < n; i++) {
        const char *key = "";
        char small[64];
        ctw_params_at(p, i, &key, NULL, NULL);
        size_t len = ctw_base__params_text(p, (size_t)i, small, sizeof small);
        char *text = small;
        if (len >= sizeof small) {
            text = ctw_base__alloc(o->w.ctx, len + 1, 1);
            if (!text) {
                o->w.failed = 1;
                return;
            }
            ctw_base__params_text(p, (size_t)i, text, len + 1);
        }
        ctw_io__put_u16(&o->w, (uint16_t)strlen(key));
        ctw_io__put_raw(&o->w, key, strlen(key));
        ctw_io__put_u32(&o->w, (uint32_t)len);
        ctw_io__put_raw(&o->w, text, len);
        if (text != small) ctw_base__free(o->w.ctx, text);
    }
    ctw_io__out_close(o);
}

ctw_status ctw_io__out_finish(ctw_io__out *o)
{
    if (o->w.failed) return ctw_base__nomem();
    ctw_io__patch_u64(&o->w, 16, o->w.size - HEADER);
    uint64_t crc = ctw_io__crc32c(0, o->w.data, HEADER - 4);
    ctw_io__patch_u64(&o->w, 24, crc << 32);
    return CTW_OK;
}

void ctw_io__out_free(ctw_io__out *o)
{
    ctw_io__writer_free(&o->w);
}

static ctw_status copy_out(ctw_io__out *o, void *buf, uint64_t cap, uint64_t *need, const char *fn)
{
    CTW_TRY(ctw_base__need(need, fn, "need"));
    CTW_TRY(ctw_base__need_n(buf, cap, fn, "buf"));
    CTW_TRY(ctw_io__out_finish(o));
    *need = o->w.size;
    if (!buf) return CTW_OK;
    if (cap < o->w.size)
        return ctw_base__fail(CTW_E_BUFFER, "%s: cap is %" PRIu64 ", but %zu bytes are needed", fn, cap, o->w.size);
    memcpy(buf, o->w.data, o->w.size);
    return CTW_OK;
}

ctw_status ctw_io__out_to_mem(ctw_io__out *o, void *buf, uint64_t cap, uint64_t *need, const char *fn)
{
    ctw_status s = copy_out(o, buf, cap, need, fn);
    ctw_io__out_free(o);
    return s;
}

ctw_status ctw_io__out_to_file(ctw_io__out *o, const char *path, const char *fn)
{
    ctw_status s = ctw_base__need(path, fn, "path");
    if (s == CTW_OK) s = ctw_io__out_finish(o);
    if (s == CTW_OK) s = ctw_io__file_write(o->w.ctx, path, o->w.data, o->w.size, fn);
    ctw_io__out_free(o);
    return s;
}

/* ---- reading ---- */

static int checksum_ok(const unsigned char *p, size_t n, uint32_t stored)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)p, (void)n, (void)stored;
    return 1;
#else
    return ctw_io__crc32c(0, p, n) == stored;
#endif
}

typedef struct section {
    uint32_t tag;
    uint16_t flags;
    ctw_io__reader body;
} section;

/* The section at *at, advanced past it. 0 at the payload's end, -1 when damaged. */
static int next_section(const ctw_io__in *in, size_t *at, section *out)
{
    if (*at == in->size) return 0;
    ctw_io__reader r = {in->base + *at, in->size - *at, 0};
    const unsigned char *start = r.at;
    out->tag = ctw_io__get_u32(&r);
    ctw_io__get_u16(&r);
    out->flags = ctw_io__get_u16(&r);
    size_t len = ctw_io__get_count(&r, 1);
    const unsigned char *body = ctw_io__get_raw(&r, len);
    uint32_t crc = ctw_io__get_u32(&r);
    if (r.failed || !checksum_ok(start, SECTION_HEAD + len, crc)) return -1;
    out->body = (ctw_io__reader){body, len, 0};
    *at += SECTION_HEAD + len + SECTION_TAIL;
    return 1;
}

static ctw_status check_header(ctw_io__in *in, uint32_t kind, uint16_t max_major, const char *fn)
{
    if (in->size < HEADER || memcmp(in->base, magic, sizeof magic) != 0)
        return ctw_base__fail(CTW_E_FORMAT, "%s: not a libcybertwin file (no such magic in its first 8 bytes)", fn);
    ctw_io__reader r = {in->base + sizeof magic, HEADER - sizeof magic, 0};
    uint32_t found = ctw_io__get_u32(&r);
    in->major = ctw_io__get_u16(&r);
    in->minor = ctw_io__get_u16(&r);
    uint64_t payload = ctw_io__get_u64(&r);
    uint32_t zero = ctw_io__get_u32(&r), crc = ctw_io__get_u32(&r);
    if (!checksum_ok(in->base, HEADER - 4, crc) || zero != 0)
        return ctw_base__fail(CTW_E_FORMAT, "%s: the file's header is damaged (checksum)", fn);
    if (found != kind)
        return ctw_base__fail(CTW_E_KIND, "%s: the file holds a \"%.4s\", not a \"%.4s\"", fn,
                              (const char *)in->base + sizeof magic,
                              (char[4]){(char)kind, (char)(kind >> 8), (char)(kind >> 16), (char)(kind >> 24)});
    if (in->major == 0 || in->major > max_major)
        return ctw_base__fail(CTW_E_VERSION, "%s: the file has format %d.%d, this library reads up to %d", fn,
                              (int)in->major, (int)in->minor, (int)max_major);
    if (payload != in->size - HEADER)
        return ctw_base__fail(CTW_E_FORMAT, "%s: the file is %zu bytes long, its header says %" PRIu64, fn, in->size,
                              payload + HEADER);
    return CTW_OK;
}

ctw_status ctw_io__in_begin(ctw_io__in *in, const void *buf, uint64_t len, uint32_t kind, uint16_t max_major,
                            const char *fn)
{
    CTW_TRY(ctw_base__need(buf, fn, "buf"));
    if (len > SIZE_MAX) return ctw_base__fail(CTW_E_RANGE, "%s: len is %" PRIu64, fn, len);
    *in = (ctw_io__in){.base = buf, .size = (size_t)len};
    CTW_TRY(check_header(in, kind, max_major, fn));
    size_t at = HEADER;
    section s;
    int more;
    while ((more = next_section(in, &at, &s)) > 0) {
    }
    if (more < 0)
        return ctw_base__fail(CTW_E_FORMAT, "%s: the section at byte %zu is damaged (length or checksum)", fn, at);
    return CTW_OK;
}

/* The n-th section of that tag from 0; 1 when found. */
static int find_section(const ctw_io__in *in, uint32_t tag, int n, section *out)
{
    size_t at = HEADER;
    while (next_section(in, &at, out) > 0)
        if (out->tag == tag && n-- == 0) return 1;
    return 0;
}

ctw_status ctw_io__in_known(const ctw_io__in *in, const uint32_t *known, size_t n, const char *fn)
{
    size_t at = HEADER;
    section s, again;
    while (next_section(in, &at, &s) > 0) {
        size_t i = 0;
        while (i < n && known[i] != s.tag) i++;
        const char *name = (const char *)s.body.at - SECTION_HEAD;
        if (i == n && !(s.flags & 1))
            return ctw_base__fail(CTW_E_VERSION, "%s: section \"%.4s\" is of a newer format", fn, name);
        if (i < n && find_section(in, s.tag, 1, &again))
            return ctw_base__fail(CTW_E_FORMAT, "%s: section \"%.4s\" stands there twice", fn, name);
    }
    return CTW_OK;
}

ctw_status ctw_io__in_section(const ctw_io__in *in, uint32_t tag, ctw_io__reader *r, const char *fn)
{
    section s;
    if (!find_section(in, tag, 0, &s))
        return ctw_base__fail(CTW_E_FORMAT, "%s: section \"%.4s\" is missing", fn,
                              (char[4]){(char)tag, (char)(tag >> 8), (char)(tag >> 16), (char)(tag >> 24)});
    *r = s.body;
    return CTW_OK;
}

int ctw_io__in_has(const ctw_io__in *in, uint32_t tag)
{
    section s;
    return find_section(in, tag, 0, &s);
}

ctw_status ctw_io__in_end(const ctw_io__reader *r, const char *fn, const char *what)
{
    if (r->failed) return ctw_base__fail(CTW_E_FORMAT, "%s: %s ends early or holds an impossible value", fn, what);
    if (r->left) return ctw_base__fail(CTW_E_FORMAT, "%s: %s has %zu bytes too many", fn, what, r->left);
    return CTW_OK;
}

/* One key/value pair into the bag. */
static ctw_status read_param(ctw_io__reader *r, ctw_ctx *ctx, ctw_params *p, const char *fn)
{
    char key[65] = "";
    size_t klen = ctw_io__get_u16(r);
    const unsigned char *k = ctw_io__get_raw(r, klen);
    size_t vlen = ctw_io__get_u32(r);
    const unsigned char *v = ctw_io__get_raw(r, vlen);
    if (!k || !v || klen >= sizeof key || memchr(k, 0, klen) || memchr(v, 0, vlen))
        return ctw_base__fail(CTW_E_FORMAT, "%s: section \"PRMS\" is damaged", fn);
    memcpy(key, k, klen);
    char *text = ctw_base__alloc(ctx, vlen + 1, 1);
    if (!text) return CTW_E_NOMEM;
    memcpy(text, v, vlen);
    text[vlen] = 0;
    ctw_status s = ctw_params_set_text(p, key, text);
    ctw_base__free(ctx, text);
    if (s == CTW_E_KEY) return ctw_base__fail_in(CTW_E_VERSION, "%s", fn);
    if (s == CTW_OK || s == CTW_E_NOMEM) return s;
    return ctw_base__fail_in(CTW_E_FORMAT, "%s", fn);
}

ctw_status ctw_io__in_params(const ctw_io__in *in, ctw_ctx *ctx, const char *kind, ctw_params **out, const char *fn)
{
    ctw_io__reader r;
    *out = NULL;
    CTW_TRY(ctw_io__in_section(in, TAG_PARAMS, &r, fn));
    ctw_params *p;
    CTW_TRY(ctw_params_new(ctx, kind, &p));
    size_t n = ctw_io__get_count(&r, 6);
    ctw_status s = CTW_OK;
    for (size_t i = 0; i < n && s == CTW_OK; i++) s = read_param(&r, ctx, p, fn);
    if (s == CTW_OK) s = ctw_io__in_end(&r, fn, "section \"PRMS\"");
    if (s != CTW_OK) {
        ctw_params_unref(p);
        return s;
    }
    *out = p;
    return CTW_OK;
}
