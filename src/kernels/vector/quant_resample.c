/* Bilinear warps and upsampling of codes and bfloat16 for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

/* ---- positions ---- */

enum { CHUNK = 64 }; /* pixels per round; a multiple of VL */

/* Positions in the map of VL pixels from column x0 on, of which n exist, and their fractions. */
VEC_INLINE void positions(int *px, int *py, vf *ax, vf *ay, int w, int h, const View *flow, int y,
                          int x0, int n)
{
    vf f[4];
    vi ix, iy;

    channels_load(f, view_at(flow, y, x0), flow->px, n);
    *ax = vf_position(vf_from(vi_add(vi_set(x0), vi_iota())) + f[0], vf_set((float)(w - 1)), &ix);
    *ay = vf_position(vf_set((float)y) + f[1], vf_set((float)(h - 1)), &iy);
    vi_store(px, ix);
    vi_store(py, iy);
}

/* ---- warp of codes ---- */

typedef struct CodePlaces {
    int x[CHUNK], y[CHUNK];
    int ax[CHUNK], ay[CHUNK]; /* units of 2^-15 */
} CodePlaces;

/* n of HW channels. */
VEC_INLINE void warp_codes_half(uint8_t *o, const uint8_t *p, ptrdiff_t px, ptrdiff_t row, int ax,
                                int ay, int n)
{
    const hw fx = hw_set(ax), fy = hw_set(ay);
    const hw top = hw_lerp(hw_load_shifted(p), hw_load_shifted(p + px), fx);
    const hw bottom = hw_lerp(hw_load_shifted(p + row), hw_load_shifted(p + row + px), fx);
    const hw v = hw_add(hw_lerp(top, bottom, fy), hw_set(64));

    hw_store_n(o, hw_shift_right7(v), n);
}

#if defined(__AVX512F__)
VEC_INLINE vw vw_lerp(vw a, vw b, vw f)
{
    return _mm512_add_epi16(a, _mm512_mulhrs_epi16(_mm512_sub_epi16(b, a), f));
}

VEC_INLINE vw vw_load_shifted(const uint8_t *p)
{
    return _mm512_slli_epi16(vw_load(p), 7);
}

/* 32 channels. */
VEC_INLINE void warp_codes32(uint8_t *o, const uint8_t *p, ptrdiff_t px, ptrdiff_t row, int ax,
                             int ay)
{
    const vw fx = vw_set(ax), fy = vw_set(ay);
    const vw top = vw_lerp(vw_load_shifted(p), vw_load_shifted(p + px), fx);
    const vw bottom = vw_lerp(vw_load_shifted(p + row), vw_load_shifted(p + row + px), fx);
    const vw v = vw_add(vw_lerp(top, bottom, fy), vw_set(64));

    vw_store_n(o, _mm512_srli_epi16(v, 7), 32);
}
#endif

/* n pixels; c is a constant for the widths of the network. */
VEC_INLINE void warp_codes(const CodePlaces *at, uint8_t *o, ptrdiff_t opx, const View8 *x, int n,
                           const int c)
{
    for (int i = 0; i < n; i++, o += opx) {
        const uint8_t *p = view8_at(x, at->y[i], at->x[i]);
        int k = 0;

#if defined(__AVX512F__)
        for (; k + 32 <= c; k += 32)
            warp_codes32(o + k, p + k, x->px, x->row, at->ax[i], at->ay[i]);
#endif
        for (; k < c; k += HW)
            warp_codes_half(o + k, p + k, x->px, x->row, at->ax[i], at->ay[i], c - k);
    }
}

/* Fractions as integers, the last one left out. */
VEC_INLINE void fractions_store(int *p, vf f)
{
    vi_store(p, vi_min(vi_round(f * vf_set(32768.0f)), vi_set(32767)));
}

void KERNEL(warp_bilinear_u8)(const View8 *out, const View8 *x, const View *flow, int y0, int y1)
{
    CodePlaces at;

    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < out->w; x0 += CHUNK) {
            const int n = out->w - x0 < CHUNK ? out->w - x0 : CHUNK;
            uint8_t *o = view8_at(out, y, x0);

            for (int i = 0; i < n; i += VL) {
                vf ax, ay;

                positions(at.x + i, at.y + i, &ax, &ay, x->w, x->h, flow, y, x0 + i, n - i);
                fractions_store(at.ax + i, ax);
                fractions_store(at.ay + i, ay);
            }
            if (out->c == 16)
                warp_codes(&at, o, out->px, x, n, 16);
            else if (out->c == 32)
                warp_codes(&at, o, out->px, x, n, 32);
            else if (out->c == 48)
                warp_codes(&at, o, out->px, x, n, 48);
            else
                warp_codes(&at, o, out->px, x, n, out->c);
        }
}

/* ---- warp of bfloat16 ---- */

