/* Distance between two 8-bit pictures: PSNR, SSIM and the interpolation error, as the literature on
 * frame interpolation reports them. Conventions: docs/eval.md. */
#ifndef DAIN_MEDIA_METRICS_H
#define DAIN_MEDIA_METRICS_H

#include <stddef.h>
#include <stdint.h>

/* Side of the SSIM window: the smallest picture that can be measured is 11x11. */
enum { METRICS_WINDOW = 11 };

typedef enum MetricsSpace {
    METRICS_RGB, /* PSNR and IE over all samples of the three channels, SSIM = mean of the three */
    METRICS_LUMA /* of 0.299 R + 0.587 G + 0.114 B, full range, not rounded */
} MetricsSpace;

typedef struct Metrics {
    double psnr; /* dB, peak 255; INFINITY for identical pictures */
    double ssim; /* -1 .. 1, 1 for identical pictures */
    double ie;   /* mean absolute difference in 8-bit levels, 0 .. 255 */
} Metrics;

/* Compares two packed RGB24 pictures of one size (strides in bytes). Errors: DAIN_EINVAL for a
 * picture smaller than the window, DAIN_ENOMEM. Thread-safe. */
int metrics_compare(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride,
                    int width, int height, MetricsSpace space, Metrics *out);

/* An identical picture has no finite PSNR; in a mean it counts as this many dB, and so does any
 * PSNR above it. */
#define METRICS_PSNR_CAP 100.0

/* Running means over pictures, every picture with the same weight; zero-initialised is empty. */
typedef struct MetricsMean {
    double psnr, ssim, ie; /* sums */
    long count;
} MetricsMean;

void metrics_mean_add(MetricsMean *mean, const Metrics *value);
/* The means so far; all 0 if nothing was added. */
Metrics metrics_mean_get(const MetricsMean *mean);

#endif
