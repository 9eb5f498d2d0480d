/* Which word of a list a misspelt one was meant to be. */
#include "base/words.h"

#include <stddef.h>
#include <string.h>

/* Changes (insertions, deletions, replacements, swaps of neighbours) from one word to another. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    const int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *const now = rows[i % 3];
        const int *const before = rows[(i + 2) % 3], *const two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_before[j - 2] + 1 < best)
                best = two_before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *nearest_word(const char *word, const char *const *list)
{
    const char *best = NULL;
    int best_distance = 1 + (int)strlen(word) / 3;
    for (; *list; list++) {
        const int d = distance(word, *list);
        if (d <= best_distance && (!best || d < best_distance)) {
            best = *list;
            best_distance = d;
        }
    }
    return best;
}
