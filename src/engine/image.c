/* The caller's pictures: see image.h. */
#include "engine/image.h"

int image_check_size(int width, int height, Report *report)
{
    if (width < ENGINE_MIN_SIDE || height < ENGINE_MIN_SIDE || width > ENGINE_MAX_SIDE ||
        height > ENGINE_MAX_SIDE)
        return report_error(report, DAIN_EINVAL,
                            "a picture of %d x %d; sides of %d to %d are possible", width, height,
                            ENGINE_MIN_SIDE, ENGINE_MAX_SIDE);
    return DAIN_OK;
}

static int check_image(const DainImage *p, Report *report)
{
    if (image_check_size(p->width, p->height, report))
        return DAIN_EINVAL;
    const int most = p->sample == DAIN_SAMPLE_U8 ? 255 : 65535;
    if ((unsigned)p->sample > DAIN_SAMPLE_F32 || p->step < 1 || p->peak < 0 || p->peak > most)
        return report_error(report, DAIN_EINVAL, "a picture of an unknown sample format");
    if (!p->plane[0] || !p->plane[1] || !p->plane[2])
        return report_error(report, DAIN_EINVAL, "a picture without three colour planes");
    return DAIN_OK;
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
