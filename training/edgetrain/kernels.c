// Training kernels: forward and backward of the operators that torch runs slowly on a CPU.
// All arrays are float32. "Channels last" means (N,H,W,C); planar means (N,C,H,W). Backward functions
// accumulate into gradients that the caller has zeroed where marked "+=", else they write every value.
// One thread; built by native.py with -O3 -march=native -ffast-math. Definitions: operators.py.
#include <math.h>
#include <stddef.h>
#include <string.h>

#define LANES 16

typedef struct {
    size_t corner
        [4]; // pixel indices of the four samples: top left, top right, bottom left, bottom right
    float ax, ay;       // fractions
    int free_x, free_y; // 0 where the clamp to the picture makes the derivative zero
} Sample;

static inline float clampf(float v, float lo, float hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static inline int clampi(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static inline Sample sample_at(float qx, float qy, int h, int w)
{
    Sample s;
    float x = clampf(qx, 0, w - 1), y = clampf(qy, 0, h - 1);
    int x0 = (int)x, y0 = (int)y;
    int x1 = x0 + 1 < w ? x0 + 1 : w - 1, y1 = y0 + 1 < h ? y0 + 1 : h - 1;
    s.free_x = qx > 0 && qx < w - 1;
    s.free_y = qy > 0 && qy < h - 1;
    s.ax = x - x0;
    s.ay = y - y0;
    s.corner[0] = (size_t)y0 * w + x0;
    s.corner[1] = (size_t)y0 * w + x1;
    s.corner[2] = (size_t)y1 * w + x0;
    s.corner[3] = (size_t)y1 * w + x1;
    return s;
}

// ---- bilinear warp, channels last -------------------------------------------------------------------------
void edge_warp(const float *x, const float *flow, float *out, int n, int h, int w, int c)
{
    size_t area = (size_t)h * w;
    for (int b = 0; b < n; b++, x += area * c)
        for (int py = 0; py < h; py++)
            for (int px = 0; px < w; px++, flow += 2, out += c) {
                Sample s = sample_at(px + flow[0], py + flow[1], h, w);
                float w0 = (1 - s.ax) * (1 - s.ay), w1 = s.ax * (1 - s.ay), w2 = (1 - s.ax) * s.ay,
                      w3 = s.ax * s.ay;
                const float *p0 = x + s.corner[0] * c, *p1 = x + s.corner[1] * c,
                            *p2 = x + s.corner[2] * c, *p3 = x + s.corner[3] * c;
                for (int k = 0; k < c; k++)
                    out[k] = w0 * p0[k] + w1 * p1[k] + w2 * p2[k] + w3 * p3[k];
            }
}

// gx += (skipped where it is NULL), gflow written
void edge_warp_back(const float *g, const float *x, const float *flow, float *gx, float *gflow,
                    int n, int h, int w, int c)
{
    size_t area = (size_t)h * w;
    for (int b = 0; b < n; b++, x += area * c, gx += gx ? area * c : 0)
        for (int py = 0; py < h; py++)
            for (int px = 0; px < w; px++, flow += 2, gflow += 2, g += c) {
                Sample s = sample_at(px + flow[0], py + flow[1], h, w);
                const float *p0 = x + s.corner[0] * c, *p1 = x + s.corner[1] * c,
                            *p2 = x + s.corner[2] * c, *p3 = x + s.corner[3] * c;
                float dx = 0, dy = 0, ax = s.ax, ay = s.ay;
                for (int k = 0; k < c; k++) {
                    dx += g[k] * ((1 - ay) * (p1[k] - p0[k]) + ay * (p3[k] - p2[k]));
                    dy += g[k] * ((1 - ax) * (p2[k] - p0[k]) + ax * (p3[k] - p1[k]));
                }
                gflow[0] = s.free_x ? dx : 0;
                gflow[1] = s.free_y ? dy : 0;
                if (!gx)
                    continue;
                // the four targets may coincide at the border, hence one after the other
                float wt[4] = { (1 - ax) * (1 - ay), ax * (1 - ay), (1 - ax) * ay, ax * ay };
                for (int j = 0; j < 4; j++) {
                    float *to = gx + s.corner[j] * c;
                    for (int k = 0; k < c; k++)
                        to[k] += wt[j] * g[k];
                }
            }
}

// ---- adaptive warp of pictures: planar, three channels, 16 pixels at a time ------------------------------
typedef struct {
    float lin[4][LANES], cub[4][LANES], dlin[4][LANES],
        dcub[4][LANES]; // weights of samples -1,0,1,2; derivatives
    int at[4][LANES];   // their clamped indices
    float open[LANES];  // 1 where the position is inside
} Axis;

static void axis_fill(Axis *a, const float *q, int size, int stride)
{
    const float A = -0.75f;
    for (int l = 0; l < LANES; l++) {
        float p = clampf(q[l], 0, size - 1);
        int i = (int)p;
        float x = p - i, u = 1 - x;
        a->open[l] = q[l] > 0 && q[l] < size - 1;
        a->lin[0][l] = a->lin[3][l] = 0;
        a->lin[1][l] = u;
        a->lin[2][l] = x;
        a->dlin[0][l] = a->dlin[3][l] = 0;
        a->dlin[1][l] = -1;
        a->dlin[2][l] = 1;
        float c0 = A * x * u * u, c1 = ((A + 2) * x - (A + 3)) * x * x + 1, c3 = A * u * x * x;
        float d0 = A * u * (u - 2 * x), d1 = (3 * (A + 2) * x - 2 * (A + 3)) * x,
              d3 = A * x * (2 * u - x);
        a->cub[0][l] = c0;
        a->cub[1][l] = c1;
        a->cub[2][l] = 1 - c0 - c1 - c3;
        a->cub[3][l] = c3;
        a->dcub[0][l] = d0;
        a->dcub[1][l] = d1;
        a->dcub[2][l] = -d0 - d1 - d3;
        a->dcub[3][l] = d3;
        for (int t = 0; t < 4; t++)
            a->at[t][l] = clampi(i - 1 + t, 0, size - 1) * stride;
    }
}

// positions and sharpness of up to 16 pixels of a row; lanes past the end repeat the last pixel
static void awarp_lanes(Axis *ax, Axis *ay, float *k, const float *fx, const float *fy,
                        const float *sharp, int px, int py, int h, int w)
{
    float qx[LANES], qy[LANES];
    for (int l = 0; l < LANES; l++) {
        int i = px + l < w ? px + l : w - 1;
        qx[l] = i + fx[i];
        qy[l] = py + fy[i];
        k[l] = sharp[i];
    }
    axis_fill(ax, qx, w, 1);
    axis_fill(ay, qy, h, w);
}

void edge_awarp(const float *x, const float *flow, const float *sharp, float *out, int n, int h,
                int w)
{
    size_t area = (size_t)h * w;
    Axis ax, ay;
    float k[LANES], o[3][LANES];
    for (int b = 0; b < n; b++, x += 3 * area, flow += 2 * area, sharp += area, out += 3 * area)
        for (int py = 0; py < h; py++)
            for (int px = 0; px < w; px += LANES) {
                size_t row = (size_t)py * w;
                awarp_lanes(&ax, &ay, k, flow + row, flow + area + row, sharp + row, px, py, h, w);
                memset(o, 0, sizeof o);
                for (int j = 0; j < 4; j++)
                    for (int i = 0; i < 4; i++)
                        for (int l = 0; l < LANES; l++) {
                            int at = ay.at[j][l] + ax.at[i][l];
                            float wt = (1 - k[l]) * ax.lin[i][l] * ay.lin[j][l] +
                                       k[l] * ax.cub[i][l] * ay.cub[j][l];
                            o[0][l] += wt * x[at];
                            o[1][l] += wt * x[area + at];
                            o[2][l] += wt * x[2 * area + at];
                        }
                size_t bytes = sizeof(float) * (size_t)(w - px < LANES ? w - px : LANES);
                for (int c = 0; c < 3; c++)
                    memcpy(out + c * area + row + px, o[c], bytes);
            }
}

// gflow and gsharp written
void edge_awarp_back(const float *g, const float *x, const float *flow, const float *sharp,
                     float *gflow, float *gsharp, int n, int h, int w)
{
    size_t area = (size_t)h * w;
    Axis ax, ay;
    float k[LANES], e[3][LANES], d[3][LANES];
    for (int b = 0; b < n; b++, x += 3 * area, flow += 2 * area, sharp += area, g += 3 * area,
             gflow += 2 * area, gsharp += area)
        for (int py = 0; py < h; py++)
            for (int px = 0; px < w; px += LANES) {
                size_t row = (size_t)py * w, count = (size_t)(w - px < LANES ? w - px : LANES);
                awarp_lanes(&ax, &ay, k, flow + row, flow + area + row, sharp + row, px, py, h, w);
                memset(d, 0, sizeof d);
                for (int c = 0; c < 3; c++)
                    for (int l = 0; l < LANES; l++)
                        e[c][l] = g[c * area + row + (px + l < w ? px + l : w - 1)];
                for (int j = 0; j < 4; j++)
                    for (int i = 0; i < 4; i++)
                        for (int l = 0; l < LANES; l++) {
                            int at = ay.at[j][l] + ax.at[i][l];
                            float v = e[0][l] * x[at] + e[1][l] * x[area + at] +
                                      e[2][l] * x[2 * area + at];
                            float m = 1 - k[l];
                            d[0][l] += v * (m * ax.dlin[i][l] * ay.lin[j][l] +
                                            k[l] * ax.dcub[i][l] * ay.cub[j][l]);
                            d[1][l] += v * (m * ax.lin[i][l] * ay.dlin[j][l] +
                                            k[l] * ax.cub[i][l] * ay.dcub[j][l]);
                            d[2][l] +=
                                v * (ax.cub[i][l] * ay.cub[j][l] - ax.lin[i][l] * ay.lin[j][l]);
                        }
                for (size_t l = 0; l < count; l++) {
                    gflow[row + px + l] = d[0][l] * ax.open[l];
                    gflow[area + row + px + l] = d[1][l] * ay.open[l];
                    gsharp[row + px + l] = d[2][l];
                }
            }
}

// ---- normalisation over channels and correlation, channels last ------------------------------------------
void edge_normalise(const float *x, float *y, float *scale, size_t pixels, int c, float eps)
{
    for (size_t p = 0; p < pixels; p++, x += c, y += c) {
        float mean = 0, var = 0;
        for (int k = 0; k < c; k++)
            mean += x[k];
        mean /= c;
        for (int k = 0; k < c; k++)
            var += (x[k] - mean) * (x[k] - mean);
        float s = 1 / sqrtf(var / c + eps);
        for (int k = 0; k < c; k++)
            y[k] = (x[k] - mean) * s;
        scale[p] = s;
    }
}

void edge_normalise_back(const float *g, const float *y, const float *scale, float *gx,
                         size_t pixels, int c)
{
    for (size_t p = 0; p < pixels; p++, g += c, y += c, gx += c) {
        float mg = 0, mgy = 0;
        for (int k = 0; k < c; k++) {
            mg += g[k];
            mgy += g[k] * y[k];
        }
        mg /= c;
        mgy /= c;
        for (int k = 0; k < c; k++)
            gx[k] = scale[p] * (g[k] - mg - y[k] * mgy);
    }
}

void edge_corr(const float *a, const float *b, float *out, int n, int h, int w, int c, int r)
{
    float scale = 1.0f / c;
    for (int m = 0; m < n; m++, b += (size_t)h * w * c)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++, a += c)
                for (int dy = -r; dy <= r; dy++)
                    for (int dx = -r; dx <= r; dx++, out++) {
                        int qx = x + dx, qy = y + dy;
                        float sum = 0;
                        if (qx >= 0 && qx < w && qy >= 0 && qy < h) {
                            const float *q = b + ((size_t)qy * w + qx) * c;
                            for (int k = 0; k < c; k++)
                                sum += a[k] * q[k];
                        }
                        *out = sum * scale;
                    }
}

// ga += , gb +=
void edge_corr_back(const float *g, const float *a, const float *b, float *ga, float *gb, int n,
                    int h, int w, int c, int r)
{
    float scale = 1.0f / c;
    for (int m = 0; m < n; m++, b += (size_t)h * w * c, gb += (size_t)h * w * c)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++, a += c, ga += c)
                for (int dy = -r; dy <= r; dy++)
                    for (int dx = -r; dx <= r; dx++, g++) {
                        int qx = x + dx, qy = y + dy;
                        if (qx < 0 || qx >= w || qy < 0 || qy >= h)
                            continue;
                        size_t at = ((size_t)qy * w + qx) * c;
                        float v = *g * scale;
                        for (int k = 0; k < c; k++)
                            ga[k] += v * b[at + k];
                        for (int k = 0; k < c; k++)
                            gb[at + k] += v * a[k];
                    }
}

