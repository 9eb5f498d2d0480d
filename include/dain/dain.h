/*
 * dain: frame interpolation by depth-aware motion, on ordinary processors.
 *
 * This header is the whole engine interface: give it frames, ask for the picture at a time between
 * the last two of them.
 *
 *     DainSettings s;
 *     dain_settings_default(&s);
 *     DainContext *ctx;
 *     if (dain_open(&ctx, &s) < 0) ...
 *     dain_push(ctx, &first);
 *     dain_push(ctx, &second);
 *     dain_interpolate(ctx, 1, 2, &middle);      // t = 1/2
 *     dain_close(&ctx);
 *
 * Every function that can fail returns 0 (DAIN_OK) or a negative DAIN_E... code; dain_last_error()
 * has one sentence for people. The same input gives the same bits on every processor and with any
 * number of threads in the default precision.
 *
 * Thread-safety: a DainContext belongs to one thread at a time; only dain_cancel() may be called
 * from another thread (or a signal handler) while a call is running. Different contexts are
 * independent.
 */
#ifndef DAIN_DAIN_H
#define DAIN_DAIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DAIN_VERSION_MAJOR 0
#define DAIN_VERSION_MINOR 1
#define DAIN_VERSION_PATCH 0

#if defined(_WIN32)
#define DAIN_API
#else
#define DAIN_API __attribute__((visibility("default")))
#endif

/* Error values. 0 is success. */
enum DainError {
    DAIN_OK = 0,
    DAIN_EINVAL = -1,       /* an argument is out of its documented range */
    DAIN_ENOMEM = -2,       /* memory could not be had */
    DAIN_EIO = -3,          /* a file could not be opened, read or written */
    DAIN_EFORMAT = -4,      /* a file is damaged or of another kind */
    DAIN_EUNSUPPORTED = -5, /* well formed, but not something this build can do */
    DAIN_ESTATE = -6,    /* the call came out of order, for example interpolate before two frames */
    DAIN_ECANCELED = -7, /* dain_cancel() was called */
    DAIN_ESYSTEM = -8    /* the operating system refused a thread or another resource */
};

/* A short English description of an error value ("out of memory"). Never NULL. Thread-safe. */
DAIN_API const char *dain_strerror(int error);

/* Version of the library as "major.minor.patch". */
DAIN_API const char *dain_version(void);

/* How the samples of a picture are stored. */
typedef enum DainSample {
    DAIN_SAMPLE_U8,  /* unsigned 8 bit, 0 .. peak (255 unless set) */
    DAIN_SAMPLE_U16, /* unsigned 16 bit in native byte order, 0 .. peak (65535 unless set; 1023 for
                        10 bit) */
    DAIN_SAMPLE_F32  /* float, 0 .. 1; values outside are kept on input; a new picture is clamped */
} DainSample;

/*
 * A picture of the caller's: gamma-coded RGB in full range, planar or packed.
 * Packed RGB24 at p: plane = {p, p + 1, p + 2}, step = 3. Planar: step = 1.
 *
 * Planes and strides are multiples of a sample's bytes. Of a frame, rows may overlap (a stride of 0
 * repeats one); of a picture that is to be written they may not, though it may be stored by columns
 * (stride = the bytes of a sample, step >= height). Anything else is DAIN_EINVAL.
 */
typedef struct DainImage {
    int width, height; /* pixels, 16 .. 16384 each */
    DainSample sample;
    int peak;             /* integer code that means 1.0; 0 = 255 or 65535 by sample type */
    int step;             /* samples from one pixel to its right neighbour, >= 1 */
    void *plane[4];       /* red, green, blue; alpha or NULL. Alpha is moved by the same motion. */
    ptrdiff_t stride[4];  /* bytes from one row to the next; may be negative */
    uint64_t reserved[2]; /* zero, else DAIN_EINVAL; later versions may give them a meaning */
} DainImage;

typedef enum DainPrecision {
    DAIN_PRECISION_AUTO, /* what the model file asks for, f32 if it says nothing */
    DAIN_PRECISION_F32,  /* canonical arithmetic: same bits everywhere */
    DAIN_PRECISION_BF16, /* bfloat16 features and convolutions; bits depend on the processor */
    DAIN_PRECISION_INT8  /* 8-bit features and convolutions but for layers that the model file
                            raises; same bits everywhere; needs a calibrated model */
} DainPrecision;

