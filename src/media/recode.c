/* Sound or subtitles made anew. */
#include "media/recode.h"

#include "base/mem.h"
#include "media/sound.h"
#include "media/subtitle.h"

/* One of both. */
struct Recode {
    Sound *sound;
    Subtitle *subtitle;
};

enum AVCodecID recode_codec(const AVStream *from, const AVOutputFormat *container)
{
    switch (from->codecpar->codec_type) {
    case AVMEDIA_TYPE_AUDIO:
        return sound_codec(from->codecpar, container);
    case AVMEDIA_TYPE_SUBTITLE:
        return subtitle_codec(from->codecpar, container);
    default:
        return AV_CODEC_ID_NONE;
    }
}

int recode_open(Recode **recode, const AVStream *from, const AVOutputFormat *container,
                const Pace *pace, Report *report)
{
    *recode = NULL;
    Recode *c = mem_calloc(1, sizeof *c);
    if (!c)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    const int r = from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO
                      ? sound_open(&c->sound, from, container, pace, report)
                      : subtitle_open(&c->subtitle, from, container, pace, report);
    if (r < 0)
        recode_close(&c);
    *recode = c;
    return r;
}

void recode_close(Recode **recode)
{
    Recode *const c = *recode;
    *recode = NULL;
    if (!c)
        return;
    sound_close(&c->sound);
    subtitle_close(&c->subtitle);
    mem_free(c);
}

int recode_send(Recode *c, const AVPacket *packet)
{
    return c->sound ? sound_send(c->sound, packet) : subtitle_send(c->subtitle, packet);
}

int recode_receive(Recode *c, AVPacket *packet)
{
    return c->sound ? sound_receive(c->sound, packet) : subtitle_receive(c->subtitle, packet);
}

const AVCodecContext *recode_encoder(const Recode *c)
{
    return c->sound ? sound_encoder(c->sound) : subtitle_encoder(c->subtitle);
}