// ---- soft arg-max, channels last; weight is kept for the way back ----------------------------------------
void edge_peak(const float *c, float *weight, float *out, size_t pixels, int r, float sharpness)
{
    int side = 2 * r + 1, count = side * side;
    for (size_t p = 0; p < pixels; p++, c += count, weight += count, out += 2) {
        float top = c[0], sum = 0, x = 0, y = 0;
        for (int k = 1; k < count; k++)
            top = c[k] > top ? c[k] : top;
        for (int k = 0; k < count; k++)
            weight[k] = expf(sharpness * (c[k] - top));
        for (int k = 0; k < count; k++)
            sum += weight[k];
        for (int k = 0; k < count; k++)
            weight[k] /= sum;
        for (int j = 0; j < side; j++)
            for (int i = 0; i < side; i++) {
                x += weight[j * side + i] * (i - r);
                y += weight[j * side + i] * (j - r);
            }
        out[0] = x;
        out[1] = y;
    }
}

void edge_peak_back(const float *g, const float *weight, const float *out, float *gc, size_t pixels,
                    int r, float sharpness)
{
    int side = 2 * r + 1;
    for (size_t p = 0; p < pixels; p++, g += 2, out += 2)
        for (int j = 0; j < side; j++)
            for (int i = 0; i < side; i++, weight++, gc++)
                *gc = sharpness * *weight * (g[0] * (i - r - out[0]) + g[1] * (j - r - out[1]));
}

