/* From demuxer to encoder with a file from a stranger: everything of floor 5, with a stand-in for
 * the engine, or with the network itself where pictures are small. The last byte of the file chooses
 * how it is treated. */
#include "fuzz.h"

#include "base/mem.h"
#include "engine/backend.h"
#include "media/pipeline.h"

#include <libavutil/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Frames above this are refused: a header may promise gigabytes. */
enum { ALLOCATION_LIMIT = 4 << 20 };

/* ---- an engine that shows the last frame that it was given ---- */

typedef struct StandIn {
    Backend base;
    float *plane[4];
    int width, height;
} StandIn;

static void forget(StandIn *s)
{
    for (int i = 0; i < 4; i++) {
        mem_free(s->plane[i]);
        s->plane[i] = NULL;
    }
    s->width = s->height = 0;
}

static void stand_in_reset(Backend *backend)
{
    forget((StandIn *)backend);
}

static const float *row_of(const DainImage *image, int plane, int y)
{
    return (const float *)((const char *)image->plane[plane] + y * image->stride[plane]);
}

static int stand_in_push(Backend *backend, const DainImage *frame, const DainImage *guide)
{
    StandIn *const s = (StandIn *)backend;
    if (s->width && (s->width != frame->width || s->height != frame->height))
        abort(); /* another size needs a reset, and the pipeline's business is to know */
    if (frame->sample != DAIN_SAMPLE_F32 || frame->step != 1)
        abort();
    forget(s);
    const size_t row = (size_t)frame->width * sizeof(float);
    for (int i = 0; i < 4 && frame->plane[i]; i++) {
        s->plane[i] = mem_alloc(row * (size_t)frame->height);
        if (!s->plane[i])
            return DAIN_ENOMEM;
        for (int y = 0; y < frame->height; y++)
            memcpy(s->plane[i] + (size_t)y * (size_t)frame->width, row_of(frame, i, y), row);
    }
    s->width = frame->width;
    s->height = frame->height;
    return DAIN_OK;
}

static int stand_in_interpolate(Backend *backend, int64_t num, int64_t den, const DainImage *out)
{
    const StandIn *const s = (const StandIn *)backend;
    if (out->width != s->width || out->height != s->height || num < 0 || num > den || den <= 0)
        abort();
    const size_t row = (size_t)out->width * sizeof(float);
    for (int i = 0; i < 4 && out->plane[i]; i++)
        for (int y = 0; y < out->height; y++) {
            void *const to = (char *)out->plane[i] + y * out->stride[i];
            if (s->plane[i])
                memcpy(to, s->plane[i] + (size_t)y * (size_t)out->width, row);
            else
                memset(to, 0, row);
        }
    return DAIN_OK;
}

static void stand_in_cancel(Backend *backend)
{
}

static const char *stand_in_error(const Backend *backend)
{
    return "";
}

static void stand_in_close(Backend *backend)
{
    forget((StandIn *)backend);
}

static const BackendMethods methods = { .name = "stand-in",
                                        .push = stand_in_push,
                                        .interpolate = stand_in_interpolate,
                                        .reset = stand_in_reset,
                                        .cancel = stand_in_cancel,
                                        .last_error = stand_in_error,
                                        .close = stand_in_close };

/* ---- the network, for a few small pictures ---- */

enum { MOST_PIXELS = 64 * 64, MOST_FRAMES = 6 };

typedef struct Bounded {
    Backend base;
    Backend *network;
    int made;
    bool refused;
} Bounded;

static int bounded_push(Backend *backend, const DainImage *frame, const DainImage *guide)
{
    Bounded *const b = (Bounded *)backend;
    b->refused = (int64_t)frame->width * frame->height > MOST_PIXELS;
    return b->refused ? DAIN_EUNSUPPORTED : backend_push_guided(b->network, frame, guide);
}

static int bounded_interpolate(Backend *backend, int64_t num, int64_t den, const DainImage *out)
{
    Bounded *const b = (Bounded *)backend;
    b->refused = b->made++ == MOST_FRAMES;
    return b->refused ? DAIN_EUNSUPPORTED : backend_interpolate(b->network, num, den, out);
}

static void bounded_reset(Backend *backend)
{
    backend_reset(((Bounded *)backend)->network);
}

