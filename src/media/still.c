/* One picture file as a frame: told by content, decoded without a demuxer, checked for its end. */
#include "media/still.h"

#include "base/cpu.h"

#include <errno.h>
#include <libavutil/intreadwrite.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

const char still_endings[] = "png, jpg, tif, webp, bmp, exr, ppm, tga, jp2, dpx, ...";

enum { HEAD = 16 };

/* How a type begins: `size` bytes at `offset`. */
static const struct {
    enum AVCodecID codec;
    int offset, size;
    const char *bytes;
} signatures[] = {
    { AV_CODEC_ID_PNG, 0, 8, "\x89PNG\r\n\x1a\n" },
    { AV_CODEC_ID_MJPEG, 0, 3, "\xff\xd8\xff" },
    { AV_CODEC_ID_TIFF, 0, 4, "II*\0" },
    { AV_CODEC_ID_TIFF, 0, 4, "MM\0*" },
    { AV_CODEC_ID_WEBP, 8, 4, "WEBP" },
    { AV_CODEC_ID_BMP, 0, 2, "BM" },
    { AV_CODEC_ID_EXR, 0, 4, "\x76\x2f\x31\x01" },
    { AV_CODEC_ID_JPEG2000, 0, 8, "\0\0\0\x0cjP  " },
    { AV_CODEC_ID_JPEG2000, 0, 4, "\xff\x4f\xff\x51" },
    { AV_CODEC_ID_DPX, 0, 4, "SDPX" },
    { AV_CODEC_ID_DPX, 0, 4, "XPDS" },
    { AV_CODEC_ID_QOI, 0, 4, "qoif" },
    { AV_CODEC_ID_PBM, 0, 2, "P1" },
    { AV_CODEC_ID_PGM, 0, 2, "P2" },
    { AV_CODEC_ID_PPM, 0, 2, "P3" },
    { AV_CODEC_ID_PBM, 0, 2, "P4" },
    { AV_CODEC_ID_PGM, 0, 2, "P5" },
    { AV_CODEC_ID_PPM, 0, 2, "P6" },
    { AV_CODEC_ID_PAM, 0, 2, "P7" },
    { AV_CODEC_ID_PFM, 0, 2, "PF" },
    { AV_CODEC_ID_PFM, 0, 2, "Pf" },
};

static const char *ending(const char *path)
{
    const char *const slash = strrchr(path, '/'), *const dot = strrchr(path, '.');
    return dot && (!slash || dot > slash) ? dot + 1 : "";
}

bool still_named(const char *path)
{
    static const char *const known[] = { "png", "jpg", "jpeg", "jpe", "tif", "tiff", "webp",
                                         "bmp", "exr", "ppm",  "pgm", "pbm", "pnm",  "pam",
                                         "pfm", "tga", "jp2",  "j2k", "dpx", "qoi" };
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(ending(path), known[i]))
            return true;
    return false;
}

/* AV_CODEC_ID_NONE if it is none of the table. TGA has no signature: its name must do. */
static enum AVCodecID type_of(const char *path, const uint8_t *head, size_t size)
{
    for (unsigned i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const size_t end = (size_t)(signatures[i].offset + signatures[i].size);
        if (size >= end &&
            !memcmp(head + signatures[i].offset, signatures[i].bytes, (size_t)signatures[i].size))
            return signatures[i].codec;
    }
    return !strcasecmp(ending(path), "tga") ? AV_CODEC_ID_TARGA : AV_CODEC_ID_NONE;
}

bool still_known(const char *path)
{
    uint8_t head[HEAD];
    struct stat st;
    FILE *const f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rbe") : NULL;
    if (!f)
        return false;
    const size_t size = fread(head, 1, sizeof head, f);
    fclose(f);
    return type_of(path, head, size) != AV_CODEC_ID_NONE;
}

/* ---- whether the end is there ---- */

/* Chunk by chunk to IEND (PNG, third edition, 5.3). */
static bool png_ends(const uint8_t *p, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        const size_t length = AV_RB32(p + at);
        if (length > size - at - 12)
            return false;
        if (!memcmp(p + at + 4, "IEND", 4))
            return true;
        at += 12 + length;
    }
    return false;
}

/* Marker by marker to EOI (ITU-T T.81, B.1): a thumbnail inside has one too, so that searching
 * for its bytes would not do. */
static bool jpeg_ends(const uint8_t *p, size_t size)
{
    for (size_t at = 2; at + 1 < size;) {
        const uint8_t marker = p[at + 1];
        if (p[at] != 0xff || marker == 0 || marker == 0xff || (marker >= 0xd0 && marker <= 0xd7)) {
            at++; /* coded data, fill, restart markers */
            continue;
        }
        if (marker == 0xd9)
            return true;
        if (marker == 0x01 || marker == 0xd8) {
            at += 2;
            continue;
        }
        if (at + 4 > size)
            return false;
        at += 2 + AV_RB16(p + at + 2);
    }
    return false;
}