// ---- forward splat, channels last -------------------------------------------------------------------------
void edge_splat(const float *v, const float *flow, float *out, int n, int h, int w, int c)
{
    for (int m = 0; m < n; m++, out += (size_t)h * w * c)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++, v += c, flow += 2) {
                float qx = clampf(x + flow[0], -1e6f, 1e6f), qy = clampf(y + flow[1], -1e6f, 1e6f);
                int x0 = (int)floorf(qx), y0 = (int)floorf(qy);
                float ax = qx - x0, ay = qy - y0;
                for (int j = 0; j < 2; j++)
                    for (int i = 0; i < 2; i++) {
                        int tx = x0 + i, ty = y0 + j;
                        if (tx < 0 || tx >= w || ty < 0 || ty >= h)
                            continue;
                        float wt = (i ? ax : 1 - ax) * (j ? ay : 1 - ay);
                        float *to = out + ((size_t)ty * w + tx) * c;
                        for (int k = 0; k < c; k++)
                            to[k] += wt * v[k];
                    }
            }
}

// gv += , gflow written
void edge_splat_back(const float *g, const float *v, const float *flow, float *gv, float *gflow,
                     int n, int h, int w, int c)
{
    for (int m = 0; m < n; m++, g += (size_t)h * w * c)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++, v += c, gv += c, flow += 2, gflow += 2) {
                float qx = clampf(x + flow[0], -1e6f, 1e6f), qy = clampf(y + flow[1], -1e6f, 1e6f);
                int x0 = (int)floorf(qx), y0 = (int)floorf(qy);
                float ax = qx - x0, ay = qy - y0, dx = 0, dy = 0;
                for (int j = 0; j < 2; j++)
                    for (int i = 0; i < 2; i++) {
                        int tx = x0 + i, ty = y0 + j;
                        if (tx < 0 || tx >= w || ty < 0 || ty >= h)
                            continue;
                        float wx = i ? ax : 1 - ax, wy = j ? ay : 1 - ay, dot = 0;
                        const float *from = g + ((size_t)ty * w + tx) * c;
                        for (int k = 0; k < c; k++) {
                            gv[k] += wx * wy * from[k];
                            dot += from[k] * v[k];
                        }
                        dx += (i ? wy : -wy) * dot;
                        dy += (j ? wx : -wx) * dot;
                    }
                gflow[0] = dx;
                gflow[1] = dy;
            }
}

