/* text.c: prompt to features. Words are runs of letters (any byte above 127 counts as one, so UTF-8 of any
 * script, valid or not, gives words), folded to lower case in ASCII; numbers are kept up to 32 and by magnitude
 * beyond; each other visible byte is a token. The first line usually holds the task and later lines its
 * material, so they are told apart. */
#include "queue/text.h"
#include <string.h>

#define LONGEST_WORD 24u
#define SEEN         512u

const float ctw_queue__text_scale[CTW_TEXT_KINDS] = {
    [CTW_TEXT_WORD] = 1.5f,  [CTW_TEXT_REST] = 0.4f,    [CTW_TEXT_STEM] = 1.0f,      [CTW_TEXT_PAIR] = 1.0f,
    [CTW_TEXT_SKIP] = 0.5f,  [CTW_TEXT_TRIPLE] = 0.75f, [CTW_TEXT_LEAD1] = 1.8f,     [CTW_TEXT_LEAD2] = 0.9f,
    [CTW_TEXT_LEAD3] = 0.5f, [CTW_TEXT_SIZE] = 0.75f,   [CTW_TEXT_LEAD_FOR] = 0.75f,
};

enum { BLANK, LETTER, DIGIT, OTHER, NEWLINE };

typedef struct scan {
    ctw_queue__text *t;
    uint32_t seen[SEEN]; /* direct-mapped: repeated features count once, nearly always */
    uint32_t before, before2, first, lead;
    uint32_t words, tokens, newlines, questions, numbers, upper, foreign, largest;
    uint32_t first_line; /* its bytes, 0 while in it */
    int last;            /* last visible byte if it is no letter or digit */
} scan;

static int class_of(unsigned char c)
{
    if (c >= 128 || (unsigned)((c | 32) - 'a') < 26) return LETTER;
    if ((unsigned)(c - '0') < 10) return DIGIT;
    if (c == '\n') return NEWLINE;
    return c <= 32 ? BLANK : OTHER;
}

static uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h *= 0x846CA68Bu;
    return h ^ (h >> 16);
}

static uint32_t bits_of(uint32_t v)
{
    return v ? 32u - (uint32_t)__builtin_clz(v) : 0;
}

/* Half octaves: 0 1 2 3 4-5 6-7 8-11 12-15 ... */
static uint32_t bucket(uint32_t v)
{
    if (v < 4) return v;
    uint32_t b = bits_of(v);
    return 2 * b + ((v >> (b - 2)) & 1);
}

/* log2(1 + v) by linear interpolation within the octave: exact to 0.09, the same on every machine. */
static float log2_of(uint32_t v)
{
    uint64_t w = (uint64_t)v + 1;
    int b = 63 - __builtin_clzll(w);
    return (float)b + (float)(w - ((uint64_t)1 << b)) / (float)((uint64_t)1 << b);
}

static void emit(scan *s, uint32_t h, uint8_t kind)
{
    ctw_queue__text *t = s->t;
    h = (mix(h ^ (kind + 1u) * 0x9E3779B1u) & ~15u) | kind;
    uint32_t *seen = &s->seen[(h >> 4) % SEEN];
    if (*seen == h || t->n == CTW_TEXT_MAX) return;
    *seen = h;
    t->feature[t->n++] = h;
}

static size_t word(scan *s, const unsigned char *p, size_t left, uint32_t *hash, uint32_t *stem)
{
    uint32_t h = 2166136261u;
    size_t n = 0, most = left < LONGEST_WORD ? left : LONGEST_WORD;
    for (; n < most && class_of(p[n]) == LETTER; n++) {
        unsigned c = p[n];
        if (c >= 128) {
            s->foreign++;
        } else if (c < 'a') {
            s->upper++;
            c |= 32;
        }
        h = (h ^ c) * 16777619u;
        if (n == 3) *stem = h;
    }
    if (n < 5) *stem = 0;
    *hash = h;
    return n;
}

