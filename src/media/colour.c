/* Conversion of pictures between pixel formats, by zimg. */
#include "media/colour.h"

#include "base/mem.h"
#include "media/pixels.h"

#include <string.h>
#include <zimg.h>

/* zimg wants rows and planes at multiples of this many bytes (32 for the instruction sets that
 * ZIMG_CPU_AUTO picks). */
enum { ALIGN = 32 };

/* How one side of a conversion lies in memory. */
typedef struct Side {
    const AVPixFmtDescriptor *desc;
    zimg_image_format format; /* what zimg sees; size rounded up to whole chroma samples */
    int width, height;        /* of the frame */
    bool direct;              /* planar and in native byte order: zimg may work in place */
    bool alpha;
    int bytes; /* in a sample, as zimg sees it */
    /* Copies for what zimg cannot take in place: packed, misaligned, odd-sized. */
    void *plane[4];
    ptrdiff_t stride[4];
} Side;

/* What a conversion was built for. */
typedef struct Key {
    enum AVPixelFormat format;
    int width, height;
    enum AVColorSpace matrix;
    enum AVColorRange range;
    enum AVChromaLocation location;
} Key;

struct Colour {
    Key src_key, dst_key;
    Side src, dst;
    zimg_filter_graph *graph; /* of the colours */
    zimg_filter_graph *alpha; /* of the alpha plane alone, NULL if a side has none: zimg would
                               * multiply the colours by it */
    void *scratch;            /* for either */
};

/* ---- what counts for a frame ---- */

enum AVColorSpace colour_matrix(const AVFrame *f)
{
    if (pixels_rgb(f->format))
        return AVCOL_SPC_RGB;
    switch (f->colorspace) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_YCGCO:
    case AVCOL_SPC_BT2020_NCL:
        return f->colorspace;
    case AVCOL_SPC_BT2020_CL:
    case AVCOL_SPC_ICTCP:
        /* Not a matrix alone. The way back undoes whatever the way there did, so any invertible
         * matrix gives the right colours; this one is close. */
        return AVCOL_SPC_BT2020_NCL;
    default:
        return f->height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    }
}

enum AVColorRange colour_range(const AVFrame *f)
{
    if (f->color_range != AVCOL_RANGE_UNSPECIFIED)
        return f->color_range;
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    const bool full =
        d && (pixels_rgb(f->format) || pixels_gray(d) || !strncmp(d->name, "yuvj", 4));
    return full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

/* ---- frames ---- */

AVFrame *colour_frame(enum AVPixelFormat format, int width, int height)
{
    AVFrame *f = av_frame_alloc();
    if (!f)
        return NULL;
    f->format = format;
    f->width = width;
    f->height = height;
    if (av_frame_get_buffer(f, 64) < 0)
        av_frame_free(&f);
    return f;
}

AVFrame *colour_rgb_frame(FramePool *pool, const AVFrame *src, bool headroom)
{
    const enum AVPixelFormat format =
        pixels_alpha(src->format) ? AV_PIX_FMT_GBRAPF32 : AV_PIX_FMT_GBRPF32;
    AVFrame *const f = pool ? frame_pool_get(pool, format, src->width, src->height)
                            : colour_frame(format, src->width, src->height);
    if (f) {
        f->colorspace = AVCOL_SPC_RGB;
        f->color_range = headroom ? AVCOL_RANGE_MPEG : AVCOL_RANGE_JPEG;
    }
    return f;
}

DainImage colour_image(const AVFrame *rgb)
{
    static const int order[4] = { 2, 0, 1, 3 }; /* red, green, blue, alpha among G, B, R, A */
    DainImage image = {
        .width = rgb->width, .height = rgb->height, .sample = DAIN_SAMPLE_F32, .step = 1
    };
    for (int i = 0; i < 4; i++) {
        image.plane[i] = rgb->data[order[i]];
        image.stride[i] = rgb->linesize[order[i]];
    }
    return image;
}

/* ---- building a conversion ---- */

static Key key_of(const AVFrame *f)
{
    return (Key){ f->format,        f->width,        f->height,
                  colour_matrix(f), colour_range(f), f->chroma_location };
}

static bool same_key(const Key *a, const Key *b)
{
    return a->format == b->format && a->width == b->width && a->height == b->height &&
           a->matrix == b->matrix && a->range == b->range && a->location == b->location;
}

static int round_up(int size, int shift)
{
    return -((-size) >> shift) * (1 << shift);
}

static void describe(Side *s, const Key *key)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(key->format);
    zimg_image_format *const z = &s->format;
    s->desc = d;
    s->width = key->width;
    s->height = key->height;
    s->direct = pixels_planar(d);
    zimg_image_format_default(z, ZIMG_API_VERSION);
    const bool gray = pixels_gray(d);
    z->width = (unsigned)round_up(key->width, gray ? 0 : d->log2_chroma_w);
    z->height = (unsigned)round_up(key->height, gray ? 0 : d->log2_chroma_h);
    z->subsample_w = gray ? 0 : d->log2_chroma_w;
    z->subsample_h = gray ? 0 : d->log2_chroma_h;
    z->depth = (unsigned)(d->comp[0].depth < 8 ? 8 : d->comp[0].depth);
    z->pixel_type = pixels_float(d) ? ZIMG_PIXEL_FLOAT
                    : !s->direct    ? ZIMG_PIXEL_WORD
                    : z->depth > 8  ? ZIMG_PIXEL_WORD
                                    : ZIMG_PIXEL_BYTE;
    s->bytes = pixels_float(d) ? 4 : z->pixel_type == ZIMG_PIXEL_WORD ? 2 : 1;
    z->color_family = gray                           ? ZIMG_COLOR_GREY
                      : key->matrix == AVCOL_SPC_RGB ? ZIMG_COLOR_RGB
                                                     : ZIMG_COLOR_YUV;
    z->matrix_coefficients = (zimg_matrix_coefficients_e)key->matrix;
    z->pixel_range = key->range == AVCOL_RANGE_JPEG ? ZIMG_RANGE_FULL : ZIMG_RANGE_LIMITED;
    z->chroma_location = key->location == AVCHROMA_LOC_UNSPECIFIED
                             ? ZIMG_CHROMA_LEFT
                             : (zimg_chroma_location_e)(key->location - AVCHROMA_LOC_LEFT);
    s->alpha = d->flags & AV_PIX_FMT_FLAG_ALPHA;
}

