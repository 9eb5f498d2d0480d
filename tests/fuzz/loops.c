/* Fuzz target: the beginning of a GIF or PNG file, for how often it is played. */
#include "fuzz.h"

#include "media/loops.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int plays = loops_parse(data, size);
    AVDictionary *options = NULL;
    if (plays < LOOPS_UNKNOWN)
        abort();
    for (int i = 0; i < 4; i++) {
        const AVOutputFormat *const to = av_guess_format(i % 2 ? "gif" : "apng", NULL, NULL);
        if (!to || loops_set(&options, to, plays, i / 2) < 0)
            continue;
        const char *const text = av_dict_get(options, i % 2 ? "loop" : "plays", NULL, 0)->value;
        const long value = strtol(text, NULL, 10);
        if (value < -(i % 2) || value > 65535) {
            fprintf(stderr, "%d times became %s\n", plays, text);
            abort();
        }
        av_dict_free(&options);
    }
    return 0;
}
