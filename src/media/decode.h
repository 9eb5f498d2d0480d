/*
 * Reading a video: opens whatever FFmpeg can, decodes the main video stream frame by frame and
 * hands the packets of all other streams through, in file order. A folder of pictures or a pattern
 * like frame_%05d.png (media/picture_list.h) is a video too, of one stream.
 *
 *     source_open(&source, "in.mkv", &settings, &report);
 *     while ((r = source_next(source, frame, packet)) > 0)
 *         if (r == SOURCE_FRAME) ... else ...
 *     source_close(&source);
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_DECODE_H
#define DAIN_MEDIA_DECODE_H

#include "media/part.h"

#include <stdatomic.h>

typedef struct SourceSettings {
    int threads;         /* of the decoder; 0 = by the number of processors, at most 4 */
    bool progressive;    /* take frames flagged as interlaced for progressive ones */
    bool video_only;     /* skip the packets of other streams */
    bool packets_only;   /* decode nothing: only the packets of other streams come */
    bool picture;        /* a single picture: the name is no pattern, one frame is read */
    bool strict;         /* the first damage is an error */
    bool deinterlace;    /* make a frame of each field, whatever the flags say */
    Ratio input_rate;    /* frames a second of pictures and of raw streams, {0, x} = not given */
    const char *streams; /* which ones, see media/choice.h; NULL = all */
    double max_gap;      /* seconds: longer gaps in all streams are closed, 0 = as clock.h says */
    Part part;           /* frames and packets of this part only */
    atomic_bool *cancel; /* NULL, or set from outside to end a blocked read */
} SourceSettings;

typedef struct Source Source;

/* What was wrong with the file so far. */
typedef struct SourceDamage {
    int64_t packets;       /* refused by the decoder */
    int64_t frames;        /* decoded with errors */
    int64_t timestamps;    /* missing or out of order, replaced */
    int64_t jumps;         /* of the clock: what followed was moved to join on */
    int64_t interlaced;    /* frames flagged as interlaced after the first */
    int64_t missing;       /* pictures that are lacking in their numbering */
    int read_error;        /* AVERROR that ended the reading before the end, 0 if none */
    bool truncated;        /* ended before the length its header promises */
    int64_t missing_bytes; /* of it, 0 = not known */
} SourceDamage;

/* What is known of the main video stream before the first frame. */
typedef struct SourceVideo {
    int index;         /* of the stream in the file */
    Ratio time_base;   /* seconds per tick of frame timestamps */
    Ratio rate;        /* nominal frames a second, {0, 1} unknown */
    int64_t frames;    /* expected number of frames, 0 unknown */
    int width, height; /* 0 if the header does not say */
    const char *codec; /* name of the decoder */
} SourceVideo;

/* Errors (sentence in report): DAIN_EIO, DAIN_EFORMAT (also: no video stream), DAIN_EUNSUPPORTED
 * (no decoder, interlaced), DAIN_ENOMEM, DAIN_ECANCELED. *source is NULL then. */
int source_open(Source **source, const char *url, const SourceSettings *settings, Report *report);
void source_close(Source **source);

enum { SOURCE_END = 0, SOURCE_FRAME = 1, SOURCE_PACKET = 2 };

/*
 * The next thing in the file: a frame of the main video stream (frame->pts in SourceVideo.time_base,
 * strictly increasing, measured from the start of the file) or a packet of another stream (times in
 * its stream's time base, from the start of the file too; of a part: from the start of the part).
 * Damaged parts are skipped and counted. Errors: DAIN_ENOMEM, DAIN_ECANCELED, DAIN_EUNSUPPORTED (the
 * first frame is interlaced), DAIN_EFORMAT (damage, where SourceSettings.strict).
 */
int source_next(Source *source, AVFrame *frame, AVPacket *packet);

/* Says why there was no frame at all before SOURCE_END: none can be decoded (DAIN_EFORMAT), or none
 * begins in the part that is wanted (DAIN_EINVAL). */
int source_no_frame(const Source *source);

/* Goes to a key frame well before a time in the main video stream, given as source_next() gives it;
 * frames come from there on, and it is the caller's to recognise those it knows: a file may be such
 * that others come, or the same with other times. frames: how many there are before them. DAIN_EIO
 * if the file cannot be sought in. */
int source_seek(Source *source, int64_t pts, int64_t frames);

SourceVideo source_video(const Source *source);
SourceDamage source_damage(const Source *source);
/* The demuxer, for its streams, metadata and chapters. Of pictures, something that looks like one. */
const AVFormatContext *source_format(const Source *source);
/* For each of its streams, whether SourceSettings.streams lists it. The main video always counts. */
const bool *source_chosen(const Source *source);
/* How often it is to be played, where it is an animated picture (media/loops.h). */
int source_plays(const Source *source);
/* What is kept of the file, in microseconds on its own clock. The start is already taken off all
 * timestamps that are handed out; the end is INT64_MAX if it is the file's own. */
int64_t source_start(const Source *source);
int64_t source_end(const Source *source);

#endif
