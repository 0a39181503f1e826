/* ids.c: see ids.h. */
#include "rca/ids.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

/* Shifts `bits` new bits into the low end. */
static void shift_in(ctw_rca__id *id, unsigned bits, uint64_t v)
{
    id->hi = id->hi << bits | id->lo >> (64 - bits);
    id->lo = id->lo << bits | v;
}

static int parse_hex(const char *text, size_t len, ctw_rca__id *id)
{
    *id = (ctw_rca__id){0, 0};
    if (len > 32) return 0;
    for (size_t i = 0; i < len; i++) {
        int v = hex_value(text[i]);
        if (v < 0) return 0;
        shift_in(id, 4, (uint64_t)v);
    }
    return 1;
}

/* 8 or 16 bytes: 11 or 22 digits, padded to 12 or 24. */
static int parse_base64(const char *text, size_t len, ctw_rca__id *id)
{
    while (len && text[len - 1] == '=') len--;
    if (len != 11 && len != 22) return 0;
    *id = (ctw_rca__id){0, 0};
    unsigned spare = len == 11 ? 2 : 4;
    for (size_t i = 0; i < len; i++) {
        int v = base64_value(text[i]);
        if (v < 0) return 0;
        unsigned bits = i + 1 < len ? 6 : 6 - spare;
        shift_in(id, bits, (uint64_t)v >> (6 - bits));
    }
    return 1;
}

ctw_rca__id ctw_rca__id_parse(const char *text, size_t len)
{
    ctw_rca__id id;
    if (parse_hex(text, len, &id) || parse_base64(text, len, &id)) return id;
    id = (ctw_rca__id){0x6c62272e07bb0142u, 0xcbf29ce484222325u};
    for (size_t i = 0; i < len; i++) {
        id.lo = (id.lo ^ (unsigned char)text[i]) * 0x100000001b3u;
        id.hi = (id.hi ^ (id.lo >> 29)) * 0x9e3779b97f4a7c15u;
    }
    return id;
}

int ctw_rca__id_is_none(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != '0') return 0;
    return 1;
}

uint64_t ctw_rca__id_fold(ctw_rca__id id)
{
    /* Offset so that a file's id 0 is an id like all others; the one value that would give 0 gives 1. */
    uint64_t v = (id.lo ^ id.hi * 0x9e3779b97f4a7c15u) + 0x51ed270b;
    return v ? v : 1;
}
