/* The scene score: low for the same scene in motion, high for two scenes. */
#include "test.h"

#include "media/colour.h"
#include "media/scene.h"

#include <math.h>

/* A cloudy texture of its own for each scene, moved by dx, dy pixels and made brighter. */
static SceneFrame *picture(int width, int height, int scene, int dx, int dy, float brighter)
{
    AVFrame *f = colour_frame(AV_PIX_FMT_GBRPF32, width, height);
    if (!CHECK(f != NULL))
        exit(1);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const float u = (float)(x + dx) / (float)width * 20,
                        v = (float)(y + dy) / (float)width * 20;
            const float a = (float)scene * 1.7f;
            float s = sinf(u * (1 + a) + 2 * sinf(v + a)) +
                      sinf(v * (1.3f + a) - sinf(u * 0.7f) + a) + 0.5f * sinf(3 * u + 2 * v + a);
            s = 0.5f + 0.15f * s + brighter;
            for (int p = 0; p < 3; p++)
                ((float *)(f->data[p] + y * f->linesize[p]))[x] = s;
        }
    SceneFrame *const shrunk = scene_shrink(f);
    av_frame_free(&f);
    if (!CHECK(shrunk != NULL))
        exit(1);
    return shrunk;
}

static double score(int width, int height, int scene_b, int dx, int dy, float brighter)
{
    SceneFrame *const a = picture(width, height, 0, 0, 0, 0);
    SceneFrame *const b = picture(width, height, scene_b, dx, dy, brighter);
    const double s = scene_score(a, b);
    scene_free(a);
    scene_free(b);
    return s;
}

static void same(void)
{
    CHECK(score(640, 360, 0, 0, 0, 0) == 0);
    CHECK(score(64, 48, 0, 0, 0, 0) == 0);
}

static void moved(void)
{
    static const int by[][2] = { { 6, 0 }, { 24, 10 }, { -40, 20 }, { 0, -40 }, { 48, 0 } };
    for (unsigned i = 0; i < sizeof by / sizeof *by; i++) {
        const double s = score(640, 360, 0, by[i][0], by[i][1], 0);
        if (!CHECK(s < SCENE_THRESHOLD / 2))
            fprintf(stderr, "moved by %d, %d: %f\n", by[i][0], by[i][1], s);
    }
}

static void faded(void)
{
    const double s = score(640, 360, 0, 8, 0, 0.03f);
    if (!CHECK(s < SCENE_THRESHOLD))
        fprintf(stderr, "fade: %f\n", s);
    CHECK(score(640, 360, 0, 0, 0, 0.4f) < SCENE_THRESHOLD); /* the light goes on */
}

static void cut(void)
{
    for (int scene = 1; scene < 6; scene++) {
        const double s = score(640, 360, scene, 0, 0, 0);
        if (!CHECK(s > SCENE_THRESHOLD && s <= 1))
            fprintf(stderr, "scene %d: %f\n", scene, s);
    }
}

static void flash(void)
{
    /* Scene 0, two white frames, scene 0 again: both changes are sudden, neither is a cut. Then scene
     * 1, and scene 0 again after more frames than a flash has. */
    static const int shown[] = { 0, 0, -1, -1, 0, 0, 1, 1, 1, 1, 0, 0 };
    static const int sudden[] = { 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0 };
    SceneHistory h = { 0 };
    for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++) {
        int length;
        SceneFrame *const f =
            picture(320, 180, shown[i] < 0 ? 0 : shown[i], 4 * (int)i, 0, shown[i] < 0 ? 9 : 0);
        CHECK_INT(scene_next(&h, f, SCENE_THRESHOLD, &length) > SCENE_THRESHOLD, sudden[i]);
        CHECK_INT(length, i == 4 ? 2 : 0);
    }
    scene_forget(&h);
}

static void sizes(void)
{
    static const int size[][2] = {
        { 16, 16 }, { 17, 300 }, { 1000, 16 }, { 97, 55 }, { 1920, 1080 }
    };
    for (unsigned i = 0; i < sizeof size / sizeof *size; i++)
        CHECK(score(size[i][0], size[i][1], 0, 0, 0, 0) == 0);
    SceneFrame *const a = picture(64, 48, 0, 0, 0, 0), *const b = picture(96, 64, 0, 0, 0, 0);
    CHECK(scene_score(a, b) == 1);
    scene_free(a);
    scene_free(b);
}

static const Test tests[] = {
    { "the same picture scores nothing", same },
    { "motion scores little, however fast", moved },
    { "a step of a fade is no cut", faded },
    { "another scene is a cut", cut },
    { "a flash is no cut", flash },
    { "any size is taken, two sizes are a cut", sizes },
};
TEST_MAIN(tests)