static const char *bounded_error(const Backend *backend)
{
    const Bounded *const b = (const Bounded *)backend;
    return b->refused ? "too much for a run of the fuzzer" : backend_last_error(b->network);
}

static const BackendMethods bounded_methods = { .name = "bounded",
                                                .push = bounded_push,
                                                .interpolate = bounded_interpolate,
                                                .reset = bounded_reset,
                                                .cancel = stand_in_cancel,
                                                .last_error = bounded_error,
                                                .close = bounded_reset };

static Backend *network;

static void close_network(void)
{
    backend_close(&network);
}

/* One for all runs; NULL if there is no model. */
static Backend *open_network(void)
{
    static bool tried;
    DainSettings settings;
    DainContext *context = NULL;
    dain_settings_default(&settings);
    settings.model = dain_default_model();
    settings.threads = 1;
    if (!tried && settings.model && dain_open(&context, &settings) == DAIN_OK)
        network = backend_native(context);
    if (!tried && network)
        atexit(close_network);
    tried = true;
    return network;
}

/* ---- one file ---- */

/* The bytes as a file without a place on the disk, and its name. -1 if that cannot be. */
static int make_input(const uint8_t *data, size_t size, char *name, size_t name_size)
{
    const int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        perror("memfd");
        abort();
    }
    snprintf(name, name_size, "/proc/self/fd/%d", fd);
    return fd;
}

/* A name that ends in .mkv and leads to nowhere. */
static const char *output_name(void)
{
    static char folder[] = "/tmp/dain-fuzz-XXXXXX";
    static char name[sizeof folder + 16];
    if (!name[0]) {
        if (!mkdtemp(folder))
            abort();
        snprintf(name, sizeof name, "%s/out.mkv", folder);
        if (symlink("/dev/null", name) != 0)
            abort();
    }
    return name;
}

static void remove_output(void)
{
    char folder[64];
    const char *const name = output_name();
    unlink(name);
    snprintf(folder, sizeof folder, "%s", name);
    *strrchr(folder, '/') = 0;
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    if (!begun) {
        begun = true;
        av_max_alloc(ALLOCATION_LIMIT);
        libav_messages(NULL);
        atexit(remove_output);
        output_name();
    }
    if (size < 2)
        return 0;
    const uint8_t how = data[size - 1], beside = data[size - 2];
    char input[64];
    const int fd = make_input(data, size, input, sizeof input);
    StandIn engine = { .base = { &methods } };
    Bounded bounded = { .base = { &bounded_methods } };
    if (how & 0x80)
        bounded.network = open_network();
    Report report = { 0 };
    static const char *const streams[] = { "all", "v,a", "none", "0,s" };
    static const Pace ramp = { .points = 3, .point = { { 0, 1 }, { 0.1, 3 }, { 0.2, 1 } } };
    const bool converts = beside & 8; /* sound and text, for a container that holds less */
    const PipelineSettings settings = {
        .input = input,
        .source = { .threads = 1,
                    .progressive = how & 1,
                    .deinterlace = how & 2,
                    .strict = how & 4,
                    .streams = streams[how >> 3 & 3] },
        .output = { .path = output_name(),
                    .overwrite = true,
                    .container = converts ? "mp4" : NULL,
                    .stretch_sound = beside & 4,
                    .encoder = { .codec = converts ? "mpeg4" : "ffv1", .crf = -1, .threads = 1 } },
        .loop = beside & 1,
        .pace = beside & 2 ? ramp : (Pace){ 0 },
        .mode = TIMELINE_FACTOR,
        .factor = how & 0x20 ? (Ratio){ 5, 2 } : (Ratio){ 2, 1 },
        .out_rate = { 50, 1 },
        .scene_threshold = how & 0x40 ? 0.25 : 2,
        .lock = bounded.network,
        .match = bounded.network && how & 0x20,
        .dedup = bounded.network && how & 0x40,
        .engine = bounded.network ? &bounded.base : &engine.base,
        .report = &report,
    };
    PipelineResult result;
    const int r = pipeline_run(&settings, &result);
    if (r < 0 && !report.error[0])
        abort(); /* a failure without a sentence */
    if (r == DAIN_OK && result.progress.frames_out < 1)
        abort();
    stand_in_close(&engine.base);
    close(fd);
    return 0;
}