// ---- bilinear upsampling by 2, channels last ---------------------------------------------------------------
// Output row or column o takes 3/4 of input o/2 and 1/4 of its neighbour on the other side.
static inline int neighbour(int o, int size)
{
    return clampi((o >> 1) + (o & 1 ? 1 : -1), 0, size - 1);
}

void edge_up2(const float *x, float *out, int n, int h, int w, int c)
{
    for (int m = 0; m < n; m++, x += (size_t)h * w * c)
        for (int oy = 0; oy < 2 * h; oy++) {
            const float *near = x + (size_t)(oy >> 1) * w * c,
                        *other = x + (size_t)neighbour(oy, h) * w * c;
            for (int ox = 0; ox < 2 * w; ox++, out += c) {
                size_t p = (size_t)(ox >> 1) * c, q = (size_t)neighbour(ox, w) * c;
                for (int k = 0; k < c; k++)
                    out[k] = 0.75f * (0.75f * near[p + k] + 0.25f * near[q + k]) +
                             0.25f * (0.75f * other[p + k] + 0.25f * other[q + k]);
            }
        }
}

// gx +=
void edge_up2_back(const float *g, float *gx, int n, int h, int w, int c)
{
    for (int m = 0; m < n; m++, gx += (size_t)h * w * c)
        for (int oy = 0; oy < 2 * h; oy++) {
            float *near = gx + (size_t)(oy >> 1) * w * c,
                  *other = gx + (size_t)neighbour(oy, h) * w * c;
            for (int ox = 0; ox < 2 * w; ox++, g += c) {
                size_t p = (size_t)(ox >> 1) * c, q = (size_t)neighbour(ox, w) * c;
                for (int k = 0; k < c; k++)
                    near[p + k] += 0.5625f * g[k];
                for (int k = 0; k < c; k++)
                    near[q + k] += 0.1875f * g[k];
                for (int k = 0; k < c; k++)
                    other[p + k] += 0.1875f * g[k];
                for (int k = 0; k < c; k++)
                    other[q + k] += 0.0625f * g[k];
            }
        }
}

