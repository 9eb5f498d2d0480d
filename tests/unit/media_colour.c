/* Colour conversion: known values, the way there and back, every kind of format, odd sizes. */
#include "test.h"

#include "dain/dain.h"
#include "media/colour.h"
#include "media/pixels.h"

#include <libavutil/imgutils.h>
#include <math.h>

static Report report;
static uint32_t seed = 1;

static unsigned next_random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static AVFrame *make(enum AVPixelFormat format, int width, int height, enum AVColorSpace matrix,
                     enum AVColorRange range)
{
    AVFrame *const f = colour_frame(format, width, height);
    if (!f) {
        test_fail(__FILE__, __LINE__, "no frame of format %s", av_get_pix_fmt_name(format));
        return NULL;
    }
    f->colorspace = matrix;
    f->color_range = range;
    return f;
}

static unsigned get(const AVFrame *f, int component, int x, int y)
{
    uint16_t v;
    av_read_image_line2(&v, (const uint8_t **)f->data, f->linesize, av_pix_fmt_desc_get(f->format),
                        x, y, component, 1, 0, 2);
    return v;
}

static void set(AVFrame *f, int component, int x, int y, unsigned value)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    const AVComponentDescriptor *const c = &d->comp[component];
    uint16_t v = (uint16_t)value;
    if (!x && !y && !component)
        for (int p = 0; p < av_pix_fmt_count_planes(f->format); p++)
            memset(f->data[p], 0,
                   (size_t)f->linesize[p] *
                       (size_t)(p ? AV_CEIL_RSHIFT(f->height, d->log2_chroma_h) : f->height));
    (void)c;
    av_write_image_line2(&v, f->data, f->linesize, d, x, y, component, 1, 2);
}

static int component_width(const AVFrame *f, int i)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    return (i == 1 || i == 2) && d->nb_components > 2 && !(d->flags & AV_PIX_FMT_FLAG_RGB)
               ? AV_CEIL_RSHIFT(f->width, d->log2_chroma_w)
               : f->width;
}

static int component_height(const AVFrame *f, int i)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    return (i == 1 || i == 2) && d->nb_components > 2 && !(d->flags & AV_PIX_FMT_FLAG_RGB)
               ? AV_CEIL_RSHIFT(f->height, d->log2_chroma_h)
               : f->height;
}

static void fill(AVFrame *f, int component, unsigned value)
{
    for (int y = 0; y < component_height(f, component); y++)
        for (int x = 0; x < component_width(f, component); x++)
            set(f, component, x, y, value);
}

static float rgb_at(const AVFrame *f, int component, int x, int y)
{
    static const int plane[] = { 2, 0, 1, 3 };
    return ((const float *)(f->data[plane[component]] + y * f->linesize[plane[component]]))[x];
}

/* Y'CbCr of a saturated colour by the standards' own formulas, rounded. */
static void code_of(double kr, double kb, bool full, int depth, const double rgb[3],
                    unsigned out[3])
{
    const double y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
    const double u = (rgb[2] - y) / (2 * (1 - kb)), v = (rgb[0] - y) / (2 * (1 - kr));
    const double unit = full ? (1 << depth) - 1 : 1 << (depth - 8);
    const double middle = 1 << (depth - 1);
    out[0] = (unsigned)lrint(full ? y * unit : (16 + 219 * y) * unit);
    out[1] = (unsigned)lrint((full ? 1 : 224) * u * unit + middle);
    out[2] = (unsigned)lrint((full ? 1 : 224) * v * unit + middle);
    for (int i = 0; i < 3; i++) /* full range: +0.5 lies one code above the last */
        if (out[i] >> depth)
            out[i] = (1u << depth) - 1;
}

static const struct {
    enum AVColorSpace matrix;
    double kr, kb;
} matrices[] = { { AVCOL_SPC_BT709, 0.2126, 0.0722 },
                 { AVCOL_SPC_SMPTE170M, 0.299, 0.114 },
                 { AVCOL_SPC_BT470BG, 0.299, 0.114 },
                 { AVCOL_SPC_BT2020_NCL, 0.2627, 0.0593 } };

