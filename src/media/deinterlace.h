/* Interlaced frames to whole ones, one for each field, by libavfilter's bwdif. */
#ifndef DAIN_MEDIA_DEINTERLACE_H
#define DAIN_MEDIA_DEINTERLACE_H

#include "media/libav.h"

typedef struct Deinterlacer Deinterlacer;

/* time_base: of the frames that go in. What comes out has ticks half as long. NULL without memory. */
Deinterlacer *deinterlacer_create(AVRational time_base, Report *report);
void deinterlacer_destroy(Deinterlacer *deinterlacer);

/* Takes a frame over (it is empty afterwards), or NULL at the end. All that waits must have been
 * received before. Errors: DAIN_ENOMEM, DAIN_EUNSUPPORTED. */
int deinterlacer_send(Deinterlacer *deinterlacer, AVFrame *frame);
/* 1 and a frame, or 0 if it wants to be sent more. Errors as above. */
int deinterlacer_receive(Deinterlacer *deinterlacer, AVFrame *frame);

#endif