static bool is_whole(enum AVCodecID codec, const uint8_t *p, size_t size)
{
    switch (codec) {
    case AV_CODEC_ID_PNG:
        return png_ends(p, size);
    case AV_CODEC_ID_MJPEG:
        return jpeg_ends(p, size);
    case AV_CODEC_ID_WEBP:
        return AV_RL32(p + 4) <= size - 8;
    case AV_CODEC_ID_BMP:
        return size >= 6 && AV_RL32(p + 2) <= size;
    default:
        return true; /* their decoders notice */
    }
}

/* ---- decoding ---- */

static int load(const char *path, AVPacket *packet, Report *report)
{
    FILE *const f = fopen(path, "rbe");
    struct stat st;
    int r = DAIN_OK;
    if (!f)
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    if (fstat(fileno(f), &st) != 0)
        r = report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        r = report_error(report, DAIN_EIO, "%s is no file", path);
    else if (st.st_size == 0)
        r = report_error(report, DAIN_EFORMAT, "%s is empty", path);
    else if (st.st_size > INT_MAX / 2)
        r = report_error(report, DAIN_EUNSUPPORTED, "%s: larger than 1 GiB", path);
    else if (av_new_packet(packet, (int)st.st_size) < 0)
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    else if (fread(packet->data, 1, (size_t)packet->size, f) != (size_t)packet->size)
        r = report_error(report, DAIN_EIO, "cannot read %s: %s", path,
                         ferror(f) ? strerror(errno) : "it became shorter");
    fclose(f);
    return r;
}

/* AVERROR, or 0 with the frame. strict: any error in the data is one of the call. */
static int decode(const AVCodec *codec, const AVPacket *packet, bool strict, AVFrame *frame)
{
    AVCodecContext *c = avcodec_alloc_context3(codec);
    if (!c)
        return AVERROR(ENOMEM);
    const int processors = cpu_count();
    c->thread_type = FF_THREAD_SLICE; /* threads over frames would hold the picture back */
    c->thread_count = processors > 4 ? 4 : processors;
    /* FFmpeg's TIFF decoder counts an unknown tag as an error, so that it may not be strict; it
     * refuses strips that lie outside the file anyhow. */
    c->err_recognition =
        strict && codec->id != AV_CODEC_ID_TIFF ? AV_EF_EXPLODE | AV_EF_CRCCHECK | AV_EF_BUFFER : 0;
    int r = avcodec_open2(c, codec, NULL);
    if (r >= 0)
        r = avcodec_send_packet(c, packet);
    if (r >= 0) {
        avcodec_send_packet(c, NULL);
        r = avcodec_receive_frame(c, frame);
    }
    avcodec_free_context(&c);
    if (r >= 0 && strict && ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags)) {
        av_frame_unref(frame);
        r = AVERROR_INVALIDDATA;
    }
    return r;
}

static int read_packet(const char *path, AVPacket *packet, AVFrame *frame, bool *damaged,
                       const char **name, Report *report)
{
    const enum AVCodecID id = type_of(path, packet->data, (size_t)packet->size);
    const AVCodec *const codec = avcodec_find_decoder(id);
    if (id == AV_CODEC_ID_NONE)
        return report_error(report, DAIN_EFORMAT, "%s is no picture, or its beginning is damaged",
                            path);
    if (!codec)
        return report_error(report, DAIN_EUNSUPPORTED, "%s: no decoder for %s", path,
                            avcodec_get_name(id));
    *name = codec->name;
    *damaged = !is_whole(id, packet->data, (size_t)packet->size);
    int r = decode(codec, packet, true, frame);
    if (r < 0 && r != AVERROR(ENOMEM)) {
        *damaged = true;
        r = decode(codec, packet, false, frame);
    }
    if (r == AVERROR(ENOMEM))
        return report_error(report, DAIN_ENOMEM, "out of memory");
    if (r < 0)
        return report_error(report, DAIN_EFORMAT, "%s: the picture is damaged", path);
    frame->pts = 0;
    return DAIN_OK;
}

int still_read(const char *path, AVFrame *frame, bool *damaged, const char **codec, Report *report)
{
    *damaged = false;
    *codec = "";
    av_frame_unref(frame);
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    int r = load(path, packet, report);
    if (r == DAIN_OK)
        r = read_packet(path, packet, frame, damaged, codec, report);
    av_packet_free(&packet);
    return r;
}