static const enum AVPixelFormat yuv_formats[] = {
    AV_PIX_FMT_YUV420P,   AV_PIX_FMT_YUV422P,     AV_PIX_FMT_YUV444P,   AV_PIX_FMT_YUV411P,
    AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10,   AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV420P12,
    AV_PIX_FMT_YUV444P16, AV_PIX_FMT_NV12,        AV_PIX_FMT_P010LE,    AV_PIX_FMT_YUYV422,
    AV_PIX_FMT_UYVY422,   AV_PIX_FMT_YUV420P10BE, AV_PIX_FMT_YUVA420P
};

/* One patch through RGB and back. */
static void patch(enum AVPixelFormat format, int m, bool full, const double rgb[3])
{
    static const char *const names[] = { "red", "green", "blue" };
    const int depth = av_pix_fmt_desc_get(format)->comp[0].depth;
    const enum AVColorRange range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    unsigned want[3];
    code_of(matrices[m].kr, matrices[m].kb, full, depth, rgb, want);
    AVFrame *src = make(format, 22, 18, matrices[m].matrix, range);
    AVFrame *dst = make(format, 22, 18, matrices[m].matrix, range);
    AVFrame *mid = src ? colour_rgb_frame(NULL, src, false) : NULL;
    Colour *there = colour_create(), *back = colour_create();
    if (CHECK(src && dst && mid && there && back)) {
        for (int i = 0; i < 3; i++)
            fill(src, i, want[i]);
        if (pixels_alpha(format))
            fill(src, 3, 77);
        CHECK_INT(colour_convert(there, src, mid, &report), DAIN_OK);
        CHECK_INT(colour_convert(back, mid, dst, &report), DAIN_OK);
        /* The code's own rounding, through the matrix, is at most two steps. */
        const double unit = full ? (1 << depth) - 1 : 219 << (depth - 8);
        for (int i = 0; i < 3; i++) {
            const double got = rgb_at(mid, i, 11, 9);
            if (fabs(got - rgb[i]) > 1.5 / unit)
                test_fail(__FILE__, __LINE__, "%s, matrix %d, %s: %s is %f, not %f",
                          av_get_pix_fmt_name(format), matrices[m].matrix,
                          full ? "full" : "limited", names[i], got, rgb[i]);
            for (int y = 0; y < component_height(dst, i); y++)
                for (int x = 0; x < component_width(dst, i); x++)
                    if (get(dst, i, x, y) != want[i]) {
                        test_fail(__FILE__, __LINE__,
                                  "%s, matrix %d, %s: component %d is %u, not %u",
                                  av_get_pix_fmt_name(format), matrices[m].matrix,
                                  full ? "full" : "limited", i, get(dst, i, x, y), want[i]);
                        y = dst->height;
                        break;
                    }
        }
        if (pixels_alpha(format))
            CHECK_INT(get(dst, 3, 5, 5), 77);
    }
    av_frame_free(&src);
    av_frame_free(&dst);
    av_frame_free(&mid);
    colour_destroy(there);
    colour_destroy(back);
}

static void patches(void)
{
    static const double colours[][3] = { { 0, 0, 0 }, { 1, 1, 1 },      { 1, 0, 0 },
                                         { 0, 1, 0 }, { 0, 0, 1 },      { 0.5, 0.5, 0.5 },
                                         { 1, 1, 0 }, { 0.2, 0.6, 0.8 } };
    for (unsigned f = 0; f < sizeof yuv_formats / sizeof *yuv_formats; f++)
        for (unsigned m = 0; m < sizeof matrices / sizeof *matrices; m++)
            for (int full = 0; full < 2; full++)
                for (unsigned c = 0; c < sizeof colours / sizeof *colours; c++)
                    patch(yuv_formats[f], (int)m, full, colours[c]);
}

static void unspecified_is_guessed(void)
{
    AVFrame *f = make(AV_PIX_FMT_YUV420P, 64, 576, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED);
    CHECK_INT(colour_matrix(f), AVCOL_SPC_SMPTE170M);
    CHECK_INT(colour_range(f), AVCOL_RANGE_MPEG);
    f->height = 578;
    CHECK_INT(colour_matrix(f), AVCOL_SPC_BT709);
    f->format = AV_PIX_FMT_YUVJ420P;
    CHECK_INT(colour_range(f), AVCOL_RANGE_JPEG);
    f->format = AV_PIX_FMT_GRAY8;
    CHECK_INT(colour_range(f), AVCOL_RANGE_JPEG);
    f->format = AV_PIX_FMT_RGB24;
    CHECK_INT(colour_matrix(f), AVCOL_SPC_RGB);
    CHECK_INT(colour_range(f), AVCOL_RANGE_JPEG);
    av_frame_free(&f);
}