/* Both sides of a conversion that keeps the size are rounded up alike, or zimg would resize. One
 * that does resize takes only the true part of its source. */
static void match_sizes(zimg_image_format *src, zimg_image_format *dst, const Key *key, bool resize)
{
    if (resize) {
        src->active_region.width = key->width;
        src->active_region.height = key->height;
        return;
    }
    src->width = dst->width = src->width > dst->width ? src->width : dst->width;
    src->height = dst->height = src->height > dst->height ? src->height : dst->height;
}

/* The same image seen as its alpha plane: full range, whatever the colours are. */
static zimg_image_format alpha_of(const zimg_image_format *z)
{
    zimg_image_format a = *z;
    a.color_family = ZIMG_COLOR_GREY;
    a.matrix_coefficients = ZIMG_MATRIX_UNSPECIFIED;
    a.pixel_range = ZIMG_RANGE_FULL;
    a.subsample_w = a.subsample_h = 0;
    return a;
}

/* Index among zimg's planes (three colours or one gray, then alpha) of a component. */
static int zimg_plane(const Side *s, int component)
{
    return s->alpha && component == s->desc->nb_components - 1 &&
                   !(s->desc->flags & AV_PIX_FMT_FLAG_PAL)
               ? 3
               : component;
}

static int components(const Side *s)
{
    return s->desc->flags & AV_PIX_FMT_FLAG_PAL ? 4 : s->desc->nb_components;
}

static bool is_chroma(const Side *s, int component)
{
    return s->format.color_family == ZIMG_COLOR_YUV && (component == 1 || component == 2);
}

static unsigned plane_width(const Side *s, int component)
{
    return is_chroma(s, component) ? s->format.width >> s->format.subsample_w : s->format.width;
}

static unsigned plane_height(const Side *s, int component)
{
    return is_chroma(s, component) ? s->format.height >> s->format.subsample_h : s->format.height;
}

static void release(Colour *c)
{
    zimg_filter_graph_free(c->graph);
    zimg_filter_graph_free(c->alpha);
    mem_free(c->scratch);
    for (int i = 0; i < 4; i++) {
        mem_free(c->src.plane[i]);
        mem_free(c->dst.plane[i]);
    }
    memset(c, 0, sizeof *c);
}

Colour *colour_create(void)
{
    return mem_calloc(1, sizeof(Colour));
}

void colour_destroy(Colour *c)
{
    if (!c)
        return;
    release(c);
    mem_free(c);
}

