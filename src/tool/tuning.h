/* What `dain tune` measured on this machine, kept in the user's cache for later runs. */
#ifndef DAIN_TOOL_TUNING_H
#define DAIN_TOOL_TUNING_H

#include "base/log.h"

#include <stdbool.h>

enum { TUNING_KEY = 256, TUNING_PATH = 1024 };

/* None of it changes a bit of the result in the default precision. */
typedef struct Tuning {
    int threads;     /* of the network; 0 = not measured, here and below */
    int strip_rows;  /* rows of a large picture worked on at a time */
    int depth;       /* new frames that may wait for the encoder */
    char fastest[8]; /* precision that makes most frames a second, "" = not measured */
} Tuning;

/* Processor, instruction sets in use, number of processors, version: what a tuning belongs to. */
void tuning_key(char key[TUNING_KEY]);
/* Its file under $XDG_CACHE_HOME/dain or ~/.cache/dain; false if there is no such place. */
bool tuning_path(char path[TUNING_PATH]);

/* Reads it; false (and zeros) if there is none for this machine. A damaged file is told by a warning. */
bool tuning_load(Tuning *tuning, Report *report);
/* Writes it, folders included. Errors: DAIN_EIO. */
int tuning_store(const Tuning *tuning, Report *report);

#endif