/* Random samples through RGB and back: exact where there is no chroma subsampling. */
static void exact_trip(enum AVPixelFormat format, int width, int height)
{
    AVFrame *src = make(format, width, height, AVCOL_SPC_BT709, AVCOL_RANGE_UNSPECIFIED);
    AVFrame *dst = make(format, width, height, AVCOL_SPC_BT709, AVCOL_RANGE_UNSPECIFIED);
    AVFrame *mid = src ? colour_rgb_frame(NULL, src, false) : NULL;
    Colour *there = colour_create(), *back = colour_create();
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(format);
    if (CHECK(src && dst && mid && there && back)) {
        for (int i = 0; i < d->nb_components; i++)
            for (int y = 0; y < component_height(src, i); y++)
                for (int x = 0; x < component_width(src, i); x++)
                    set(src, i, x, y, next_random() & ((1u << d->comp[i].depth) - 1));
        CHECK_INT(colour_convert(there, src, mid, &report), DAIN_OK);
        CHECK_INT(colour_convert(back, mid, dst, &report), DAIN_OK);
        const bool subsampled = d->log2_chroma_w || d->log2_chroma_h;
        for (int i = 0; i < d->nb_components; i++)
            for (int y = 0; y < component_height(src, i); y++)
                for (int x = 0; x < component_width(src, i); x++)
                    if (!(subsampled && (i == 1 || i == 2)) &&
                        get(src, i, x, y) != get(dst, i, x, y)) {
                        test_fail(__FILE__, __LINE__,
                                  "%s %dx%d: component %d at %d, %d is %u, not %u", d->name, width,
                                  height, i, x, y, get(dst, i, x, y), get(src, i, x, y));
                        goto done;
                    }
    }
done:
    av_frame_free(&src);
    av_frame_free(&dst);
    av_frame_free(&mid);
    colour_destroy(there);
    colour_destroy(back);
}

static void trips(void)
{
    static const enum AVPixelFormat formats[] = {
        AV_PIX_FMT_RGB24,     AV_PIX_FMT_BGR24,    AV_PIX_FMT_RGBA,      AV_PIX_FMT_BGRA,
        AV_PIX_FMT_ARGB,      AV_PIX_FMT_BGR0,     AV_PIX_FMT_0RGB,      AV_PIX_FMT_GBRP,
        AV_PIX_FMT_GBRAP,     AV_PIX_FMT_GBRP10,   AV_PIX_FMT_GBRP12,    AV_PIX_FMT_GBRP16,
        AV_PIX_FMT_RGB48LE,   AV_PIX_FMT_RGB48BE,  AV_PIX_FMT_RGBA64BE,  AV_PIX_FMT_GRAY8,
        AV_PIX_FMT_GRAY10,    AV_PIX_FMT_GRAY16LE, AV_PIX_FMT_GRAY16BE,  AV_PIX_FMT_YA8,
        AV_PIX_FMT_YA16BE,    AV_PIX_FMT_YUV444P,  AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV420P,
        AV_PIX_FMT_YUV422P10, AV_PIX_FMT_NV12,     AV_PIX_FMT_YUVJ420P,  AV_PIX_FMT_YUVA444P10
    };
    static const int sizes[][2] = { { 32, 32 }, { 33, 17 }, { 17, 34 }, { 19, 23 } };
    for (unsigned f = 0; f < sizeof formats / sizeof *formats; f++)
        for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++)
            exact_trip(formats[f], sizes[s][0], sizes[s][1]);
}