static size_t number(scan *s, const unsigned char *p, size_t left, uint32_t *hash)
{
    uint32_t v = 0;
    size_t n = 0;
    for (; n < left && class_of(p[n]) == DIGIT; n++)
        if (v < 10000000) v = v * 10 + (p[n] - (uint32_t)'0');
    s->numbers++;
    if (v > s->largest) s->largest = v;
    *hash = ((v <= 32 ? v : 1000 + bucket(v)) + 77u) * 16777619u;
    return n;
}

static void opening(scan *s, uint32_t h)
{
    static const uint8_t kind[3] = {CTW_TEXT_LEAD1, CTW_TEXT_LEAD2, CTW_TEXT_LEAD3};
    s->lead = s->words == 1 ? h : s->lead * 31 + h;
    if (s->words == 1) s->first = h;
    emit(s, s->lead, kind[s->words - 1]);
}

static void token(scan *s, uint32_t h, uint32_t stem, int class)
{
    s->tokens++;
    s->last = class == OTHER ? s->last : 0;
    if (class == LETTER && ++s->words <= 3) opening(s, h);
    if (s->first_line) {
        emit(s, h, CTW_TEXT_REST);
        return;
    }
    emit(s, h, CTW_TEXT_WORD);
    if (stem) emit(s, stem, CTW_TEXT_STEM);
    if (s->before) emit(s, h * 31 + s->before, CTW_TEXT_PAIR);
    if (s->before2) {
        emit(s, h * 29 + s->before2, CTW_TEXT_SKIP);
        emit(s, (h * 31 + s->before) * 31 + s->before2, CTW_TEXT_TRIPLE);
    }
    s->before2 = s->before;
    s->before = h;
}

static void read(scan *s, const unsigned char *p, size_t n, size_t offset)
{
    for (size_t i = 0; i < n;) {
        uint32_t h = 0, stem = 0;
        int class = class_of(p[i]);
        switch (class) {
        case LETTER: i += word(s, p + i, n - i, &h, &stem); break;
        case DIGIT: i += number(s, p + i, n - i, &h); break;
        case OTHER:
            s->last = p[i];
            s->questions += p[i] == '?';
            h = (p[i++] + 0x9900u) * 16777619u;
            break;
        case NEWLINE:
            s->newlines++;
            if (s->tokens && !s->first_line) s->first_line = (uint32_t)(offset + i);
            /* fall through */
        default: i++; continue;
        }
        token(s, h, stem, class);
    }
}

static void finish(scan *s, uint32_t bytes)
{
    uint32_t head = s->first_line ? s->first_line : bytes, rest = bytes - head;
    const uint32_t size[] = {bucket(head),
                             100 + bucket(rest),
                             200 + bucket(s->newlines),
                             300 + bucket(s->tokens),
                             400 + bucket(s->largest),
                             500 + (uint32_t)s->last,
                             800 + (s->questions > 3 ? 3 : s->questions)};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) emit(s, size[i], CTW_TEXT_SIZE);
    emit(s, s->first * 17 + bits_of(rest), CTW_TEXT_LEAD_FOR);
    emit(s, s->first * 19 + bits_of(head) + 64, CTW_TEXT_LEAD_FOR);
    const float dense[CTW_TEXT_DENSE] = {log2_of(bytes),
                                         log2_of(s->tokens),
                                         log2_of(rest),
                                         log2_of(s->newlines),
                                         log2_of(s->largest),
                                         log2_of(s->numbers),
                                         log2_of(s->upper),
                                         log2_of(s->foreign),
                                         s->last == '?' ? 1.0f : 0.0f,
                                         s->questions ? 1.0f : 0.0f};
    memcpy(s->t->dense, dense, sizeof dense);
}

void ctw_queue__text_read(ctw_queue__text *t, const char *prompt, size_t bytes, size_t cap)
{
    scan s;
    memset(&s, 0, sizeof s);
    s.t = t;
    t->n = 0;
    const unsigned char *p = (const unsigned char *)prompt;
    uint32_t size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    if (bytes <= cap) {
        read(&s, p, bytes, 0);
    } else {
        size_t tail = cap / 3;
        read(&s, p, cap - tail, 0);
        s.before = s.before2 = 0;
        read(&s, p + bytes - tail, tail, bytes - tail);
    }
    finish(&s, size);
}
