/* Single pictures, through FFmpeg's image codecs. */
#include "media/picture.h"

#include "media/colour.h"
#include "media/decode.h"
#include "media/encode.h"
#include "media/outfile.h"
#include "media/picture_out.h"
#include "media/still.h"

/* Types that need a demuxer (AVIF, GIF, ...): the first frame of the file. */
static int read_first(AVFrame *frame, const char *path, Report *report)
{
    const SourceSettings settings = { .picture = true, .video_only = true, .progressive = true };
    Source *source = NULL;
    int r = source_open(&source, path, &settings, report);
    if (r < 0)
        return r;
    AVPacket *packet = av_packet_alloc();
    r = packet ? source_next(source, frame, packet)
               : report_error(report, DAIN_ENOMEM, "out of memory");
    if (r == SOURCE_END || (r == SOURCE_FRAME && source_damage(source).frames))
        r = report_error(report, DAIN_EFORMAT, "%s: the picture is damaged", path);
    source_close(&source);
    av_packet_free(&packet);
    return r < 0 ? r : DAIN_OK;
}

int picture_read(AVFrame **picture, const char *path, Report *report)
{
    *picture = av_frame_alloc();
    if (!*picture)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    int r;
    if (still_known(path)) {
        bool damaged;
        const char *codec;
        r = still_read(path, *picture, &damaged, &codec, report);
        if (r == DAIN_OK && damaged)
            r = report_error(report, DAIN_EFORMAT,
                             "%s: the picture is damaged, or its end is missing", path);
    } else {
        r = read_first(*picture, path, report);
    }
    if (r < 0)
        av_frame_free(picture);
    return r;
}

/* One frame in, one packet out. */
static int encode(Encoder *encoder, const AVFrame *picture, const AVFrame *like, AVPacket *packet,
                  Report *report)
{
    AVFrame *frame = encoder_frame(encoder);
    Colour *const colour = colour_create();
    int r = DAIN_OK;
    if (!frame || !colour || av_frame_copy_props(frame, like) < 0) {
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    } else {
        const AVCodecContext *const c = encoder_context(encoder);
        frame->colorspace = c->colorspace;
        frame->color_range = c->color_range;
        frame->pict_type = AV_PICTURE_TYPE_NONE;
        frame->pts = 0;
        r = colour_convert(colour, picture, frame, report);
    }
    if (r >= 0)
        r = encoder_send(encoder, frame);
    if (r >= 0 && (r = encoder_receive(encoder, packet)) == 0) {
        r = encoder_send(encoder, NULL);
        if (r >= 0 && encoder_receive(encoder, packet) != 1)
            r = report_error(report, DAIN_EUNSUPPORTED, "the encoder gave no picture");
    }
    av_frame_free(&frame);
    colour_destroy(colour);
    return r < 0 ? r : DAIN_OK;
}

int picture_write(const AVFrame *picture, const AVFrame *like, const char *path,
                  const char *const *inputs, bool overwrite, Report *report)
{
    const AVOutputFormat *container;
    const AVCodec *const codec = picture_encoder(path, &container, report);
    if (!codec)
        return DAIN_EUNSUPPORTED;
    const EncoderSettings settings = {
        .codec = codec->name, .crf = -1, .threads = 1, .options = picture_encoder_options(codec)
    };
    OutFile file = { 0 };
    Encoder *encoder = NULL;
    if (av_frame_get_side_data(like, AV_FRAME_DATA_DISPLAYMATRIX))
        report_log(report, DAIN_LOG_WARNING,
                   "the EXIF orientation of the pictures is not written to %s", path);
    AVPacket *packet = av_packet_alloc();
    int r = packet ? outfile_open(&file, path, inputs, overwrite, report)
                   : report_error(report, DAIN_ENOMEM, "out of memory");
    if (r >= 0)
        r = encoder_open(&encoder, &settings, container, like, (Ratio){ 1, 25 }, (Ratio){ 25, 1 },
                         report);
    if (r >= 0)
        r = encode(encoder, picture, like, packet, report);
    if (r >= 0)
        r = picture_file_write(packet, outfile_path(&file), report);
    if (r >= 0)
        r = outfile_commit(&file, report);
    else
        outfile_abandon(&file);
    encoder_close(&encoder);
    av_packet_free(&packet);
    return r;
}
