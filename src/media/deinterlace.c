/* Interlaced frames to whole ones by libavfilter: a graph of source, bwdif and sink. */
#include "media/deinterlace.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "media/filters.h"

#include <stdio.h>

struct Deinterlacer {
    Report *report;
    AVRational time_base;
    Filters filters; /* for frames like those below; none before the first */
    int width, height, format;
    AVFrame *waiting; /* of another kind: goes in when the old graph is empty */
    bool ended;
};

Deinterlacer *deinterlacer_create(AVRational time_base, Report *report)
{
    Deinterlacer *const d = mem_calloc(1, sizeof *d);
    if (d) {
        d->report = report;
        d->time_base = time_base;
    }
    return d;
}

void deinterlacer_destroy(Deinterlacer *d)
{
    if (!d)
        return;
    filters_close(&d->filters);
    av_frame_free(&d->waiting);
    mem_free(d);
}

static int build(Deinterlacer *d, const AVFrame *like)
{
    char in[160];
    const AVRational sar = like->sample_aspect_ratio;
    snprintf(in, sizeof in, "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=%d/%d",
             like->width, like->height, like->format, d->time_base.num, d->time_base.den, sar.num,
             sar.den > 0 ? sar.den : 1);
    const int processors = cpu_count();
    /* A frame for each field, all frames whatever they say of themselves. */
    const int r = filters_open(&d->filters, AVMEDIA_TYPE_VIDEO, in,
                               "bwdif=mode=send_field:parity=auto:deint=all",
                               processors > 4 ? 4 : processors);
    d->width = like->width;
    d->height = like->height;
    d->format = like->format;
    return r;
}

static int failed(Deinterlacer *d, int error)
{
    return libav_error(d->report, error, "the video cannot be deinterlaced");
}

/* Builds a new graph for the frame and gives it in. */
static int begin(Deinterlacer *d, AVFrame *frame)
{
    int r = build(d, frame);
    if (r >= 0)
        r = av_buffersrc_add_frame(d->filters.source, frame);
    return r < 0 ? failed(d, r) : DAIN_OK;
}

int deinterlacer_send(Deinterlacer *d, AVFrame *frame)
{
    int r = 0;
    if (!frame) {
        d->ended = true;
        if (d->filters.graph)
            r = av_buffersrc_add_frame(d->filters.source, NULL);
        return r < 0 ? failed(d, r) : DAIN_OK;
    }
    if (!d->filters.graph)
        return begin(d, frame);
    if (frame->width == d->width && frame->height == d->height && frame->format == d->format) {
        r = av_buffersrc_add_frame(d->filters.source, frame);
        return r < 0 ? failed(d, r) : DAIN_OK;
    }
    d->waiting = av_frame_alloc();
    if (!d->waiting)
        return report_error(d->report, DAIN_ENOMEM, "out of memory");
    av_frame_move_ref(d->waiting, frame);
    r = av_buffersrc_add_frame(d->filters.source, NULL);
    return r < 0 ? failed(d, r) : DAIN_OK;
}

int deinterlacer_receive(Deinterlacer *d, AVFrame *frame)
{
    for (;;) {
        const int r =
            d->filters.graph ? av_buffersink_get_frame(d->filters.sink, frame) : AVERROR_EOF;
        if (r >= 0)
            return 1;
        if (r == AVERROR(EAGAIN))
            return 0;
        if (r != AVERROR_EOF)
            return failed(d, r);
        if (!d->waiting)
            return 0;
        const int begun = begin(d, d->waiting);
        av_frame_free(&d->waiting);
        if (begun < 0)
            return begun;
        if (d->ended && av_buffersrc_add_frame(d->filters.source, NULL) < 0)
            return 0;
    }
}