/* How pictures are enlarged to the sizes that the network needs, edges repeated. Only the original
 * network ("dain") knows the difference. */
typedef enum DainPadding {
    DAIN_PADDING_MINIMAL, /* on the right and below, to multiples of 64: 1280x720 -> 1280x768 */
    DAIN_PADDING_ORIGINAL /* as the published program, for comparisons: on all sides to multiples of
                             128, by 32 where nothing is missing: 1280x720 -> 1344x768 */
} DainPadding;

/* At which resolution the motion between two frames is estimated. The new picture is made at full
 * resolution in any case; a lower one saves time and finds longer ways, and misses small things. */
typedef enum DainFlowScale {
    DAIN_FLOW_DEFAULT, /* that of the frames; a lower one only to stay within memory_limit */
    DAIN_FLOW_FULL,    /* that of the frames */
    DAIN_FLOW_HALF,    /* half in width and height */
    DAIN_FLOW_QUARTER, /* a quarter */
    DAIN_FLOW_AUTO /* by size: full up to 1600x900, half up to 2880x1620, else a quarter; a lower
                          one to stay within memory_limit */
} DainFlowScale;

/* How things are taken to move from one frame of a pair to the other. */
typedef enum DainMotion {
    DAIN_MOTION_LINEAR, /* straight on, at a steady speed */
    DAIN_MOTION_CURVED /* on the path through four frames, where dain_push_ahead() shows the one after the
                           pair. Keeps a third frame. The original network knows linear motion only */
} DainMotion;

typedef enum DainLogLevel {
    DAIN_LOG_ERROR,
    DAIN_LOG_WARNING,
    DAIN_LOG_INFO,
    DAIN_LOG_DEBUG
} DainLogLevel;

/* Receives one message without a newline. May be called from any thread that calls the library. */
typedef void (*DainLogCallback)(void *opaque, DainLogLevel level, const char *message);

typedef struct DainSettings {
    const char *
        model; /* path of a safetensors model, or the name of one that is installed ("edge"); NULL =
                   the default model (see dain_default_model) */
    int threads;             /* 1 .. 64 worker threads; 0 = one per processor */
    DainPrecision precision; /* default DAIN_PRECISION_AUTO */
    DainLogCallback log;     /* NULL = silent */
    void *log_opaque;        /* passed to log */
    DainPadding padding;     /* default DAIN_PADDING_MINIMAL */
    int strip_rows; /* rows of a large picture worked on at a time, 0 = usual, its height or more =
                            all; speed and memory depend on it, the result does not */
    DainFlowScale flow;  /* default DAIN_FLOW_DEFAULT */
    size_t memory_limit; /* bytes, see dain_set_memory_limit(); 0 = no limit */
    int tta; /* test-time augmentation: 1 = a new picture is the mean of what the network makes of the
                frames and of the frames turned by 180 degrees. Better, in twice the time; 0 = no */
    DainMotion motion;    /* default DAIN_MOTION_LINEAR */
    uint64_t reserved[5]; /* zero, else DAIN_EINVAL */
} DainSettings;

/* Fills in the defaults above. */
DAIN_API void dain_settings_default(DainSettings *settings);

/*
 * Path of the model that is used when none is named: $DAIN_MODEL (a path, or the name of a model
 * that is found; as it is if there is none) if set, else the installed one, else, for a library
 * that runs where it was built, the one in its build folder. Valid until the thread calls it again
 * or ends. NULL if there is none.
 */
DAIN_API const char *dain_default_model(void);

typedef struct DainContext DainContext;

/* Opens an engine: reads the model, starts the threads. *ctx is NULL on failure. settings may be
 * NULL. On failure dain_open_error() has the sentence. Errors: DAIN_EINVAL, DAIN_ENOMEM, DAIN_EIO,
 * DAIN_EFORMAT, DAIN_EUNSUPPORTED, DAIN_ESYSTEM. */
DAIN_API int dain_open(DainContext **ctx, const DainSettings *settings);

/* Sentence about the last dain_open() or dain_memory_needed() of this thread; "" if it did not fail. */
DAIN_API const char *dain_open_error(void);

/* Waits for the threads, frees everything, sets *ctx to NULL. NULL and *ctx == NULL are allowed. */
DAIN_API void dain_close(DainContext **ctx);