typedef struct Bf16Places {
    int x[CHUNK], y[CHUNK];
    float w[CHUNK / VL][4][VL];
} Bf16Places;

VEC_INLINE void warp_bf16(const Bf16Places *at, uint16_t *o, ptrdiff_t opx, const View16 *x, int n,
                          const int c)
{
    for (int i = 0; i < n; i++, o += opx) {
        const uint16_t *p = view16_at(x, at->y[i], at->x[i]), *q = p + x->row;
        const float *weight = &at->w[i / VL][0][i % VL];
        const vf w[4] = { vf_set(weight[0]), vf_set(weight[VL]), vf_set(weight[2 * VL]),
                          vf_set(weight[3 * VL]) };

        for (int k = 0; k < c; k += VL) {
            vf v = vf_load_bf16(p + k) * w[0];

            v = vf_fma(vf_load_bf16(p + x->px + k), w[1], v);
            v = vf_fma(vf_load_bf16(q + k), w[2], v);
            vf_store_bf16_n(o + k, vf_fma(vf_load_bf16(q + x->px + k), w[3], v), c - k);
        }
    }
}

void KERNEL(warp_bilinear_bf16)(const View16 *out, const View16 *x, const View *flow, int y0,
                                int y1)
{
    Bf16Places at;

    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < out->w; x0 += CHUNK) {
            const int n = out->w - x0 < CHUNK ? out->w - x0 : CHUNK;
            uint16_t *o = view16_at(out, y, x0);

            for (int i = 0; i < n; i += VL) {
                vf ax, ay, w[4];

                positions(at.x + i, at.y + i, &ax, &ay, x->w, x->h, flow, y, x0 + i, n - i);
                vf_bilinear(ax, ay, w);
                for (int k = 0; k < 4; k++)
                    vf_store(at.w[i / VL][k], w[k]);
            }
            if (out->c == 16)
                warp_bf16(&at, o, out->px, x, n, 16);
            else if (out->c == 32)
                warp_bf16(&at, o, out->px, x, n, 32);
            else
                warp_bf16(&at, o, out->px, x, n, out->c);
        }
}

/* ---- upsampling: along the row, for as many channels as a vector holds ---- */

/* Row of x that counts 1/4 for row y of the output. */
static int far_row(int y, int h)
{
    const int far = y & 1 ? (y >> 1) + 1 : (y >> 1) - 1;

    return far < 0 ? 0 : far < h ? far : h - 1;
}

VEC_INLINE vw column_codes(const uint8_t *near, const uint8_t *far)
{
    return vw_add(vw_times3(vw_load(near)), vw_load(far));
}

void KERNEL(up2_u8)(const View8 *out, const View8 *x, int y0, int y1)
{
    const vw half = vw_set(8);

    for (int y = y0; y < y1; y++)
        for (int k = 0; k < out->c; k += VW) {
            const uint8_t *near = view8_at(x, y >> 1, 0) + k;
            const uint8_t *far = view8_at(x, far_row(y, x->h), 0) + k;
            uint8_t *o = view8_at(out, y, 0) + k;
            vw here = column_codes(near, far), left = here;

            for (int i = 1; i <= x->w; i++, o += 2 * out->px) {
                const ptrdiff_t next = (i < x->w ? i : i - 1) * x->px;
                const vw right = column_codes(near + next, far + next);
                const vw base = vw_add(vw_times3(here), half);

                vw_store_n(o, vw_shift_right4(vw_add(base, left)), out->c - k);
                vw_store_n(o + out->px, vw_shift_right4(vw_add(base, right)), out->c - k);
                left = here;
                here = right;
            }
        }
}

VEC_INLINE vf column_bf16(const uint16_t *near, const uint16_t *far)
{
    return vf_fma(vf_load_bf16(far), vf_set(0.25f), vf_load_bf16(near) * vf_set(0.75f));
}

void KERNEL(up2_bf16)(const View16 *out, const View16 *x, int y0, int y1)
{
    const vf near_weight = vf_set(0.75f), far_weight = vf_set(0.25f);

    for (int y = y0; y < y1; y++)
        for (int k = 0; k < out->c; k += VL) {
            const uint16_t *near = view16_at(x, y >> 1, 0) + k;
            const uint16_t *far = view16_at(x, far_row(y, x->h), 0) + k;
            uint16_t *o = view16_at(out, y, 0) + k;
            vf here = column_bf16(near, far), left = here;

            for (int i = 1; i <= x->w; i++, o += 2 * out->px) {
                const ptrdiff_t next = (i < x->w ? i : i - 1) * x->px;
                const vf right = column_bf16(near + next, far + next), base = here * near_weight;

                vf_store_bf16_n(o, vf_fma(left, far_weight, base), out->c - k);
                vf_store_bf16_n(o + out->px, vf_fma(right, far_weight, base), out->c - k);
                left = here;
                here = right;
            }
        }
}
