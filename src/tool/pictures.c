/* dain -0 A -1 B -o M: the picture between two pictures. */
#include "tool/interpolate.h"

#include "media/colour.h"
#include "media/guide.h"
#include "media/picture.h"
#include "media/pixels.h"

#include <math.h>

/* t as a fraction: exact for what people type. */
static Ratio time_ratio(double t)
{
    const int64_t den = 1000000000;
    return ratio((int64_t)llround(t * (double)den), den);
}

static int read_rgb(const char *path, AVFrame **picture, AVFrame **rgb, bool alpha, Colour *colour,
                    Report *report)
{
    *rgb = colour_frame(alpha ? AV_PIX_FMT_GBRAPF32 : AV_PIX_FMT_GBRPF32, (*picture)->width,
                        (*picture)->height);
    if (!*rgb)
        return report_error(report, DAIN_ENOMEM, "%s: out of memory", path);
    (*rgb)->colorspace = AVCOL_SPC_RGB;
    (*rgb)->color_range = AVCOL_RANGE_JPEG;
    return colour_convert(colour, *picture, *rgb, report);
}

static int engine_between(Backend *engine, bool denoise, AVFrame *const rgb[2], Ratio t,
                          AVFrame *out, Report *report)
{
    Guide guide = { .denoise = denoise };
    int r = DAIN_OK;
    for (int i = 0; i < 2 && r == DAIN_OK; i++)
        r = guide_push(&guide, engine, rgb[i]);
    if (r == DAIN_OK) {
        const DainImage image = colour_image(out);
        r = backend_interpolate(engine, t.num, t.den, &image);
    }
    if (r < 0 && r != DAIN_ECANCELED)
        report_error(report, r, "%s", guide_last_error(&guide, engine));
    guide_free(&guide);
    return r;
}

int interpolate_pictures(const InterpolateOptions *o, Report *report)
{
    const char *const inputs[] = { o->first, o->second, NULL };
    AVFrame *picture[2] = { NULL, NULL }, *rgb[2] = { NULL, NULL }, *out = NULL;
    Backend *engine = NULL;
    Colour *const colour = colour_create();
    int r = colour ? DAIN_OK : report_error(report, DAIN_ENOMEM, "out of memory");
    for (int i = 0; i < 2 && r == DAIN_OK; i++)
        r = picture_read(&picture[i], inputs[i], report);
    if (r == DAIN_OK &&
        (picture[0]->width != picture[1]->width || picture[0]->height != picture[1]->height))
        r = report_error(report, DAIN_EINVAL,
                         "the pictures differ in size: %s is %dx%d, %s is %dx%d", o->first,
                         picture[0]->width, picture[0]->height, o->second, picture[1]->width,
                         picture[1]->height);
    CommonOptions common = o->common;
    common.motion = NULL; /* there are no frames around them */
    if (r == DAIN_OK && !(engine = backend_open(&common, &o->engine, report)))
        r = DAIN_EIO;
    if (r == DAIN_OK) {
        interruption_start(NULL);
        interruption_watch(engine);
        const bool alpha = pixels_alpha(picture[0]->format) || pixels_alpha(picture[1]->format);
        for (int i = 0; i < 2 && r == DAIN_OK; i++)
            r = read_rgb(inputs[i], &picture[i], &rgb[i], alpha, colour, report);
    }
    if (r == DAIN_OK && !(out = colour_rgb_frame(NULL, rgb[0], false)))
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    if (r == DAIN_OK && pixels_equal(rgb[0], rgb[1]))
        r = av_frame_copy(out, rgb[0]) < 0 ? report_error(report, DAIN_ENOMEM, "out of memory") : r;
    else if (r == DAIN_OK)
        r = engine_between(engine, o->denoise_flow, rgb, time_ratio(o->time), out, report);
    interruption_stop();
    if (r == DAIN_OK) {
        /* The kind of picture follows the one that has more: alpha, then colour, then depth. */
        const AVFrame *const like =
            pixels_alpha(picture[1]->format) && !pixels_alpha(picture[0]->format) ? picture[1]
                                                                                  : picture[0];
        r = picture_write(out, like, o->output, inputs, o->overwrite, report);
    }
    backend_close(&engine);
    for (int i = 0; i < 2; i++) {
        av_frame_free(&picture[i]);
        av_frame_free(&rgb[i]);
    }
    av_frame_free(&out);
    colour_destroy(colour);
    if (r == DAIN_ECANCELED)
        return interruption_code() ? interruption_code() : EXIT_INTERRUPTED;
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
