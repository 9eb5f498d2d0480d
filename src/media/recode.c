/* Sound or subtitles made anew. */
#include "media/recode.h"

#include "base/mem.h"
#include "media/sound.h"
#include "media/subtitle.h"

#include <stdio.h>
#include <string.h>

/* One of both. */
struct Recode {
    Report report; /* silent, see recode_error() */
    Sound *sound;
    Subtitle *subtitle;
};

int recode_open(Recode **recode, const AVStream *from, const AVOutputFormat *container,
                const Pace *pace, Report *report)
{
    *recode = NULL;
    Recode *c = mem_calloc(1, sizeof *c);
    if (!c) {
        snprintf(report->error, sizeof report->error, "out of memory");
        return DAIN_ENOMEM;
    }
    const int r = from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO
                      ? sound_open(&c->sound, from, container, pace, &c->report)
                      : subtitle_open(&c->subtitle, from, container, pace, &c->report);
    if (r < 0) {
        memcpy(report->error, c->report.error, sizeof report->error);
        recode_close(&c);
    }
    *recode = c;
    return r;
}

enum AVCodecID recode_codec(const AVStream *from, const AVOutputFormat *container)
{
    static const Pace as_it_is;
    Report unused = { 0 };
    Recode *c;
    if (recode_open(&c, from, container, &as_it_is, &unused) < 0)
        return AV_CODEC_ID_NONE;
    const enum AVCodecID id = recode_encoder(c)->codec_id;
    recode_close(&c);
    return id;
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

const char *recode_error(const Recode *c)
{
    return c->report.error;
}

const AVCodecContext *recode_encoder(const Recode *c)
{
    return c->sound ? sound_encoder(c->sound) : subtitle_encoder(c->subtitle);
}
