/* Pixel formats: what kind of samples one has, and rows of any of them as planes of plain integers. */
#include "media/pixels.h"

#include <libavutil/imgutils.h>
#include <string.h>

bool pixels_rgb(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(format);
    return d && (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL));
}

bool pixels_alpha(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(format);
    return d && (d->flags & AV_PIX_FMT_FLAG_ALPHA);
}

bool pixels_gray(const AVPixFmtDescriptor *d)
{
    return d->nb_components < 3 && !(d->flags & AV_PIX_FMT_FLAG_PAL);
}

bool pixels_float(const AVPixFmtDescriptor *d)
{
    return d->flags & AV_PIX_FMT_FLAG_FLOAT;
}

static bool is_native(const AVPixFmtDescriptor *d)
{
    const bool big = d->flags & AV_PIX_FMT_FLAG_BE;
    return d->comp[0].depth <= 8 || big == (bool)AV_HAVE_BIGENDIAN;
}

bool pixels_planar(const AVPixFmtDescriptor *d)
{
    if ((d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM)) || !is_native(d))
        return false;
    const int bytes = pixels_float(d) ? 4 : d->comp[0].depth > 8 ? 2 : 1;
    for (int i = 0; i < d->nb_components; i++)
        if (d->comp[i].step != bytes || d->comp[i].offset || d->comp[i].shift ||
            d->comp[i].depth != d->comp[0].depth)
            return false;
    return true;
}

bool pixels_readable(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(format);
    if (!d || (d->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER)) ||
        !strncmp(d->name, "xyz", 3) || d->log2_chroma_w > 2 || d->log2_chroma_h > 2)
        return false;
    if (pixels_planar(d))
        return pixels_float(d) ? d->comp[0].depth == 32 : true;
    /* The rest goes through FFmpeg's line reader, which gives integers of up to 16 bits. */
    return !pixels_float(d) && d->comp[0].depth <= 16;
}

bool pixels_writable(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(format);
    if (!d || !pixels_readable(format) || (d->flags & AV_PIX_FMT_FLAG_PAL))
        return false;
    for (int i = 1; i < d->nb_components; i++)
        if (d->comp[i].depth != d->comp[0].depth)
            return false;
    return d->comp[0].depth >= 8;
}

enum AVPixelFormat pixels_to_planar(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *const want = av_pix_fmt_desc_get(format);
    if (!want || (pixels_planar(want) && strncmp(want->name, "yuvj", 4)))
        return format;
    if (want->flags & AV_PIX_FMT_FLAG_PAL)
        return AV_PIX_FMT_GBRAP;
    const int depth = want->comp[0].depth < 8 ? 8 : want->comp[0].depth;
    for (const AVPixFmtDescriptor *d = NULL; (d = av_pix_fmt_desc_next(d));)
        if (pixels_planar(d) && !pixels_float(d) && d->comp[0].depth == depth &&
            strncmp(d->name, "yuvj", 4) != 0 && pixels_gray(d) == pixels_gray(want) &&
            (d->flags & AV_PIX_FMT_FLAG_RGB) == (want->flags & AV_PIX_FMT_FLAG_RGB) &&
            (d->flags & AV_PIX_FMT_FLAG_ALPHA) == (want->flags & AV_PIX_FMT_FLAG_ALPHA) &&
            d->log2_chroma_w == want->log2_chroma_w && d->log2_chroma_h == want->log2_chroma_h)
            return av_pix_fmt_desc_get_id(d);
    return format;
}

/* 1- to 7-bit samples (monochrome, rgb565) to 8 bits. */
static void widen_row(uint16_t *row, int width, int depth, bool invert)
{
    const unsigned peak = (1u << depth) - 1;
    for (int x = 0; x < width; x++) {
        const unsigned v = invert ? peak - row[x] : row[x];
        row[x] = (uint16_t)((v * 255 + peak / 2) / peak);
    }
}

/* Component 0 .. 3 = red, green, blue, alpha of native 0xAARRGGBB. */
static void read_palette(const AVFrame *f, int component, int y, int width, uint16_t *row)
{
    const uint8_t *const index = f->data[0] + (ptrdiff_t)y * f->linesize[0];
    const uint32_t *const palette = (const uint32_t *)f->data[1];
    const int shift = component == 3 ? 24 : 16 - 8 * component;
    for (int x = 0; x < width; x++)
        row[x] = (uint16_t)(palette[index[x]] >> shift & 0xff);
}

static size_t sample_size(const AVPixFmtDescriptor *d)
{
    return pixels_float(d) ? 4 : d->comp[0].depth > 8 ? 2 : 1;
}

static uint8_t *row_of(const AVFrame *f, int plane, int y)
{
    return f->data[plane] + (ptrdiff_t)y * f->linesize[plane];
}

void pixels_read_row(const AVFrame *f, int component, int y, int width, void *row)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    if (d->flags & AV_PIX_FMT_FLAG_PAL) {
        read_palette(f, component, y, width, row);
        return;
    }
    const AVComponentDescriptor *const comp = &d->comp[component];
    if (pixels_planar(d)) {
        memcpy(row, row_of(f, comp->plane, y), (size_t)width * sample_size(d));
        return;
    }
    av_read_image_line2(row, (const uint8_t **)f->data, f->linesize, d, 0, y, component, width, 0,
                        2);
    if (comp->depth < 8)
        widen_row(row, width, comp->depth, f->format == AV_PIX_FMT_MONOWHITE);
}

void pixels_write_row(AVFrame *f, int component, int y, int width, const void *row)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    if (pixels_planar(d))
        memcpy(row_of(f, d->comp[component].plane, y), row, (size_t)width * sample_size(d));
    else
        av_write_image_line2(row, f->data, f->linesize, d, 0, y, component, width, 2);
}

/* FFmpeg's line writer sets bits and clears none. */
void pixels_clear(AVFrame *f)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    for (int p = 0; p < av_pix_fmt_count_planes(f->format); p++) {
        const int height = p ? AV_CEIL_RSHIFT(f->height, d->log2_chroma_h) : f->height;
        const int width = av_image_get_linesize(f->format, f->width, p);
        for (int y = 0; y < height && width > 0; y++)
            memset(row_of(f, p, y), 0, (size_t)width);
    }
}

static bool same_kind(const AVFrame *a, const AVFrame *b)
{
    return a->format == b->format && a->width == b->width && a->height == b->height &&
           a->color_range == b->color_range && a->colorspace == b->colorspace &&
           a->color_primaries == b->color_primaries && a->color_trc == b->color_trc &&
           a->chroma_location == b->chroma_location;
}

bool pixels_equal(const AVFrame *a, const AVFrame *b)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(a->format);
    if (!d || !same_kind(a, b) || !pixels_readable(a->format))
        return false;
    if (d->flags & AV_PIX_FMT_FLAG_PAL && memcmp(a->data[1], b->data[1], AVPALETTE_SIZE) != 0)
        return false;
    const int planes = d->flags & AV_PIX_FMT_FLAG_PAL ? 1 : av_pix_fmt_count_planes(a->format);
    for (int p = 0; p < planes; p++) {
        const bool chroma = (p == 1 || p == 2) && !(d->flags & AV_PIX_FMT_FLAG_RGB);
        const int height = chroma ? AV_CEIL_RSHIFT(a->height, d->log2_chroma_h) : a->height;
        const int width = av_image_get_linesize(a->format, a->width, p);
        for (int y = 0; y < height && width > 0; y++)
            if (memcmp(row_of(a, p, y), row_of(b, p, y), (size_t)width) != 0)
                return false;
    }
    return true;
}