static int build(Colour *c, const Key *src, const Key *dst, Report *report)
{
    release(c);
    if (!pixels_readable(src->format) || !pixels_writable(dst->format))
        return report_error(
            report, DAIN_EUNSUPPORTED, "pixel format %s is not supported",
            av_get_pix_fmt_name(pixels_readable(src->format) ? dst->format : src->format));
    describe(&c->src, src);
    describe(&c->dst, dst);
    /* RGB with headroom: the whole range of codes is 0 .. 1. */
    if ((pixels_float(c->src.desc) && src->range == AVCOL_RANGE_MPEG) ||
        (pixels_float(c->dst.desc) && dst->range == AVCOL_RANGE_MPEG))
        c->src.format.pixel_range = c->dst.format.pixel_range = ZIMG_RANGE_FULL;
    /* Gray has no matrix of its own: it takes the other side's. */
    if (c->src.format.color_family == ZIMG_COLOR_GREY)
        c->src.format.matrix_coefficients = ZIMG_MATRIX_BT709;
    if (c->dst.format.color_family == ZIMG_COLOR_GREY)
        c->dst.format.matrix_coefficients = ZIMG_MATRIX_BT709;
    zimg_graph_builder_params params;
    zimg_graph_builder_params_default(&params, ZIMG_API_VERSION);
    params.resample_filter = ZIMG_RESIZE_SPLINE36;
    params.resample_filter_uv = ZIMG_RESIZE_SPLINE36;
    params.dither_type = ZIMG_DITHER_NONE;
    params.cpu_type = ZIMG_CPU_AUTO;
    match_sizes(&c->src.format, &c->dst.format, src,
                src->width != dst->width || src->height != dst->height);
    c->graph = zimg_filter_graph_build(&c->src.format, &c->dst.format, &params);
    size_t scratch = 0, alpha_scratch = 0;
    bool ok = c->graph && !zimg_filter_graph_get_tmp_size(c->graph, &scratch);
    if (ok && c->src.alpha && c->dst.alpha) {
        const zimg_image_format from = alpha_of(&c->src.format), to = alpha_of(&c->dst.format);
        c->alpha = zimg_filter_graph_build(&from, &to, &params);
        ok = c->alpha && !zimg_filter_graph_get_tmp_size(c->alpha, &alpha_scratch);
    }
    if (!ok) {
        char why[160] = "";
        const zimg_error_code_e code = zimg_get_last_error(why, sizeof why);
        release(c);
        return report_error(
            report, code == ZIMG_ERROR_OUT_OF_MEMORY ? DAIN_ENOMEM : DAIN_EUNSUPPORTED,
            "no colour conversion from %s to %s: %s", av_get_pix_fmt_name(src->format),
            av_get_pix_fmt_name(dst->format), why);
    }
    c->scratch = mem_alloc(scratch > alpha_scratch ? scratch : alpha_scratch);
    if (!c->scratch) {
        release(c);
        return report_error(report, DAIN_ENOMEM, "out of memory");
    }
    c->src_key = *src;
    c->dst_key = *dst;
    return DAIN_OK;
}

/* ---- copies for what zimg cannot take in place ---- */

static bool in_place(const Side *s, const AVFrame *f)
{
    if (!s->direct || s->format.width != (unsigned)s->width ||
        s->format.height != (unsigned)s->height)
        return false;
    for (int i = 0; i < s->desc->nb_components; i++) {
        const int p = s->desc->comp[i].plane;
        if ((uintptr_t)f->data[p] % ALIGN || f->linesize[p] % ALIGN)
            return false;
    }
    return true;
}

static int have_copies(Side *s, Report *report)
{
    for (int i = 0; i < components(s); i++) {
        const int p = zimg_plane(s, i);
        if (s->plane[p])
            continue;
        s->stride[p] = (ptrdiff_t)((plane_width(s, i) * (size_t)s->bytes + 63) & ~(size_t)63);
        s->plane[p] = mem_alloc((size_t)s->stride[p] * plane_height(s, i));
        if (!s->plane[p])
            return report_error(report, DAIN_ENOMEM, "out of memory");
    }
    return DAIN_OK;
}

/* Repeats the last sample of a row up to the width that zimg sees. */
static void extend_row(uint8_t *row, unsigned from, unsigned to, int bytes)
{
    for (unsigned x = from; x < to; x++)
        memcpy(row + x * (size_t)bytes, row + (from - 1) * (size_t)bytes, (size_t)bytes);
}

static void unpack(Side *s, const AVFrame *f)
{
    for (int i = 0; i < components(s); i++) {
        const int p = zimg_plane(s, i);
        const int width =
            is_chroma(s, i) ? AV_CEIL_RSHIFT(s->width, s->format.subsample_w) : s->width;
        const int height =
            is_chroma(s, i) ? AV_CEIL_RSHIFT(s->height, s->format.subsample_h) : s->height;
        uint8_t *const plane = s->plane[p];
        for (int y = 0; y < height; y++) {
            uint8_t *const row = plane + y * s->stride[p];
            pixels_read_row(f, i, y, width, row);
            extend_row(row, (unsigned)width, plane_width(s, i), s->bytes);
        }
        for (unsigned y = (unsigned)height; y < plane_height(s, i); y++)
            memcpy(plane + y * s->stride[p], plane + (height - 1) * s->stride[p],
                   (size_t)s->stride[p]);
    }
}

