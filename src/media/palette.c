/* 256 colours by libavfilter. */
#include "media/palette.h"

#include "base/mem.h"
#include "media/filters.h"

#include <stdio.h>

struct Palette {
    Report *report;
    Filters filters;
    int64_t count; /* frames given; times of the filters' own, which only have to rise */
};

static int build(Palette *p, int width, int height, bool alpha)
{
    char in[128], text[192];
    snprintf(in, sizeof in, "video_size=%dx%d:pix_fmt=%d:time_base=1/25:pixel_aspect=1/1", width,
             height, AV_PIX_FMT_RGB32);
    snprintf(text, sizeof text,
             "split[a][b];[a]palettegen=stats_mode=single:reserve_transparent=%d[p];"
             "[b][p]paletteuse=new=1",
             alpha);
    return filters_open(&p->filters, AVMEDIA_TYPE_VIDEO, in, text, 0);
}

int palette_open(Palette **palette, int width, int height, bool alpha, Report *report)
{
    *palette = NULL;
    Palette *p = mem_calloc(1, sizeof *p);
    if (!p)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    p->report = report;
    const int r = build(p, width, height, alpha);
    if (r < 0) {
        palette_close(&p);
        return libav_error(report, r, "colours cannot be reduced to a palette");
    }
    *palette = p;
    return DAIN_OK;
}

void palette_close(Palette **palette)
{
    Palette *const p = *palette;
    *palette = NULL;
    if (!p)
        return;
    filters_close(&p->filters);
    mem_free(p);
}

int palette_apply(Palette *p, const AVFrame *frame, AVFrame **mapped)
{
    AVFrame *in = av_frame_clone(frame), *out = av_frame_alloc();
    int r = in && out ? 0 : AVERROR(ENOMEM);
    if (r >= 0) {
        in->pts = p->count++;
        in->sample_aspect_ratio = (AVRational){ 1, 1 };
        r = av_buffersrc_add_frame(p->filters.source, in);
    }
    if (r >= 0)
        r = av_buffersink_get_frame(p->filters.sink, out);
    if (r >= 0)
        r = av_frame_copy_props(out, frame);
    av_frame_free(&in);
    if (r < 0)
        av_frame_free(&out);
    *mapped = out;
    return r < 0 ? libav_error(p->report, r, "colours cannot be reduced to a palette") : DAIN_OK;
}
