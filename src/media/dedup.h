/*
 * Repeated frames taken out of a video: of animation that is drawn for every second or third frame,
 * of film in a video of another rate, of screen recordings. What is left is put at even distances
 * where the repetition has a rhythm (media/cadence.h).
 *
 * Two frames are the same if nowhere in the picture they differ by more than coding does: in no
 * block of 16x16 samples by more than 3 to 9 levels of 8 bits, on the average by no more than 0.3 to
 * 0.8; the more there is of motion between other frames, the more the coding of a repetition leaves.
 * (Pulldown coded by x264 at CRF 23 and 28 and by MPEG-4: 0.6 and 7.2 at most; a dot of 12x12 pixels
 * that moves by one: 12; a step of a fade of 2.5 seconds: 1.8.)
 *
 * A picture that stands longer than DEDUP_STILL seconds is no drawing on threes but a still: it ends
 * with a copy of itself, so that the next motion begins there and not where the still began.
 *
 *     while (dedup_take(d, &frame)) ...   // after each dedup_add() and after dedup_end()
 */
#ifndef DAIN_MEDIA_DEDUP_H
#define DAIN_MEDIA_DEDUP_H

#include "media/libav.h"

#define DEDUP_STILL 0.21

typedef struct Dedup Dedup;

typedef struct DedupFrame {
    AVFrame *frame; /* the caller's; pts moved */
    bool still;     /* the end of a still: the same picture as the one before */
    int left_out;   /* frames since the one before that were not handed out */
} DedupFrame;

/* base: seconds a tick of the frames' pts. NULL if there is no memory. */
Dedup *dedup_create(Ratio base);
void dedup_destroy(Dedup *dedup);

/* Takes the next frame over. DAIN_ENOMEM. */
int dedup_add(Dedup *dedup, AVFrame *frame);
/* There are no more: the last frame comes out too, to keep the length of the video. */
void dedup_end(Dedup *dedup);
/* The next frame that is not a repetition; false if more must be added first. */
bool dedup_take(Dedup *dedup, DedupFrame *out);

#endif
