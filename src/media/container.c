/* What a container can hold, where FFmpeg's own answer is not enough. */
#include "media/container.h"

#include <string.h>

bool container_is(const AVOutputFormat *container, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(container->name, *names))
            return true;
    return false;
}

bool container_is_mov(const AVOutputFormat *container)
{
    static const char *const names[] = { "mov", "mp4",  "3gp", "3g2", "ipod",
                                         "psp", "ismv", "f4v", NULL };
    return container_is(container, names);
}

bool container_is_matroska(const AVOutputFormat *container)
{
    return !strcmp(container->name, "matroska");
}

/* Those whose muxers write any codec, of which readers then know nothing. */
static const enum AVCodecID *known_to_readers(const AVOutputFormat *container)
{
    static const enum AVCodecID transport[] = {
        AV_CODEC_ID_MPEG1VIDEO,   AV_CODEC_ID_MPEG2VIDEO,   AV_CODEC_ID_MPEG4,
        AV_CODEC_ID_H264,         AV_CODEC_ID_HEVC,         AV_CODEC_ID_VVC,
        AV_CODEC_ID_CAVS,         AV_CODEC_ID_AVS2,         AV_CODEC_ID_AVS3,
        AV_CODEC_ID_DIRAC,        AV_CODEC_ID_VC1,          AV_CODEC_ID_MP1,
        AV_CODEC_ID_MP2,          AV_CODEC_ID_MP3,          AV_CODEC_ID_AAC,
        AV_CODEC_ID_AAC_LATM,     AV_CODEC_ID_AC3,          AV_CODEC_ID_EAC3,
        AV_CODEC_ID_DTS,          AV_CODEC_ID_TRUEHD,       AV_CODEC_ID_OPUS,
        AV_CODEC_ID_S302M,        AV_CODEC_ID_PCM_BLURAY,   AV_CODEC_ID_HDMV_PGS_SUBTITLE,
        AV_CODEC_ID_DVB_SUBTITLE, AV_CODEC_ID_DVB_TELETEXT, AV_CODEC_ID_SMPTE_KLV,
        AV_CODEC_ID_TIMED_ID3,    AV_CODEC_ID_NONE
    };
    static const enum AVCodecID program[] = {
        AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO,   AV_CODEC_ID_MPEG4, AV_CODEC_ID_H264,
        AV_CODEC_ID_HEVC,       AV_CODEC_ID_CAVS,         AV_CODEC_ID_MP1,   AV_CODEC_ID_MP2,
        AV_CODEC_ID_MP3,        AV_CODEC_ID_AC3,          AV_CODEC_ID_DTS,   AV_CODEC_ID_PCM_S16BE,
        AV_CODEC_ID_PCM_DVD,    AV_CODEC_ID_DVD_SUBTITLE, AV_CODEC_ID_NONE
    };
    static const char *const transports[] = { "mpegts", "hls", NULL };
    static const char *const programs[] = { "mpeg", "vob", "dvd", "svcd", "vcd", NULL };
    return container_is(container, transports) ? transport
           : container_is(container, programs) ? program
                                               : NULL;
}

int container_holds(const AVOutputFormat *container, enum AVCodecID id, int compliance)
{
    const enum AVCodecID *known = known_to_readers(container);
    const int answer = avformat_query_codec(container, id, compliance);
    if (!known || answer == 0)
        return answer;
    for (; *known != AV_CODEC_ID_NONE; known++)
        if (*known == id)
            return answer;
    return 0;
}

bool container_holds_cover(const AVOutputFormat *container)
{
    static const char *const list[] = { "matroska", "mp4", "ipod", NULL };
    return container_is(container, list);
}
