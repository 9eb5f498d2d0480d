/* A video written as pictures: numbers the names, writes each file whole. */
#include "media/picture_out.h"

#include "base/mem.h"
#include "media/outfile.h"
#include "media/picture_list.h"
#include "media/still.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct PictureOut {
    Report *report;
    char *pattern, *name; /* name: room for one with its number */
    size_t name_size;
    PicturePattern parts;
    const char *const *inputs; /* while it opens */
    bool overwrite;
    int64_t written;
};

bool picture_out_wanted(const char *path)
{
    PicturePattern pattern;
    return picture_pattern_parse(path, &pattern) && still_named(path) && !strstr(path, "://");
}

const AVCodec *picture_encoder(const char *path, const AVOutputFormat **container, Report *report)
{
    *container = av_guess_format(NULL, path, NULL);
    const bool known = *container && (!strcmp((*container)->name, "image2") ||
                                      !strcmp((*container)->name, "webp"));
    const enum AVCodecID id =
        known ? av_guess_codec(*container, NULL, path, NULL, AVMEDIA_TYPE_VIDEO) : AV_CODEC_ID_NONE;
    const AVCodec *codec = avcodec_find_encoder(id);
    if (id == AV_CODEC_ID_WEBP) /* the other one makes animations */
        codec = avcodec_find_encoder_by_name("libwebp");
    if (!codec)
        report_error(report, DAIN_EUNSUPPORTED,
                     "%s: the name does not tell a picture type; end it in .png, .jpg, .tif, .webp "
                     "or .exr",
                     path);
    return codec;
}

const char *const *picture_encoder_options(const AVCodec *codec)
{
    static const char *const lossless[] = { "lossless=1", NULL };
    static const char *const fine[] = { "flags=qscale", "global_quality=236", NULL };
    return codec->id == AV_CODEC_ID_WEBP ? lossless : codec->id == AV_CODEC_ID_MJPEG ? fine : NULL;
}

int picture_file_write(const AVPacket *packet, const char *path, Report *report)
{
    FILE *const f = fopen(path, "wbe");
    if (!f)
        return report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(errno));
    const bool written = fwrite(packet->data, 1, (size_t)packet->size, f) == (size_t)packet->size;
    const int error = errno;
    if (fclose(f) != 0)
        return report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(errno));
    if (!written)
        return report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(error));
    return DAIN_OK;
}

static const char *name_of(PictureOut *o, int64_t number)
{
    snprintf(o->name, o->name_size, "%.*s%0*" PRId64 "%s", o->parts.prefix, o->pattern,
             o->parts.digits, number, o->pattern + o->parts.suffix);
    return o->name;
}

/* The folder of a path, for stat(): itself if it is one. Writes into buf. */
static const char *folder_of(const char *path, char *buf)
{
    struct stat st;
    strcpy(buf, path);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return buf;
    char *const slash = strrchr(buf, '/');
    if (!slash)
        return ".";
    slash[1] = 0;
    return buf;
}

static bool same_folder(const char *a, const char *b, bool *same)
{
    struct stat x, y;
    char *const buf_a = mem_strdup(a), *const buf_b = mem_strdup(b);
    if (buf_a && buf_b)
        *same = stat(folder_of(a, buf_a), &x) == 0 && stat(folder_of(b, buf_b), &y) == 0 &&
                x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    const bool ok = buf_a && buf_b;
    mem_free(buf_a);
    mem_free(buf_b);
    return ok;
}

static int check(PictureOut *o)
{
    for (const char *const *input = o->inputs; input && *input; input++) {
        bool same = false;
        if (!picture_list_wanted(*input))
            continue;
        if (!same_folder(*input, o->pattern, &same))
            return report_error(o->report, DAIN_ENOMEM, "out of memory");
        if (same)
            return report_error(o->report, DAIN_EINVAL,
                                "%s: the pictures would mix with those of the input; name another "
                                "folder",
                                o->pattern);
    }
    if (!o->overwrite && access(name_of(o, 1), F_OK) == 0)
        return report_error(o->report, DAIN_EINVAL, "%s exists already (-y overwrites it)",
                            o->name);
    return DAIN_OK;
}

int picture_out_open(PictureOut **out, const char *path, const char *const *inputs, bool overwrite,
                     Report *report)
{
    PictureOut *const o = *out = mem_calloc(1, sizeof *o);
    if (!o)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    o->report = report;
    o->inputs = inputs;
    o->overwrite = overwrite;
    o->name_size = strlen(path) + 32;
    o->pattern = mem_strdup(path);
    o->name = mem_alloc(o->name_size);
    int r = DAIN_OK;
    if (!o->pattern || !o->name)
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    else if (!picture_pattern_parse(path, &o->parts))
        r = report_error(report, DAIN_EINVAL, "%s is no pattern", path);
    else
        r = check(o);
    o->inputs = NULL; /* another folder than theirs: no file of it is one of them */
    if (r < 0)
        picture_out_close(out);
    return r;
}

int picture_out_write(PictureOut *o, const AVPacket *packet)
{
    OutFile file = { 0 };
    const char *const name = name_of(o, o->written + 1);
    int r = outfile_open(&file, name, NULL, o->overwrite, o->report);
    if (r >= 0)
        r = picture_file_write(packet, outfile_path(&file), o->report);
    if (r >= 0)
        r = outfile_commit(&file, o->report);
    else
        outfile_abandon(&file);
    if (r < 0)
        return r;
    o->written++;
    report_log(o->report, DAIN_LOG_INFO, "%s", name);
    return DAIN_OK;
}

void picture_out_finish(PictureOut *o)
{
    if (access(name_of(o, o->written + 1), F_OK) == 0)
        report_log(o->report, DAIN_LOG_WARNING,
                   "%s and what follows it are left from before: this time there are %" PRId64
                   " pictures",
                   o->name, o->written);
}

void picture_out_close(PictureOut **out)
{
    if (!*out)
        return;
    mem_free((*out)->pattern);
    mem_free((*out)->name);
    mem_free(*out);
    *out = NULL;
}
