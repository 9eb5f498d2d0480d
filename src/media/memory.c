/* What the media side of the tool holds while it works. */
#include "media/memory.h"

#include "media/codec_choice.h"
#include "media/pixels.h"

#include <libavutil/imgutils.h>
#include <string.h>

enum {
    PROGRAM_MIB = 64,
    DECODED = 10,     /* references, threads, and what waits for the engine */
    AROUND = 2,       /* of these more where motion is curved: the frames around the pair */
    RGB_SERIAL = 2,   /* one in or out, one with the encoder */
    RGB_PARALLEL = 5, /* two in, two out, one with the encoder */
    RGB_HELD = 1,     /* that still things come from */
    OTHER_ENCODER = 40
};

/* x264's presets: frames it looks ahead; references, B-frames and threads beside them. */
static const struct {
    const char *preset;
    int lookahead, others;
} x264[] = { { "ultrafast", 0, 11 }, { "superfast", 0, 24 }, { "veryfast", 10, 33 },
             { "faster", 20, 33 },   { "fast", 30, 33 },     { "medium", 40, 33 },
             { "slow", 50, 36 },     { "slower", 60, 42 },   { "veryslow", 60, 52 },
             { "placebo", 60, 52 } };
enum { PRESETS = sizeof x264 / sizeof *x264, MEDIUM = 5 };

static bool is_x264(const EncoderSettings *s)
{
    const AVCodec *const codec = s->codec ? codec_named(s->codec) : NULL;
    return !s->codec || (codec && !strcmp(codec->name, "libx264"));
}

static int preset_of(const EncoderSettings *s)
{
    for (int i = 0; s->preset && i < PRESETS; i++)
        if (!strcmp(s->preset, x264[i].preset))
            return i;
    return MEDIUM;
}

int media_lookahead(const EncoderSettings *s)
{
    for (const char *const *o = s->options; o && *o; o++)
        if (strstr(*o, "rc-lookahead") || strstr(*o, "x264-params") || strstr(*o, "x264opts"))
            return 0; /* the user's own */
    return is_x264(s) ? x264[preset_of(s)].lookahead : 0;
}

/* x264 keeps a smaller copy and motion beside each frame: 7/4 of it (measured). */
static size_t encoder_bytes(const EncoderSettings *s, size_t frame)
{
    if (!is_x264(s))
        return OTHER_ENCODER * 2 * frame;
    const int preset = preset_of(s), own = x264[preset].lookahead;
    const int lookahead = s->lookahead > 0 && s->lookahead < own ? s->lookahead : own;
    return (size_t)(lookahead + x264[preset].others) * frame * 7 / 4;
}

MediaNeed media_need(const AVFrame *first, const EncoderSettings *s, bool save, bool curved,
                     int more)
{
    const int bytes = av_image_get_buffer_size(first->format, first->width, first->height, 1);
    const size_t pixels = (size_t)first->width * (size_t)first->height;
    const size_t frame = bytes > 0 ? (size_t)bytes : 3 * pixels;
    const size_t rgb = pixels * sizeof(float) * (pixels_alpha(first->format) ? 4 : 3);
    const int count = (save || pixels > SERIAL_PIXELS ? RGB_SERIAL : RGB_PARALLEL + curved) +
                      (save ? 0 : RGB_HELD);
    return (MediaNeed){ .program = (size_t)PROGRAM_MIB << 20,
                        .frames = (size_t)(DECODED + (curved ? AROUND : 0)) * frame +
                                  (size_t)(count + more) * rgb,
                        .encoder = encoder_bytes(s, frame) };
}