// ---- ternary census, planar grey pictures in 8-bit levels; grad is of each sample's loss by a ------------
void edge_census(const float *a, const float *b, float *grad, float *loss, int n, int h, int w)
{
    size_t area = (size_t)h * w;
    float count = 48.0f * (h - 6) * (w - 6);
    memset(grad, 0, sizeof(float) * area * n);
    for (int m = 0; m < n; m++, a += area, b += area, grad += area) {
        double total = 0;
        for (int j = -3; j <= 3; j++)
            for (int i = -3; i <= 3; i++) {
                if (!i && !j)
                    continue;
                for (int y = 3; y < h - 3; y++) {
                    const float *ac = a + (size_t)y * w, *bc = b + (size_t)y * w;
                    const float *an = a + (size_t)(y + j) * w + i,
                                *bn = b + (size_t)(y + j) * w + i;
                    float *gc = grad + (size_t)y * w, *gn = grad + (size_t)(y + j) * w + i, row = 0;
                    float part[256];
                    for (int x = 3; x < w - 3; x += 256) {
                        int len = w - 3 - x < 256 ? w - 3 - x : 256;
                        for (int l = 0; l < len; l++) {
                            float va = an[x + l] - ac[x + l], vb = bn[x + l] - bc[x + l];
                            float ra = 1 / sqrtf(0.81f + va * va), rb = 1 / sqrtf(0.81f + vb * vb);
                            float d = va * ra - vb * rb, e = 1 / (0.1f + d * d);
                            row += d * d * e;
                            part[l] = 0.2f * d * e * e * 0.81f * ra * ra * ra;
                        }
                        for (int l = 0; l < len; l++)
                            gn[x + l] += part[l];
                        for (int l = 0; l < len; l++)
                            gc[x + l] -= part[l];
                    }
                    total += row;
                }
            }
        loss[m] = (float)(total / count);
        for (size_t p = 0; p < area; p++)
            grad[p] /= count;
    }
}