/*
 * Takes the next frame of the video (it is copied and analysed, the caller's memory is free
 * afterwards). The frame pushed before becomes the first of the pair, the new one the second. The
 * first push fixes size; another size needs dain_reset() first. After an error the frame is not
 * taken; after DAIN_ECANCELED only the newer of the frames before it is left. Errors: DAIN_EINVAL,
 * DAIN_ENOMEM, DAIN_ECANCELED.
 */
DAIN_API int dain_push(DainContext *ctx, const DainImage *frame);

/*
 * The same with a second picture of the frame, of the same size, in any layout: motion and depth
 * are estimated on guide, and new pictures are composed of frame. For what shows the motion better
 * than the frame does: a copy without its noise, without an overlay, with more contrast. Its alpha
 * is not used. guide = NULL: dain_push(). (The original network chooses its interpolation kernels
 * by the frames themselves.)
 */
DAIN_API int dain_push_guided(DainContext *ctx, const DainImage *frame, const DainImage *guide);

/*
 * With DAIN_MOTION_CURVED: shows the frame that comes after the pair, ahead of its time. If a pair
 * was at hand before this one without a reset between, new pictures of this one follow the path
 * through all four frames: things that fall, swing or turn are not cut short. dain_advance() then
 * goes on to it; dain_push() would forget it.
 *
 * before, after: how long the pair before and the one that this frame ends last, this one being 1;
 * 1e-6 .. 1e6, both 1 where frames come evenly. Not at a cut: what is shown has to belong to the
 * same scene. With other settings nothing is kept, and dain_advance() fails. Errors: DAIN_EINVAL,
 * DAIN_ESTATE (fewer than two frames), DAIN_ECANCELED; the pair stays as it is.
 */
DAIN_API int dain_push_ahead(DainContext *ctx, const DainImage *frame, const DainImage *guide,
                             double before, double after);

/* The frame shown ahead becomes the newer one of the pair: as dain_push() of it, at no cost.
 * Errors: DAIN_ESTATE (there is none), DAIN_ECANCELED (it stays ahead). */
DAIN_API int dain_advance(DainContext *ctx);

/*
 * Makes the picture at t = num / den between the last two frames pushed (0 = the older, 1 = the
 * newer), 0 <= num <= den, den > 0, and writes it to *out, whose size must be that of the frames;
 * sample type, peak and layout are the caller's choice. t = 0 and t = 1 give the frames themselves
 * (floats outside 0 .. 1 too). What depends only on the pair is computed at the first call and kept
 * for further t. Errors: DAIN_EINVAL, DAIN_ESTATE (fewer than two frames), DAIN_ENOMEM,
 * DAIN_ECANCELED.
 */
DAIN_API int dain_interpolate(DainContext *ctx, int64_t num, int64_t den, const DainImage *out);

/*
 * The most that the engine may hold: weights, working memory, and what it keeps of frames and
 * pairs. (Not the caller's pictures, nor the model file while dain_open() reads it.) When the size
 * of the frames becomes known, at the first push, the cheapest layout that fits is taken: first
 * what changes no bit of the result (strips; the original network runs in bands and takes longer),
 * then, only where the settings leave it open (AUTO, DEFAULT), bfloat16, linear motion, 8 bits, and
 * motion at a lower resolution. What is given up is logged as a warning. Too little is DAIN_ENOMEM
 * with the need in the sentence.
 *
 * bytes: 0 = no limit. Forgets the size of the frames, so that the next push lays everything out
 * anew. Errors: DAIN_EINVAL, DAIN_ESTATE (frames have been pushed; dain_reset() first).
 */
DAIN_API int dain_set_memory_limit(DainContext *ctx, size_t bytes);

/* What the engine holds for frames of one size. */
typedef struct DainPlan {
    int width, height;
    const char *precision; /* "f32", "bf16", "int8", "mixed" */
    int flow_divisor;      /* motion is estimated at 1/flow_divisor of the resolution: 1, 2, 4 */
    int strip_rows;        /* fine layers run in strips of so many rows; 0 = whole pictures */
    int bands;             /* parts in which the original network makes a picture, else 1 */
    size_t arena_bytes;    /* working memory, used again for every picture */
    size_t scratch_bytes;  /* of the threads */
    size_t weight_bytes;
    size_t frame_bytes; /* kept with each frame */
    size_t pair_bytes;  /* kept with each pair */
    size_t total_bytes; /* all of them */
    int frames, pairs;  /* kept: 2 and 1, or 3 each where motion is curved */
    uint64_t reserved[3];
} DainPlan;

