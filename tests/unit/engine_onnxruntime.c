/* ONNX Runtime behind the table of backends, as the library of the tests (cli/fake_onnxruntime.c) plays it: what
 * dain.h promises of frames, cancellation and values holds here too. */
#include "engine/backend_onnxruntime.h"
#include "test.h"

#include <unistd.h>

enum { W = 32, H = 16 };

static const char *model_path, *library_path;
static float frame[2][3][H][W], made[3][H][W];

static DainImage planar(float p[3][H][W])
{
    DainImage image = { .width = W, .height = H, .sample = DAIN_SAMPLE_F32, .step = 1 };
    for (int c = 0; c < 3; c++) {
        image.plane[c] = p[c];
        image.stride[c] = sizeof p[c][0];
    }
    return image;
}

/* The networks go into a folder of their own, which is removed. */
static Backend *opened(char *folder)
{
    static char library[1024], cache[80];
    const char *const options[] = { library, cache, NULL };
    Report report = { 0 };
    Backend *backend = NULL;
    strcpy(folder, "/tmp/dain-ort-XXXXXX");
    if (!CHECK(mkdtemp(folder) != NULL))
        return NULL;
    snprintf(library, sizeof library, "library=%s", library_path);
    snprintf(cache, sizeof cache, "cache=%s", folder);
    const OnnxRuntimeSettings settings = {
        .model = model_path, .options = options, .threads = 1, .report = &report
    };
    CHECK_INT(backend_onnxruntime_open(&backend, &settings), DAIN_OK);
    CHECK_STRING(report.error, "");
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    frame[i][c][y][x] = (float)(x * (y + c) % 17) / 8 - 0.5f + (float)i;
    return backend;
}

static void closed(Backend *backend, const char *folder)
{
    char command[80];
    backend_close(&backend);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK_INT(system(command), 0);
}

static void frames_keep_values_outside_0_to_1(void)
{
    char folder[40];
    Backend *const b = opened(folder);
    const DainImage first = planar(frame[0]), second = planar(frame[1]), out = planar(made);
    if (!b)
        return;
    CHECK_INT(backend_push(b, &first), DAIN_OK);
    CHECK_INT(backend_push(b, &second), DAIN_OK);
    CHECK_INT(backend_interpolate(b, 0, 1, &out), DAIN_OK);
    CHECK_BYTES(made, frame[0], sizeof made);
    CHECK_INT(backend_interpolate(b, 1, 1, &out), DAIN_OK);
    CHECK_BYTES(made, frame[1], sizeof made);
    closed(b, folder);
}

static void cancelling_is_that_of_our_own_engine(void)
{
    char folder[40];
    Backend *const b = opened(folder);
    const DainImage first = planar(frame[0]), second = planar(frame[1]), out = planar(made);
    DainImage wrong = out;
    wrong.height--;
    if (!b)
        return;
    CHECK_INT(backend_push(b, &first), DAIN_OK);
    CHECK_INT(backend_push(b, &second), DAIN_OK);
    backend_cancel(b);
    CHECK_INT(backend_interpolate(b, 1, 1, &out), DAIN_ECANCELED); /* a copy of a frame, too */
    CHECK_STRING(backend_last_error(b), "cancelled");
    CHECK_INT(backend_interpolate(b, 1, 2, &out), DAIN_OK);
    backend_cancel(b);
    CHECK_INT(backend_interpolate(b, 1, 2, &wrong), DAIN_EINVAL);
    CHECK_INT(backend_interpolate(b, 1, 2, &out), DAIN_OK);
    backend_cancel(b);
    CHECK_INT(backend_push(b, &wrong), DAIN_EINVAL);
    CHECK_INT(backend_interpolate(b, 0, 1, &out), DAIN_OK);
    backend_cancel(b);
    CHECK_INT(backend_push(b, &first), DAIN_ECANCELED); /* the newer frame is left */
    CHECK_INT(backend_interpolate(b, 1, 2, &out), DAIN_ESTATE);
    CHECK_INT(backend_push(b, &first), DAIN_OK);
    CHECK_INT(backend_interpolate(b, 0, 1, &out), DAIN_OK);
    CHECK_BYTES(made, frame[1], sizeof made);
    backend_cancel(b);
    backend_reset(b);
    CHECK_INT(backend_push(b, &first), DAIN_OK);
    closed(b, folder);
}

static const Test tests[] = {
    { "frames keep values outside 0 to 1", frames_keep_values_outside_0_to_1 },
    { "cancelling is that of our own engine", cancelling_is_that_of_our_own_engine },
};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    model_path = argv[1];
    library_path = argv[2];
    argv[2] = argv[0];
    return test_main(tests, (int)(sizeof tests / sizeof *tests), argc - 2, argv + 2);
}
