/* Pictures in and out and the composition, for every width of vectors. Columns that do not fill
 * a vector and rare formats go to the C reference. */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

static View view_from(const View *v, int x)
{
    View rest = *v;
    rest.data += x * v->px;
    rest.w -= x;
    return rest;
}

/* ---- composition ---- */

/* VQ pixels a row of which lies at p. */
VEC_INLINE vf pixels_load(const float *p, ptrdiff_t px)
{
    return px == 4 ? vf_load(p) : q_load(p, px);
}

VEC_INLINE void pixels_store(float *p, ptrdiff_t px, vf v)
{
    if (px == 4)
        vf_store(p, v);
    else
        q_store(p, px, v);
}

void KERNEL(blend_f32)(const View *out, const View *a, const View *b, const View *m, const View *r,
                       int y0, int y1)
{
    const vf zero = vf_zero(), one = vf_set(1.0f);
    const int whole = out->w / VQ * VQ;
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < whole; i += VQ) {
            const vf k = q_spread(view_at(m, y, i), m->px);
            const vf far = (one - k) * pixels_load(view_at(b, y, i), b->px);
            const vf v = vf_fma(k, pixels_load(view_at(a, y, i), a->px), far);
            const vf residual = q_set_last(q_load(view_at(r, y, i), r->px), 0.0f);
            pixels_store(view_at(out, y, i), out->px, vf_clamp(v + residual, zero, one));
        }
        if (whole < out->w) {
            const View o = view_from(out, whole), p = view_from(a, whole), q = view_from(b, whole);
            const View k = view_from(m, whole), res = view_from(r, whole);
            blend_f32_c(&o, &p, &q, &k, &res, y, y + 1);
        }
    }
}

/* Stores VQ pixels of 3 channels. */
VEC_INLINE void rgb_store(float *p, ptrdiff_t px, vf v)
{
#if defined(__AVX512F__)
    if (px == 3) {
        _mm512_mask_storeu_ps(p, 0x0fff, _mm512_maskz_compress_ps(0x7777, v));
        return;
    }
    if (px == 4) {
        _mm512_mask_storeu_ps(p, 0x7777, v);
        return;
    }
#endif
    for (int l = 0; l < VQ; l++)
        f4_store_n(p + l * px, q_get(v, l), 3);
}

void KERNEL(shift_rgb_f32)(const View *out, const View *x, int y0, int y1)
{
    const int whole = out->w / VQ * VQ;
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < whole; i += VQ)
            rgb_store(view_at(out, y, i), out->px,
                      pixels_load(view_at(x, y, i), x->px) - vf_set(0.5f));
        if (whole < out->w) {
            const View o = view_from(out, whole), p = view_from(x, whole);
            shift_rgb_f32_c(&o, &p, y, y + 1);
        }
    }
}

/* ---- formats ---- */

static int sample_size(const ImageView *image)
{
    return image->sample == 0 ? 1 : image->sample == 1 ? 2 : 4;
}

/* Columns x, ... of an image. */
static ImageView image_from(const ImageView *image, int x)
{
    ImageView rest = *image;
    for (int c = 0; c < 4; c++)
        if (rest.plane[c])
            rest.plane[c] =
                (uint8_t *)rest.plane[c] + (ptrdiff_t)x * image->step * sample_size(image);
    rest.w -= x;
    return rest;
}

/* Pixels whose 3 or 4 samples of 8 bits lie together. */
typedef struct PackedBytes {
    int byte[4]; /* of every channel in its pixel, -1 = no alpha */
    int base;    /* the channel with the lowest address */
    int last;    /* the largest of byte[] */
    int used;    /* bit mask of byte[] */
} PackedBytes;

/* Returns 0 for other pictures. */

static int packed_bytes(PackedBytes *packed, const ImageView *image)
{
    if (image->sample != 0 || (image->step != 3 && image->step != 4))
        return 0;
    *packed = (PackedBytes){ { 0 }, 0, 0, 0 };
    for (int c = 1; c < 4; c++)
        if (image->plane[c] && (uintptr_t)image->plane[c] < (uintptr_t)image->plane[packed->base])
            packed->base = c;
    for (int c = 0; c < 4; c++) {
        if (!image->plane[c] && c == 3) {
            packed->byte[c] = -1;
            continue;
        }
        const uintptr_t byte = (uintptr_t)image->plane[c] - (uintptr_t)image->plane[packed->base];
        if (byte >= (uintptr_t)image->step || image->stride[c] != image->stride[packed->base])
            return 0;
        packed->byte[c] = (int)byte;
        packed->used |= 1 << byte;
        if (packed->last < packed->byte[c])
            packed->last = packed->byte[c];
    }
    return 1;
}

/* ---- import ---- */

/* Each loader fills whole vectors of one row and returns the number of pixels done. */

static int packed_load(float *o, ptrdiff_t px, const ImageView *image, const PackedBytes *packed,
                       int y)
{
    enum { BYTES = 4 * VQ }; /* read at a time, for VQ pixels of 3 or 4 bytes */
    const uint8_t *p =
        (const uint8_t *)image->plane[packed->base] + y * image->stride[packed->base];
    const int step = image->step, end = (image->w - 1) * step + packed->last + 1;
    int8_t order[VQ * 16];
    int i = 0;
    for (int k = 0; k < VQ * 16; k++) {
        const int byte = packed->byte[k / 4 % 4];
        order[k] = (int8_t)(k % 4 || byte < 0 ? -1 : k / 16 * step + byte);
    }
    for (; i * step + BYTES <= end; i += VQ, o += VQ * px) {
        const vi code = vi_pick_bytes(p + i * step, order);
        vf v = vf_from(code) / vf_set(image->peak);
        if (packed->byte[3] < 0)
            v = q_set_last(v, 1.0f);
        pixels_store(o, px, v);
    }
    return i;
}