static void pack(const Side *s, AVFrame *f)
{
    for (int i = 0; i < components(s); i++) {
        const int p = zimg_plane(s, i);
        const int width =
            is_chroma(s, i) ? AV_CEIL_RSHIFT(s->width, s->format.subsample_w) : s->width;
        const int height =
            is_chroma(s, i) ? AV_CEIL_RSHIFT(s->height, s->format.subsample_h) : s->height;
        for (int y = 0; y < height; y++) {
            const uint8_t *const row = (const uint8_t *)s->plane[p] + y * s->stride[p];
            pixels_write_row(f, i, y, width, row);
        }
    }
}

/* ---- converting ---- */

/* A plane of alpha where the source has none: opaque. */
static void fill_opaque(const Side *s, void *data, ptrdiff_t stride)
{
    const unsigned peak = (1u << s->format.depth) - 1;
    for (unsigned y = 0; y < s->format.height; y++) {
        uint8_t *const row = (uint8_t *)data + (ptrdiff_t)y * stride;
        for (unsigned x = 0; x < s->format.width; x++)
            if (s->bytes == 4)
                ((float *)row)[x] = 1;
            else if (s->bytes == 2)
                ((uint16_t *)row)[x] = (uint16_t)peak;
            else
                row[x] = (uint8_t)peak;
    }
}

/* Runs the graphs from one set of planes (by zimg's numbers) to another. */
static int process(Colour *c, void *const src[4], const ptrdiff_t src_stride[4], void *const dst[4],
                   const ptrdiff_t dst_stride[4], Report *report)
{
    zimg_image_buffer_const from = { .version = ZIMG_API_VERSION };
    zimg_image_buffer to = { .version = ZIMG_API_VERSION };
    for (int p = 0; p < 3; p++) {
        from.plane[p].data = src[p];
        from.plane[p].stride = src_stride[p];
        to.plane[p].data = dst[p];
        to.plane[p].stride = dst_stride[p];
        from.plane[p].mask = to.plane[p].mask = ZIMG_BUFFER_MAX;
    }
    bool ok = !zimg_filter_graph_process(c->graph, &from, &to, c->scratch, NULL, NULL, NULL, NULL);
    if (ok && c->alpha) {
        from.plane[0].data = src[3];
        from.plane[0].stride = src_stride[3];
        to.plane[0].data = dst[3];
        to.plane[0].stride = dst_stride[3];
        ok = !zimg_filter_graph_process(c->alpha, &from, &to, c->scratch, NULL, NULL, NULL, NULL);
    } else if (c->dst.alpha) {
        fill_opaque(&c->dst, dst[3], dst_stride[3]);
    }
    if (ok)
        return DAIN_OK;
    char why[160] = "";
    zimg_get_last_error(why, sizeof why);
    return report_error(report, DAIN_EUNSUPPORTED, "colour conversion failed: %s", why);
}

/* Where zimg finds a side: in the frame, or in the copies. */
static void planes_of(const Side *s, const AVFrame *f, bool direct, void *plane[4],
                      ptrdiff_t stride[4])
{
    for (int i = 0; i < components(s); i++) {
        const int p = zimg_plane(s, i), at = s->desc->comp[i].plane;
        plane[p] = direct ? (void *)f->data[at] : s->plane[p];
        stride[p] = direct ? f->linesize[at] : s->stride[p];
    }
}

int colour_convert(Colour *c, const AVFrame *src, AVFrame *dst, Report *report)
{
    const Key src_key = key_of(src), dst_key = key_of(dst);
    int r;
    if (!c->graph || !same_key(&src_key, &c->src_key) || !same_key(&dst_key, &c->dst_key))
        if ((r = build(c, &src_key, &dst_key, report)) < 0)
            return r;
    const bool src_direct = in_place(&c->src, src), dst_direct = in_place(&c->dst, dst);
    if ((!src_direct && (r = have_copies(&c->src, report)) < 0) ||
        (!dst_direct && (r = have_copies(&c->dst, report)) < 0))
        return r;
    void *from[4] = { 0 }, *to[4] = { 0 };
    ptrdiff_t from_stride[4] = { 0 }, to_stride[4] = { 0 };
    planes_of(&c->src, src, src_direct, from, from_stride);
    planes_of(&c->dst, dst, dst_direct, to, to_stride);
    if (!src_direct)
        unpack(&c->src, src);
    if ((r = process(c, from, from_stride, to, to_stride, report)) < 0)
        return r;
    if (!dst_direct) {
        if (!c->dst.direct)
            pixels_clear(dst);
        pack(&c->dst, dst);
    }
    return DAIN_OK;
}