static void palettes(void)
{
    AVFrame *src = make(AV_PIX_FMT_PAL8, 19, 3, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED);
    AVFrame *mid = src ? colour_rgb_frame(NULL, src, false) : NULL;
    Colour *c = colour_create();
    if (CHECK(src && mid && c)) {
        for (int y = 0; y < 3; y++)
            for (int x = 0; x < 19; x++)
                src->data[0][y * src->linesize[0] + x] = (uint8_t)(x % 2);
        ((uint32_t *)src->data[1])[0] = 0xff336699;
        ((uint32_t *)src->data[1])[1] = 0x66ff0000;
        CHECK_INT(colour_convert(c, src, mid, &report), DAIN_OK);
        static const double want[2][4] = { { 0.2, 0.4, 0.6, 1 }, { 1, 0, 0, 0.4 } };
        for (int x = 0; x < 19; x++)
            for (int i = 0; i < 4; i++)
                CHECK(fabs(rgb_at(mid, i, x, 1) - want[x % 2][i]) < 1e-6);
    }
    av_frame_free(&src);
    av_frame_free(&mid);
    colour_destroy(c);
    CHECK_INT(pixels_to_planar(AV_PIX_FMT_PAL8), AV_PIX_FMT_GBRAP);
    CHECK_INT(pixels_to_planar(AV_PIX_FMT_NV12), AV_PIX_FMT_YUV420P);
    CHECK_INT(pixels_to_planar(AV_PIX_FMT_P010LE), AV_PIX_FMT_YUV420P10);
    CHECK_INT(pixels_to_planar(AV_PIX_FMT_RGB24), AV_PIX_FMT_GBRP);
    CHECK_INT(pixels_to_planar(AV_PIX_FMT_YUVJ422P), AV_PIX_FMT_YUV422P);
    CHECK_INT(pixels_to_planar(AV_PIX_FMT_RGBA64BE), AV_PIX_FMT_GBRAP16);
}

static void headroom(void)
{
    /* Cameras write luma above 235: with headroom it stays below 1, and comes back. */
    AVFrame *src = make(AV_PIX_FMT_YUV420P, 32, 32, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG);
    AVFrame *dst = make(AV_PIX_FMT_YUV420P, 32, 32, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG);
    Colour *there = colour_create(), *back = colour_create();
    for (int with = 0; with < 2 && CHECK(src && dst && there && back); with++) {
        AVFrame *mid = colour_rgb_frame(NULL, src, with);
        if (!CHECK(mid != NULL))
            break;
        static const unsigned codes[] = { 0, 5, 16, 128, 235, 250, 255 };
        for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
            fill(src, 0, codes[i]);
            fill(src, 1, 128);
            fill(src, 2, 128);
            CHECK_INT(colour_convert(there, src, mid, &report), DAIN_OK);
            CHECK_INT(colour_convert(back, mid, dst, &report), DAIN_OK);
            const double want = with ? codes[i] / 255.0 : (codes[i] - 16.0) / 219;
            CHECK(fabs(rgb_at(mid, 0, 3, 3) - want) < (with ? 0.003 : 1e-5));
            CHECK_INT(get(dst, 0, 3, 3), codes[i]);
            CHECK_INT(get(dst, 1, 3, 3), 128);
        }
        av_frame_free(&mid);
    }
    av_frame_free(&src);
    av_frame_free(&dst);
    colour_destroy(there);
    colour_destroy(back);
}

static void unknown_formats_are_refused(void)
{
    CHECK(!pixels_readable(AV_PIX_FMT_VAAPI));
    CHECK(!pixels_readable(AV_PIX_FMT_BAYER_BGGR8));
    CHECK(!pixels_readable(AV_PIX_FMT_XYZ12LE));
    CHECK(!pixels_writable(AV_PIX_FMT_PAL8));
    AVFrame *src = make(AV_PIX_FMT_YUV420P, 32, 32, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG);
    AVFrame *dst = make(AV_PIX_FMT_XYZ12LE, 32, 32, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED);
    Colour *c = colour_create();
    if (src && dst && CHECK(c != NULL)) {
        CHECK_INT(colour_convert(c, src, dst, &report), DAIN_EUNSUPPORTED);
        CHECK_CONTAINS(report.error, "xyz12le");
    }
    av_frame_free(&src);
    av_frame_free(&dst);
    colour_destroy(c);
}

static const Test tests[] = {
    { "flat colours have the standards' codes and come back as they were", patches },
    { "what a frame does not say is guessed by its size", unspecified_is_guessed },
    { "samples without chroma subsampling come back exactly", trips },
    { "palettes are read", palettes },
    { "codes outside of black and white keep their place with headroom", headroom },
    { "formats that cannot be converted are refused by name", unknown_formats_are_refused },
};
TEST_MAIN(tests)