/* VL neighbouring samples of one plane as numbers. */
VEC_INLINE vf samples_load(const void *p, int i, int sample)
{
    if (sample == 2)
        return vf_load((const float *)p + i);
    if (sample == 1)
        return vf_from(vi_load_words((const uint16_t *)p + i));
    return vf_from(vi_load_codes((const uint8_t *)p + i));
}

static int planar_load(float *o, ptrdiff_t px, const ImageView *image, int y)
{
    const uint8_t *row[4];
    int i = 0;
    for (int c = 0; c < 4; c++)
        row[c] = image->plane[c] ? (const uint8_t *)image->plane[c] + y * image->stride[c] : NULL;
    for (; i + VL <= image->w; i += VL, o += VL * px) {
        vf v[4];
        for (int c = 0; c < 4; c++)
            if (row[c])
                v[c] = samples_load(row[c], i, image->sample) / vf_set(image->peak);
            else
                v[c] = vf_set(1.0f);
        channels_store(o, px, v, 4, VL);
    }
    return i;
}

static void pixel_repeat(float *o, ptrdiff_t px, const float *from, int n)
{
    const f4 v = f4_load(from);
    for (int i = 0; i < n; i++)
        f4_store(o + i * px, v);
}

void KERNEL(image_load_f32)(const View *out, const ImageView *image, int halo, int y0, int y1)
{
    PackedBytes packed;
    const int is_packed = packed_bytes(&packed, image);
    if (!is_packed && image->step != 1) {
        image_load_f32_c(out, image, halo, y0, y1);
        return;
    }
    for (int y = y0; y < y1; y++) {
        const int sy = y < 0 ? 0 : y < image->h ? y : image->h - 1;
        float *o = view_at(out, y, 0);
        const int done = is_packed ? packed_load(o, out->px, image, &packed, sy)
                                   : planar_load(o, out->px, image, sy);
        if (done < image->w) {
            const ImageView rest = image_from(image, done);
            View tail = view_from(out, done);
            tail.w = image->w - done;
            tail.data += (y - sy) * out->row; /* the row of the picture into the row asked for */
            image_load_f32_c(&tail, &rest, 0, sy, sy + 1);
        }
        const float *last = view_at(out, y, image->w - 1);
        pixel_repeat(view_at(out, y, -halo), out->px, o, halo);
        pixel_repeat(view_at(out, y, image->w), out->px, last, out->w + halo - image->w);
    }
}

/* ---- export ---- */

/* Codes of numbers in [0,1]. */
VEC_INLINE vi codes(vf v, float peak)
{
    return vi_round(vf_clamp(v, vf_zero(), vf_set(1.0f)) * vf_set(peak));
}

VEC_INLINE void samples_store(void *p, int i, int sample, vf v, float peak)
{
    if (sample == 2) {
        vf_store((float *)p + i, v);
        return;
    }
    if (sample == 1)
        vi_store_words((uint16_t *)p + i, codes(v, peak));
    else
        vi_store_codes_n((uint8_t *)p + i, codes(v, peak), VL);
}

static int planar_store(const ImageView *image, const View *x, int y)
{
    int i = 0;
    for (; i + VL <= image->w; i += VL) {
        vf v[4];
        channels_load(v, view_at(x, y, i), x->px, VL);
        for (int c = 0; c < 4; c++)
            if (image->plane[c])
                samples_store((uint8_t *)image->plane[c] + y * image->stride[c], i, image->sample,
                              v[c], image->peak);
    }
    return i;
}

/* Every byte of a pixel must belong to a channel. */
static int packed_store(const ImageView *image, const PackedBytes *packed, const View *x, int y)
{
    uint8_t *p = (uint8_t *)image->plane[packed->base] + y * image->stride[packed->base];
    const int step = image->step;
    int8_t order[16];
    int i = 0;
    for (int k = 0; k < 16; k++)
        order[k] = -1;
    for (int l = 0; l < VQ; l++)
        for (int c = 0; c < step; c++)
            order[l * step + packed->byte[c]] = (int8_t)(4 * l + c);
    for (; i + VQ <= image->w; i += VQ, p += VQ * step) {
        const vi code = codes(pixels_load(view_at(x, y, i), x->px), image->peak);
        uint8_t bytes[16];
        vi_store_bytes(bytes, code, order);
        if (step == 3)
            memcpy(p, bytes, 3 * VQ);
        else
            memcpy(p, bytes, 4 * VQ);
    }
    return i;
}

void KERNEL(image_store_f32)(const ImageView *image, const View *x, int y0, int y1)
{
    PackedBytes packed;
    const int is_packed = packed_bytes(&packed, image) && packed.used == (1 << image->step) - 1;
    if (!is_packed && image->step != 1) {
        image_store_f32_c(image, x, y0, y1);
        return;
    }
    for (int y = y0; y < y1; y++) {
        const int done = is_packed ? packed_store(image, &packed, x, y) : planar_store(image, x, y);
        if (done < image->w) {
            const ImageView rest = image_from(image, done);
            const View tail = view_from(x, done);
            image_store_f32_c(&rest, &tail, y, y + 1);
        }
    }
}
