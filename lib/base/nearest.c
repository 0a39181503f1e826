/* nearest.c: "did you mean": the candidate at the smallest edit distance from a misspelt name. */
#include "base/params.h"
#include <string.h>

enum { LONGEST = 64 };

/* Levenshtein distance; names longer than LONGEST count as far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[LONGEST + 1];
    if (n > LONGEST || m > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t erase = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < erase ? change : erase;
        }
    }
    return row[m];
}

const char *ctw_base__nearest(const char *name, const char *(*at)(const void *list, size_t i), const void *list,
                              size_t n)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 2 + 2; /* further than this is no help */
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(name, at(list, i));
        if (d < best_distance) best_distance = d, best = at(list, i);
    }
    return best;
}
