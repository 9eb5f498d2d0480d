/* Words of the command line that are wrong whatever the files are. */
#include "tool/interpolate.h"

#include "media/choice.h"
#include "media/codec_choice.h"
#include "media/picture_out.h"

/* The container, NULL where only the work will tell. */
static const AVOutputFormat *container_of(const InterpolateOptions *o)
{
    const bool file = o->output && !o->batch && !o->pattern && !picture_out_wanted(o->output);
    return file && !o->container ? output_container(o->output, NULL, NULL)
           : o->container        ? output_container("", o->container, NULL)
                                 : NULL;
}

const char *interpolate_wrong_word(const InterpolateOptions *o)
{
    static Report report;
    const EncoderSettings encoder = { .codec = o->codec,
                                      .preset = o->preset,
                                      .pix_fmt = o->pix_fmt };
    report = (Report){ 0 };
    int r = DAIN_OK;
    if (o->container && !output_container("", o->container, &report))
        r = DAIN_EUNSUPPORTED;
    if (r >= 0 && o->streams)
        r = stream_choice_check(o->streams, &report);
    if (r >= 0)
        r = codec_check_names(&encoder, container_of(o), &report);
    return r < 0 ? report.error : NULL;
}
