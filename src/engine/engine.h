/* Between the files of the engine. */
#ifndef DAIN_ENGINE_ENGINE_H
#define DAIN_ENGINE_ENGINE_H

#include "dain/dain.h"

#include <stdbool.h>

/* dain_open(), with weights for conv_u8_winograd or without as this says; NULL: what is faster here. */
int engine_open_as(DainContext **ctx, const DainSettings *settings, const bool *winograd);

/* Plans and allocates for frames of w x h, whose sides were checked. Errors: as dain_push(). */
int engine_prepare(DainContext *c, int w, int h);

/* Whether the motion is curved, as far as is known. */
bool engine_curved(const DainContext *c);

/* What dain_open_error() says from now on. */
void engine_open_error(const char *sentence);

#endif
