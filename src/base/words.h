/* Which word of a list a misspelt one was meant to be. */
#ifndef DAIN_BASE_WORDS_H
#define DAIN_BASE_WORDS_H

/* The word of the list (ended by NULL) that is nearest to the given one; NULL if none is near. */
const char *nearest_word(const char *word, const char *const *list);

#endif