/*
 * What frames of width x height would need, under the settings and the limit, without allocating or
 * computing it. Forgets the size of the frames. Errors: DAIN_EINVAL (sizes are 16 .. 16384 a side,
 * the limit), DAIN_ENOMEM (the limit is too small: *plan then says the least that is possible),
 * DAIN_ESTATE (frames have been pushed; dain_reset() first).
 */
DAIN_API int dain_plan(DainContext *ctx, int width, int height, DainPlan *plan);

/* Forgets the frames pushed so far and a cancellation: after a scene cut, a seek or a change of
 * size. */
DAIN_API void dain_reset(DainContext *ctx);

/* Makes the call that is running in another thread, or else the next one, return DAIN_ECANCELED
 * soon. Async-signal-safe. Cleared when a call to push, advance or interpolate fails, for whatever
 * reason. */
DAIN_API void dain_cancel(DainContext *ctx);

/* One sentence about the last call on this context that failed; "" if none did. Valid until the
 * next call. */
DAIN_API const char *dain_last_error(const DainContext *ctx);

/*
 * For machines without a heap to speak of: everything that the library allocates, in all contexts,
 * comes from these bytes of the caller's from now on; memory = NULL goes back to malloc. Outside
 * remain the stacks of worker threads (none with threads = 1) and what the C library itself takes
 * to read a file. Call it while no context is open. Errors: DAIN_EINVAL (fewer than a few hundred
 * bytes), DAIN_ESTATE (a context still lies in the memory given before).
 * Thread-safety: not while another function of the library runs.
 */
DAIN_API int dain_use_memory(void *memory, size_t bytes);

/*
 * How many bytes dain_use_memory() needs for one context with these settings (NULL = the defaults)
 * and frames of width x height, opened and closed any number of times. Exact to some 100 bytes:
 * with less, dain_open() or the first dain_push() returns DAIN_ENOMEM. Depends on nothing but its
 * arguments, the model file, the version of the library and the number of threads: where processors
 * differ, in 8 bits, it is the most that one needs. Opens the model for a moment, twice: address
 * space for all is reserved, memory is taken for the weights only. Errors: those of dain_open(),
 * whose sentence dain_open_error() has, and DAIN_EINVAL for a size out of range.
 */
DAIN_API int dain_memory_needed(const DainSettings *settings, int width, int height, size_t *bytes);

/* What an open engine is. Strings live as long as the context. */
typedef struct DainInfo {
    const char *model;     /* path of the model file */
    const char *network;   /* "edge" or "dain" */
    const char *precision; /* "f32", ... */
    const char *cpu;       /* instruction sets in use, "avx512+avx2" */
    int threads;           /* worker threads */
    int64_t parameters;    /* weights in the model */
    double macs_per_pixel; /* multiply-adds for each pixel of a new frame at twice the rate, tta
                              counted in; before the first push or plan, with motion at full resolution */
    int width, height;     /* size of the frames, 0 before the first push */
    size_t arena_bytes;    /* working memory for this size, 0 before the first push */
    size_t weight_bytes;   /* weights in memory */
    size_t frame_bytes;    /* kept with each source frame */
    int frames;            /* how many are kept, as in DainPlan */
    uint64_t reserved[3];
} DainInfo;

DAIN_API int dain_info(const DainContext *ctx, DainInfo *info);

/* How often something runs. */
typedef enum DainRate { DAIN_RATE_FRAME, DAIN_RATE_PAIR, DAIN_RATE_TIME } DainRate;

/* Time spent in one stage of the network since dain_open() or dain_stages_reset(). */
typedef struct DainStage {
    char name[64]; /* "flow4a", "compose", ... */
    DainRate rate;
    int64_t runs;
    double seconds; /* wall time, all runs together */
    double macs;    /* multiply-adds of one run, 0 for what is not counted in them */
    uint64_t reserved[2];
} DainStage;

/* Number of stages for the present size; 0 before the first push. */
DAIN_API int dain_stage_count(const DainContext *ctx);
/* Errors: DAIN_EINVAL for an index out of range. */
DAIN_API int dain_stage(const DainContext *ctx, int index, DainStage *stage);
DAIN_API void dain_stages_reset(DainContext *ctx);

#ifdef __cplusplus
}
#endif
#endif
