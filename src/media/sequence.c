/* Pictures of a folder or a pattern as a video of constant rate. */
#include "media/sequence.h"

#include "base/mem.h"
#include "media/picture_list.h"
#include "media/still.h"

struct Sequence {
    Report *report;
    PictureList list;
    AVFormatContext *format; /* made up, for those who ask a demuxer */
    AVFrame *first;          /* read ahead, NULL once it is handed out */
    const char *codec;
    int next;       /* of the list */
    int64_t broken; /* counted before anybody could be told */
};

static int read_next(Sequence *s, AVFrame *frame)
{
    while (s->next < s->list.count) {
        const PictureFile *const file = &s->list.file[s->next++];
        Report own = { 0 }; /* an undecodable picture is no error of the whole */
        bool damaged;
        const char *codec;
        const int r = still_read(file->path, frame, &damaged, &codec, &own);
        if (r == DAIN_ENOMEM)
            return report_error(s->report, r, "%s", own.error);
        if (r < 0 || damaged)
            s->broken++;
        if (r < 0) {
            report_log(s->report, DAIN_LOG_WARNING, "%s; left out", own.error);
            continue;
        }
        if (damaged)
            report_log(s->report, DAIN_LOG_WARNING,
                       "%s: the picture is damaged; used as far as it goes", file->path);
        if (!s->codec)
            s->codec = codec;
        frame->pts = frame->best_effort_timestamp = file->place;
        frame_set_duration(frame, 1);
        return 1;
    }
    return 0;
}

static int describe(Sequence *s, Ratio rate)
{
    const AVRational fps = libav_rational(rate);
    s->format = avformat_alloc_context();
    AVStream *const st = s->format ? avformat_new_stream(s->format, NULL) : NULL;
    if (!st)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    st->time_base = av_inv_q(fps);
    st->avg_frame_rate = st->r_frame_rate = fps;
    st->start_time = 0;
    st->duration = s->list.file[s->list.count - 1].place + 1;
    st->nb_frames = st->duration;
    AVCodecParameters *const par = st->codecpar;
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = AV_CODEC_ID_RAWVIDEO;
    par->format = s->first->format;
    par->width = s->first->width;
    par->height = s->first->height;
    par->sample_aspect_ratio = st->sample_aspect_ratio = s->first->sample_aspect_ratio;
    s->format->start_time = 0;
    s->format->duration = av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q);
    return DAIN_OK;
}

int sequence_open(Sequence **sequence, const char *path, Ratio rate, Report *report)
{
    Sequence *s = *sequence = mem_calloc(1, sizeof *s);
    if (!s)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    s->report = report;
    int r = picture_list_read(&s->list, path, report);
    if (r >= 0 && !(s->first = av_frame_alloc()))
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    if (r >= 0 && (r = read_next(s, s->first)) == 0)
        r = report_error(report, DAIN_EFORMAT, "%s: not one of its pictures can be decoded", path);
    if (r > 0)
        r = describe(s, rate);
    if (r >= 0 && s->list.missing)
        report_log(report, DAIN_LOG_WARNING, "%s: %lld number%s without a picture", path,
                   (long long)s->list.missing, s->list.missing == 1 ? " is" : "s are");
    if (r < 0)
        sequence_close(sequence);
    return r;
}

void sequence_close(Sequence **sequence)
{
    Sequence *const s = *sequence;
    *sequence = NULL;
    if (!s)
        return;
    picture_list_free(&s->list);
    avformat_free_context(s->format);
    av_frame_free(&s->first);
    mem_free(s);
}

int sequence_next(Sequence *s, AVFrame *frame, int64_t *broken)
{
    int r = 1;
    av_frame_unref(frame);
    if (s->first) {
        av_frame_move_ref(frame, s->first);
        av_frame_free(&s->first);
    } else {
        r = read_next(s, frame);
    }
    *broken += s->broken;
    s->broken = 0;
    return r;
}

void sequence_skip(Sequence *s, int64_t place)
{
    if (s->first && s->first->pts < place)
        av_frame_free(&s->first);
    while (s->next < s->list.count && s->list.file[s->next].place < place)
        s->next++;
}

AVFormatContext *sequence_format(const Sequence *s)
{
    return s->format;
}

const char *sequence_codec(const Sequence *s)
{
    return s->codec;
}

int64_t sequence_missing(const Sequence *s)
{
    return s->list.missing;
}
