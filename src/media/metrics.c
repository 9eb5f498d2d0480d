/* Distance between two 8-bit pictures: PSNR, SSIM and the interpolation error. */
#include "media/metrics.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dain/dain.h"

/* SSIM of Wang, Bovik, Sheikh and Simoncelli (2004), section III-C: Gaussian window of 11x11 with
 * sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, weighted (not sample) variances. */
enum { WINDOW = METRICS_WINDOW, RADIUS = WINDOW / 2 };
static const double sigma = 1.5;
static const double c1 = (0.01 * 255) * (0.01 * 255);
static const double c2 = (0.03 * 255) * (0.03 * 255);

/* What the window averages: x, y, x*x + y*y (the two variances are only needed as a sum), x*y. */
enum { MOMENTS = 4 };

/* Weights of distance 0 .. RADIUS of the one-dimensional window; the whole window sums to 1. */
static void window_weights(double weight[RADIUS + 1])
{
    double sum = 0;
    for (int i = 0; i <= RADIUS; i++) {
        weight[i] = exp(-0.5 * i * i / (sigma * sigma));
        sum += i ? 2 * weight[i] : weight[i];
    }
    for (int i = 0; i <= RADIUS; i++)
        weight[i] /= sum;
}

/* Filters one row of n + 2*RADIUS values to n. */
static void filter_row(double *restrict out, const double *restrict in, int n,
                       const double weight[RADIUS + 1])
{
    for (int x = 0; x < n; x++) {
        double sum = weight[0] * in[x + RADIUS];
        for (int i = 1; i <= RADIUS; i++)
            sum += weight[i] * (in[x + RADIUS - i] + in[x + RADIUS + i]);
        out[x] = sum;
    }
}

/* Filters one column position of rows: row[0 .. 2*RADIUS] to one row of n. */
static void filter_column(double *restrict out, const double *const row[WINDOW], int n,
                          const double weight[RADIUS + 1])
{
    const double *restrict middle = row[RADIUS];
    for (int x = 0; x < n; x++)
        out[x] = weight[0] * middle[x];
    for (int i = 1; i <= RADIUS; i++) {
        const double *restrict above = row[RADIUS - i];
        const double *restrict below = row[RADIUS + i];
        for (int x = 0; x < n; x++)
            out[x] += weight[i] * (above[x] + below[x]);
    }
}

/* Sum over a row of the SSIM index, from the four windowed moments. */
static double ssim_row(const double *ux, const double *uy, const double *squares,
                       const double *product, int n)
{
    double sum = 0;
    for (int x = 0; x < n; x++) {
        const double means = ux[x] * ux[x] + uy[x] * uy[x];
        const double cross = ux[x] * uy[x];
        sum += ((2 * cross + c1) * (2 * (product[x] - cross) + c2)) /
               ((means + c1) * (squares[x] - means + c2));
    }
    return sum;
}

/* Takes one channel (or the luma) of a row out of packed RGB. */
static void load_row(double *restrict out, const uint8_t *restrict rgb, int width, int channel)
{
    if (channel < 0) {
        for (int x = 0; x < width; x++)
            out[x] = 0.299 * rgb[3 * x] + 0.587 * rgb[3 * x + 1] + 0.114 * rgb[3 * x + 2];
    } else {
        for (int x = 0; x < width; x++)
            out[x] = rgb[3 * x + channel];
    }
}

/* Sums over one channel: squared and absolute differences over the whole picture, SSIM over the
 * positions where the window lies inside it. */
typedef struct ChannelSums {
    double squared, absolute, ssim;
} ChannelSums;

/* ring: WINDOW rows of MOMENTS x width horizontally filtered values; scratch: 6 rows of width. */
static ChannelSums measure_channel(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b,
                                   ptrdiff_t b_stride, int width, int height, int channel,
                                   double *ring, double *scratch)
{
    ChannelSums sums = { 0, 0, 0 };
    double weight[RADIUS + 1];
    window_weights(weight);
    const int inner = width - 2 * RADIUS;
    double *const va = scratch, *const vb = scratch + width;
    double *const moment = scratch + 2 * (size_t)width; /* MOMENTS rows */

    for (int y = 0; y < height; y++) {
        load_row(va, a + y * a_stride, width, channel);
        load_row(vb, b + y * b_stride, width, channel);

        double squared = 0, absolute = 0;
        for (int x = 0; x < width; x++) {
            const double d = va[x] - vb[x];
            squared += d * d;
            absolute += fabs(d);
        }
        sums.squared += squared;
        sums.absolute += absolute;

        double *const slot = ring + (size_t)(y % WINDOW) * MOMENTS * width;
        filter_row(slot, va, inner, weight);
        filter_row(slot + width, vb, inner, weight);
        for (int x = 0; x < width; x++) {
            moment[x] = va[x] * va[x] + vb[x] * vb[x];
            moment[width + x] = va[x] * vb[x];
        }
        filter_row(slot + 2 * (size_t)width, moment, inner, weight);
        filter_row(slot + 3 * (size_t)width, moment + width, inner, weight);
        if (y < WINDOW - 1)
            continue;

        for (int m = 0; m < MOMENTS; m++) {
            const double *row[WINDOW];
            for (int i = 0; i < WINDOW; i++) /* (y + 1 + i) % WINDOW: the oldest row first */
                row[i] = ring + ((size_t)((y + 1 + i) % WINDOW) * MOMENTS + m) * width;
            filter_column(moment + (size_t)m * width, row, inner, weight);
        }
        sums.ssim += ssim_row(moment, moment + width, moment + 2 * (size_t)width,
                              moment + 3 * (size_t)width, inner);
    }
    return sums;
}

int metrics_compare(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride,
                    int width, int height, MetricsSpace space, Metrics *out)
{
    memset(out, 0, sizeof(*out));
    if (width < WINDOW || height < WINDOW)
        return DAIN_EINVAL;
    const size_t ring_size = (size_t)WINDOW * MOMENTS * width;
    double *const ring = mem_calloc(ring_size + (2 + MOMENTS) * (size_t)width, sizeof(double));
    if (!ring)
        return DAIN_ENOMEM;

    const int channels = space == METRICS_LUMA ? 1 : 3;
    ChannelSums total = { 0, 0, 0 };
    for (int i = 0; i < channels; i++) {
        const int channel = space == METRICS_LUMA ? -1 : i;
        const ChannelSums sums = measure_channel(a, a_stride, b, b_stride, width, height, channel,
                                                 ring, ring + ring_size);
        total.squared += sums.squared;
        total.absolute += sums.absolute;
        total.ssim += sums.ssim;
    }
    mem_free(ring);

    const double samples = (double)width * height * channels;
    const double windows = (double)(width - 2 * RADIUS) * (height - 2 * RADIUS) * channels;
    const double mse = total.squared / samples;
    out->psnr = mse > 0 ? 10 * log10(255.0 * 255.0 / mse) : INFINITY;
    out->ssim = total.ssim / windows;
    out->ie = total.absolute / samples;
    return DAIN_OK;
}

void metrics_mean_add(MetricsMean *mean, const Metrics *value)
{
    mean->psnr += value->psnr < METRICS_PSNR_CAP ? value->psnr : METRICS_PSNR_CAP;
    mean->ssim += value->ssim;
    mean->ie += value->ie;
    mean->count++;
}

Metrics metrics_mean_get(const MetricsMean *mean)
{
    Metrics result = { 0, 0, 0 };
    if (mean->count > 0) {
        result.psnr = mean->psnr / mean->count;
        result.ssim = mean->ssim / mean->count;
        result.ie = mean->ie / mean->count;
    }
    return result;
}
