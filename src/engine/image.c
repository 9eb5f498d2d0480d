/* The caller's pictures: see image.h. */
#include "engine/image.h"

#include <stdbool.h>

int image_check_size(int width, int height, Report *report)
{
    if (width < ENGINE_MIN_SIDE || height < ENGINE_MIN_SIDE || width > ENGINE_MAX_SIDE ||
        height > ENGINE_MAX_SIDE)
        return report_error(report, DAIN_EINVAL,
                            "a picture of %d x %d; sides of %d to %d are possible", width, height,
                            ENGINE_MIN_SIDE, ENGINE_MAX_SIDE);
    return DAIN_OK;
}

static const int sample_bytes[] = { 1, 2, 4 };

static int check_image(const DainImage *p, Report *report)
{
    if (image_check_size(p->width, p->height, report))
        return DAIN_EINVAL;
    const int most = p->sample == DAIN_SAMPLE_U8 ? 255 : 65535;
    if ((unsigned)p->sample > DAIN_SAMPLE_F32 || p->step < 1 || p->peak < 0 || p->peak > most)
        return report_error(report, DAIN_EINVAL, "a picture of an unknown sample format");
    if (!p->plane[0] || !p->plane[1] || !p->plane[2])
        return report_error(report, DAIN_EINVAL, "a picture without three colour planes");
    const int bytes = sample_bytes[p->sample];
    for (int i = 0; i < 4; i++)
        if (p->plane[i] && ((uintptr_t)p->plane[i] % bytes || p->stride[i] % bytes))
            return report_error(report, DAIN_EINVAL,
                                "plane %d is not aligned to its samples of %d bytes", i, bytes);
    if (p->reserved[0] || p->reserved[1])
        return report_error(report, DAIN_EINVAL,
                            "a picture of another version: reserved fields are not zero");
    return DAIN_OK;
}

/* Threads write rows at the same time: no two may share a byte. They lie one after the other or, in a
 * picture stored by columns, beside each other. */
static bool rows_apart(const DainImage *p, int plane)
{
    const uint64_t bytes = (uint64_t)sample_bytes[p->sample], step = (uint64_t)p->step * bytes;
    const uint64_t stride =
        p->stride[plane] < 0 ? -(uint64_t)p->stride[plane] : (uint64_t)p->stride[plane];
    return stride >= ((uint64_t)p->width - 1) * step + bytes ||
           (stride >= bytes && step >= ((uint64_t)p->height - 1) * stride + bytes);
}

int image_check_frame(const DainImage *frame, const DainImage *guide, int frames, int width,
                      int height, Report *report)
{
    int error = check_image(frame, report);
    if (!error && guide)
        error = check_image(guide, report);
    if (error)
        return error;
    if (guide && (guide->width != frame->width || guide->height != frame->height))
        return report_error(report, DAIN_EINVAL, "the guide is %d x %d, the frame %d x %d",
                            guide->width, guide->height, frame->width, frame->height);
    if (frames && (frame->width != width || frame->height != height))
        return report_error(report, DAIN_EINVAL,
                            "the frame is %d x %d, the ones before it were %d x %d", frame->width,
                            frame->height, width, height);
    return DAIN_OK;
}

int image_check_output(const DainImage *out, int64_t num, int64_t den, int frames, int width,
                       int height, Report *report)
{
    if (frames < 2)
        return report_error(report, DAIN_ESTATE, "two frames are needed first, %d given", frames);
    if (check_image(out, report))
        return DAIN_EINVAL;
    for (int i = 0; i < 4; i++)
        if (out->plane[i] && !rows_apart(out, i))
            return report_error(report, DAIN_EINVAL,
                                "rows of plane %d overlap: their stride is %td", i, out->stride[i]);
    if (out->width != width || out->height != height)
        return report_error(report, DAIN_EINVAL, "the output is %d x %d, the frames are %d x %d",
                            out->width, out->height, width, height);
    if (den <= 0 || num < 0 || num > den)
        return report_error(report, DAIN_EINVAL, "the time %lld/%lld is not between 0 and 1",
                            (long long)num, (long long)den);
    return DAIN_OK;
}

float image_peak(const DainImage *p)
{
    static const float peaks[] = { 255, 65535, 1 };
    return p->peak && p->sample != DAIN_SAMPLE_F32 ? (float)p->peak : peaks[p->sample];
}
