/* Words of the command line that are wrong whatever the files are. */
#include "tool/interpolate.h"

#include "media/choice.h"
#include "media/codec_choice.h"
#include "media/picture_out.h"

/* The container that is named or that the file's name tells, NULL where only the work will tell; a name
 * that means nothing is an error. */
static int find_container(const InterpolateOptions *o, const AVOutputFormat **container,
                          Report *report)
{
    *container = NULL;
    if (o->container)
        *container = output_container("", o->container, report);
    else if (o->output && !o->batch && !o->pattern && !picture_out_wanted(o->output))
        *container = output_container(o->output, NULL, NULL);
    return o->container && !*container ? DAIN_EUNSUPPORTED : DAIN_OK;
}

const char *interpolate_wrong_word(const InterpolateOptions *o)
{
    static Report report;
    const EncoderSettings encoder = { .codec = o->codec,
                                      .preset = o->preset,
                                      .pix_fmt = o->pix_fmt };
    const AVOutputFormat *container;
    report = (Report){ 0 };
    int r = find_container(o, &container, &report);
    if (r >= 0 && o->streams)
        r = stream_choice_check(o->streams, &report);
    if (r >= 0)
        r = codec_check_names(&encoder, container, &report);
    return r < 0 ? report.error : NULL;
}
