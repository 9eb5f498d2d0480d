/* PSNR, SSIM and IE against numbers that scikit-image 0.19.3 gave for the same pictures. */
#include <math.h>

#include "base/mem.h"
#include "dain/dain.h"
#include "media/metrics.h"
#include "test.h"

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "not so: " #condition ": " __VA_ARGS__);                 \
    } while (0)

enum { PAD = 5 }; /* bytes between rows, so that strides matter */

static uint8_t a[(3 * 64 + PAD) * 64], b[sizeof(a)];

static uint8_t clip(int v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* Pictures that a few lines of any language can repeat: 0 noisy, 1 smooth, 2 inverted, 3 black
 * against white. */
static void draw(int kind, int width, int height)
{
    const size_t stride = 3 * (size_t)width + PAD;
    memset(a, 0x55, stride * height);
    memset(b, 0xaa, stride * height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                const size_t at = y * stride + 3 * (size_t)x + c;
                int v = (x * 7 + y * 13 + c * 50 + ((x * y) >> 3)) & 255;
                int w = v + (x * 31 + y * 17 + c * 7) % 23 - 11;
                if (kind == 1) {
                    v = (128 + x * 3 - y * 2 + c * 5) & 255;
                    w = v + ((x ^ y) & 3) * (c + 1);
                } else if (kind == 2) {
                    w = 255 - v;
                } else if (kind == 3) {
                    v = 0;
                    w = 255;
                }
                a[at] = v;
                b[at] = clip(w);
            }
}

/* peak_signal_noise_ratio(a, b, data_range=255); structural_similarity(a, b, data_range=255,
 * gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=2); abs(a - b).mean()
 */
static const struct {
    int kind, width, height;
    Metrics rgb, luma;
} cases[] = {
    { 0, 37, 23, { 31.7784713, 0.981716025, 5.6584410 }, { 37.2494859, 0.992407608, 2.9341199 } },
    { 0, 64, 48, { 31.7988268, 0.985408119, 5.6429036 }, { 37.2529153, 0.993465832, 2.9331572 } },
    { 1, 11, 11, { 36.0360966, 0.953173063, 2.9752066 }, { 37.5486318, 0.965686624, 2.7000000 } },
    { 1, 50, 16, { 36.1503070, 0.959157201, 2.9345833 }, { 37.6519076, 0.969044017, 2.6753475 } },
    { 2, 16, 31, { 4.8539905, -0.709639103, 125.719086 }, { 8.4191564, -0.779990225, 85.4486774 } },
    { 3, 12, 12, { 0.0, 0.000099990, 255.0 }, { 0.0, 0.000099990, 255.0 } },
};

static void check_near(const Metrics *got, const Metrics *want, int index, const char *space)
{
    const double tolerance = 1e-6; /* the project promises 1e-4 */
    EXPECT(fabs(got->psnr - want->psnr) < tolerance, "case %d %s: PSNR %.9f, scikit-image has %.9f",
           index, space, got->psnr, want->psnr);
    EXPECT(fabs(got->ssim - want->ssim) < tolerance, "case %d %s: SSIM %.9f, scikit-image has %.9f",
           index, space, got->ssim, want->ssim);
    EXPECT(fabs(got->ie - want->ie) < tolerance, "case %d %s: IE %.9f, NumPy has %.9f", index,
           space, got->ie, want->ie);
}

static void agrees_with_scikit_image(void)
{
    for (int i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
        const int w = cases[i].width, h = cases[i].height, stride = 3 * w + PAD;
        Metrics got;
        draw(cases[i].kind, w, h);
        EXPECT(metrics_compare(a, stride, b, stride, w, h, METRICS_RGB, &got) == 0, "case %d", i);
        check_near(&got, &cases[i].rgb, i, "RGB");
        EXPECT(metrics_compare(a, stride, b, stride, w, h, METRICS_LUMA, &got) == 0, "case %d", i);
        check_near(&got, &cases[i].luma, i, "luma");
    }
}

static void identical_pictures_are_infinitely_good(void)
{
    Metrics got;
    MetricsMean mean = { 0 };
    draw(0, 20, 20);
    EXPECT(metrics_compare(a, 65, a, 65, 20, 20, METRICS_RGB, &got) == 0, "same picture");
    EXPECT(isinf(got.psnr) && got.psnr > 0, "PSNR %f", got.psnr);
    EXPECT(fabs(got.ssim - 1) < 1e-12 && got.ie == 0, "SSIM %f, IE %f", got.ssim, got.ie);
    metrics_mean_add(&mean, &got);
    metrics_mean_add(&mean, &(Metrics){ 30, 0.5, 4 });
    got = metrics_mean_get(&mean);
    EXPECT(got.psnr == (METRICS_PSNR_CAP + 30) / 2, "mean PSNR %f", got.psnr);
    EXPECT(got.ssim == 0.75 && got.ie == 2, "mean SSIM %f, IE %f", got.ssim, got.ie);
    got = metrics_mean_get(&(MetricsMean){ 0 });
    EXPECT(got.psnr == 0 && got.ssim == 0 && got.ie == 0, "mean of nothing");
}

static void refuses_what_it_cannot_measure(void)
{
    Metrics got;
    EXPECT(metrics_compare(a, 48, b, 48, 10, 16, METRICS_RGB, &got) == DAIN_EINVAL, "10x16");
    EXPECT(metrics_compare(a, 48, b, 48, 16, 10, METRICS_RGB, &got) == DAIN_EINVAL, "16x10");
    mem_fail_at(1);
    EXPECT(metrics_compare(a, 48, b, 48, 16, 16, METRICS_RGB, &got) == DAIN_ENOMEM, "no memory");
    mem_fail_at(0);
    EXPECT(mem_live() == 0, "%ld blocks not freed", mem_live());
}

static const Test tests[] = {
    { "PSNR, SSIM and IE are those of scikit-image", agrees_with_scikit_image },
    { "identical pictures have infinite PSNR, which counts as 100 dB in a mean",
      identical_pictures_are_infinitely_good },
    { "a picture smaller than the window is refused, a lack of memory survived",
      refuses_what_it_cannot_measure },
};

TEST_MAIN(tests)
