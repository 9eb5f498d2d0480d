/* Interlaced frames to whole ones by libavfilter: a graph of source, bwdif and sink. */
#include "media/deinterlace.h"

#include "base/cpu.h"
#include "base/mem.h"

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <stdio.h>

struct Deinterlacer {
    Report *report;
    AVRational time_base;
    AVFilterGraph *graph; /* for frames like those below; NULL before the first */
    AVFilterContext *source, *sink;
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
    avfilter_graph_free(&d->graph);
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
    avfilter_graph_free(&d->graph);
    d->graph = avfilter_graph_alloc();
    if (!d->graph)
        return AVERROR(ENOMEM);
    const int processors = cpu_count();
    d->graph->nb_threads = processors > 4 ? 4 : processors;
    AVFilterContext *bwdif;
    int r = avfilter_graph_create_filter(&d->source, avfilter_get_by_name("buffer"), "in", in, NULL,
                                         d->graph);
    if (r >= 0) /* a frame for each field, all frames whatever they say of themselves */
        r = avfilter_graph_create_filter(&bwdif, avfilter_get_by_name("bwdif"), "bwdif",
                                         "mode=send_field:parity=auto:deint=all", NULL, d->graph);
    if (r >= 0)
        r = avfilter_graph_create_filter(&d->sink, avfilter_get_by_name("buffersink"), "out", NULL,
                                         NULL, d->graph);
    if (r >= 0)
        r = avfilter_link(d->source, 0, bwdif, 0);
    if (r >= 0)
        r = avfilter_link(bwdif, 0, d->sink, 0);
    if (r >= 0)
        r = avfilter_graph_config(d->graph, NULL);
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
        r = av_buffersrc_add_frame(d->source, frame);
    return r < 0 ? failed(d, r) : DAIN_OK;
}

int deinterlacer_send(Deinterlacer *d, AVFrame *frame)
{
    int r = 0;
    if (!frame) {
        d->ended = true;
        if (d->graph)
            r = av_buffersrc_add_frame(d->source, NULL);
        return r < 0 ? failed(d, r) : DAIN_OK;
    }
    if (!d->graph)
        return begin(d, frame);
    if (frame->width == d->width && frame->height == d->height && frame->format == d->format) {
        r = av_buffersrc_add_frame(d->source, frame);
        return r < 0 ? failed(d, r) : DAIN_OK;
    }
    d->waiting = av_frame_alloc();
    if (!d->waiting)
        return report_error(d->report, DAIN_ENOMEM, "out of memory");
    av_frame_move_ref(d->waiting, frame);
    r = av_buffersrc_add_frame(d->source, NULL);
    return r < 0 ? failed(d, r) : DAIN_OK;
}

int deinterlacer_receive(Deinterlacer *d, AVFrame *frame)
{
    for (;;) {
        const int r = d->graph ? av_buffersink_get_frame(d->sink, frame) : AVERROR_EOF;
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
        if (d->ended && av_buffersrc_add_frame(d->source, NULL) < 0)
            return 0;
    }
}
