/* Going on where a run before stopped. */
#include "media/resume.h"

#include "base/mem.h"
#include "media/stages.h"

#include <errno.h>
#include <inttypes.h>
#include <libavutil/crc.h>
#include <libavutil/imgutils.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- facts ---- */

enum { HEAD = 65536, OWN_FACTS = 5 };

/* CRC of the beginning of a file. */
static int head_sum(const char *path, uint32_t *sum, Report *report)
{
    uint8_t *const buffer = mem_alloc(HEAD);
    if (!buffer)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    FILE *const f = fopen(path, "rb");
    if (!f) {
        mem_free(buffer);
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    }
    const size_t size = fread(buffer, 1, HEAD, f);
    *sum = av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), 0, buffer, size);
    fclose(f);
    mem_free(buffer);
    return DAIN_OK;
}

static char *fact(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *fact(const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return mem_strdup(text);
}

void resume_free_facts(char **facts)
{
    for (int i = 0; facts && facts[i]; i++)
        mem_free(facts[i]);
    mem_free(facts);
}

int resume_facts(const PipelineSettings *s, char ***facts, Report *report)
{
    struct stat st = { 0 };
    uint32_t head = 0;
    int given = 0;
    *facts = NULL;
    if (stat(s->input, &st) != 0)
        return report_error(report, DAIN_EIO, "%s: %s", s->input, strerror(errno));
    const int r = head_sum(s->input, &head, report);
    if (r < 0)
        return r;
    while (s->facts && s->facts[given])
        given++;
    char **const list = mem_calloc((size_t)(given + OWN_FACTS + 1), sizeof *list);
    if (!list)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    int n = 0;
    list[n++] = fact("size of the input=%" PRId64, (int64_t)st.st_size);
    list[n++] =
        fact("time of the input=%" PRId64 ".%09ld", (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    list[n++] = fact("beginning of the input=%08" PRIx32, head);
    list[n++] = fact("version=%s, libavcodec %u", dain_version(), avcodec_version());
    list[n++] = fact("frames in a segment=%d", s->segment_frames);
    for (int i = 0; i < given; i++)
        list[n++] = mem_strdup(s->facts[i]);
    for (int i = 0; i < n; i++)
        if (!list[i]) {
            for (int k = 0; k < n; k++)
                mem_free(list[k]);
            mem_free(list);
            return report_error(report, DAIN_ENOMEM, "out of memory");
        }
    *facts = list;
    return DAIN_OK;
}

bool resume_possible(const PipelineSettings *s, const char **why)
{
    struct stat st;
    *why = NULL;
    if (stat(s->input, &st) != 0 || !S_ISREG(st.st_mode))
        *why = "the input is no file";
    else if (strstr(s->output.path, "://") ||
             (stat(s->output.path, &st) == 0 && !S_ISREG(st.st_mode)))
        *why = "the output is no file";
    else if (s->loop)
        *why = "--loop ends with the first frame, which a later run does not read again";
    return !*why;
}

/* ---- marks ---- */

/* What of PipelineProgress is carried over. */
static const size_t counts[] = {
    offsetof(PipelineProgress, frames_in),  offsetof(PipelineProgress, frames_out),
    offsetof(PipelineProgress, made),       offsetof(PipelineProgress, repeated),
    offsetof(PipelineProgress, cuts),       offsetof(PipelineProgress, pauses),
    offsetof(PipelineProgress, duplicates), offsetof(PipelineProgress, flashes),
    offsetof(PipelineProgress, doubtful),   offsetof(PipelineProgress, same),
    offsetof(PipelineProgress, paused),
};
enum { COUNTS = sizeof counts / sizeof *counts };

/* A mark is this many numbers: whether one can seek; the pair: index of the newer frame, times and
 * sums of both, sum and time of the frame before if that counts; the stage; the timeline; the
 * counts and the microseconds in the network; damage of the source, at its end; and, known to the
 * writer only, in how many frames still things are held. */
enum {
    CAN_SEEK,
    NEWER,
    PTS,
    SUM = PTS + 2,
    BEFORE = SUM + 2,
    NEXT_PTS = BEFORE + 2,
    FRAMES_OUT,
    FIRST_PTS,
    TIME_A,
    TIME_B,
    SOURCE_B,
    PUSHED,
    NEXT,
    COUNT,
    ENGINE = COUNT + COUNTS,
    DAMAGE,
    HELD = DAMAGE + 9,
    NUMBERS
};

static void note_damage(int64_t n[NUMBERS], const SourceDamage *d)
{
    const int64_t all[] = { d->packets,    d->frames,     d->timestamps,
                            d->jumps,      d->interlaced, d->missing,
                            d->read_error, d->truncated,  d->missing_bytes };
    memcpy(n + DAMAGE, all, sizeof all);
}

static SourceDamage noted_damage(const int64_t n[NUMBERS])
{
    const int64_t *const d = n + DAMAGE;
    return (SourceDamage){ d[0], d[1], d[2], d[3], d[4], d[5], (int)d[6], d[7] != 0, d[8] };
}

static int64_t *count_of(PipelineProgress *p, int i)
{
    return (int64_t *)((char *)p + counts[i]);
}

/* Sum over the picture, without what lies beside it in memory. */
static uint32_t picture_sum(const AVFrame *f)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    const AVCRC *const table = av_crc_get_table(AV_CRC_32_IEEE_LE);
    uint32_t sum = (uint32_t)f->format;
    for (int p = 0; d && p < 4 && f->data[p] && f->linesize[p] > 0; p++) {
        const int bytes = av_image_get_linesize(f->format, f->width, p);
        const bool chroma = (p == 1 || p == 2) && !(d->flags & AV_PIX_FMT_FLAG_RGB);
        const int rows = chroma ? AV_CEIL_RSHIFT(f->height, d->log2_chroma_h) : f->height;
        if (d->flags & AV_PIX_FMT_FLAG_PAL && p == 1)
            break;
        for (int y = 0; y < rows && bytes > 0; y++)
            sum = av_crc(table, sum, f->data[p] + (ptrdiff_t)y * f->linesize[p], (size_t)bytes);
    }
    return sum;
}

static char *write_numbers(const int64_t n[NUMBERS])
{
    enum { DIGITS = 22 };
    char text[NUMBERS * DIGITS];
    int used = 0;
    for (int i = 0; i < HELD; i++)
        used +=
            snprintf(text + used, sizeof text - (size_t)used, i ? " %" PRId64 : "%" PRId64, n[i]);
    return mem_strdup(text);
}

static bool read_numbers(const char *text, int64_t n[NUMBERS])
{
    for (int i = 0; i < NUMBERS; i++) {
        char *end;
        errno = 0;
        n[i] = strtoll(text, &end, 10);
        if (end == text || errno)
            return false;
        text = end;
    }
    return *text == 0;
}

void resume_note_pair(Pipeline *p)
{
    p->resume.pair = (PairState){ p->timeline, p->next_pts, p->progress.frames_out };
}

/* last: the source has been read to its end. */
static char *make_mark(const Pipeline *p, bool pair_is_good, bool last)
{
    const PairState *const pair = &p->resume.pair;
    int64_t n[NUMBERS] = { [NEWER] = p->newer_index,
                           [NEXT_PTS] = pair->next_pts,
                           [FRAMES_OUT] = pair->frames_out,
                           [FIRST_PTS] = pair->timeline.first_pts,
                           [TIME_A] = pair->timeline.time_a,
                           [TIME_B] = pair->timeline.time_b,
                           [SOURCE_B] = pair->timeline.source_b,
                           [PUSHED] = pair->timeline.frames,
                           [NEXT] = pair->timeline.next,
                           [ENGINE] = (int64_t)(p->progress.engine_seconds * 1e6) };
    /* The rhythm of what came before is not noted, nor are the cuts. */
    if (pair_is_good && !p->dedup && !p->settings->scenes) {
        n[CAN_SEEK] = 1;
        n[PTS] = p->older.decoded->pts;
        n[PTS + 1] = p->newer.decoded->pts;
        n[SUM] = picture_sum(p->older.decoded);
        n[SUM + 1] = picture_sum(p->newer.decoded);
        if (p->before.decoded) {
            n[BEFORE] = picture_sum(p->before.decoded);
            n[BEFORE + 1] = p->before.decoded->pts;
        }
    }
    if (last) {
        const SourceDamage damage = p->resume.whole ? p->resume.damage : source_damage(p->source);
        note_damage(n, &damage);
    }
    for (int i = 0; i < COUNTS; i++)
        n[COUNT + i] = *(const int64_t *)((const char *)&p->progress + counts[i]);
    return write_numbers(n);
}

char *resume_mark(Pipeline *p, int *error)
{
    const int64_t frames = p->progress.frames_out;
    *error = DAIN_OK;
    if (!p->segmented || frames == 0 || frames % p->settings->segment_frames != 0)
        return NULL;
    /* At the end of the source there is no newer frame to go on from. */
    char *const mark =
        make_mark(p, p->newer.decoded && !p->older.damaged && !p->newer.damaged, false);
    if (!mark)
        *error = stage_no_memory(&p->engine);
    return mark;
}

char *resume_seal_mark(Pipeline *p, char *mark)
{
    const size_t size = mark ? strlen(mark) + 24 : 0;
    char *const sealed = mark ? mem_alloc(size) : NULL;
    if (sealed)
        snprintf(sealed, size, "%s %" PRId64, mark, (int64_t)atomic_load(&p->held));
    mem_free(mark);
    return sealed;
}

char *resume_last_mark(Pipeline *p)
{
    return resume_seal_mark(p, make_mark(p, false, true));
}

bool resume_skips(Pipeline *p)
{
    Resume *const resume = &p->resume;
    if (p->progress.frames_out < resume->from)
        return true;
    if (resume->from && !resume->reached) {
        /* From here on it is as if the runs were one. */
        resume->before.expected_out = p->progress.expected_out;
        resume->before.seconds_in = resume->before.seconds_before = p->progress.seconds_in;
        resume->before.frames_before = resume->from;
        p->progress = resume->before;
        atomic_fetch_add(&p->held, resume->before.held);
        resume->reached = true;
    }
    return false;
}

/* ---- going on ---- */

/* Decodes a frame of the pair, or one before it, and looks for cuts as in the run before. */
static int next_prepared(Pipeline *p, SourceFrame *frame)
{
    release_frame(frame);
    const int r = reader_decode(p, &p->reader, frame);
    if (r != SOURCE_FRAME)
        return r < 0 ? r : DAIN_EIO;
    return reader_prepare(p, &p->reader, frame);
}

/* Decodes up to the pair; DAIN_EIO if it is not what the mark says. The frame before it goes to
 * p->before. */
static int find_pair(Pipeline *p, const int64_t n[NUMBERS], SourceFrame pair[2])
{
    /* Frames before the pair, so that flashes are told from cuts as if all had been there. */
    const int64_t wanted = 4 * (SCENE_FLASH + 1), there = n[NEWER] - 1;
    for (int64_t i = 0; !pair[0].decoded || pair[0].decoded->pts < n[PTS]; i++) {
        release_frame(&p->before);
        p->before = pair[0];
        pair[0] = (SourceFrame){ 0 };
        const int r = next_prepared(p, &pair[0]);
        if (r < 0)
            return r;
        if (pair[0].decoded->pts >= n[PTS] && i < (there < wanted ? there : wanted))
            return DAIN_EIO;
    }
    const int r = next_prepared(p, &pair[1]);
    if (r < 0)
        return r;
    for (int i = 0; i < 2; i++)
        if (pair[i].decoded->pts != n[PTS + i] || picture_sum(pair[i].decoded) != n[SUM + i] ||
            pair[i].damaged)
            return DAIN_EIO;
    if (!n[BEFORE])
        release_frame(&p->before);
    else if (!p->before.decoded || picture_sum(p->before.decoded) != n[BEFORE] ||
             p->before.decoded->pts != n[BEFORE + 1])
        return DAIN_EIO;
    else
        engine_judge(p, &p->before, &pair[0], n[NEWER] - 1);
    return DAIN_OK;
}

static void load_state(Pipeline *p, const int64_t n[NUMBERS], const SourceFrame pair[2])
{
    p->older = pair[0];
    p->newer = pair[1];
    p->newer_index = p->source_index = n[NEWER];
    p->next_pts = n[NEXT_PTS];
    p->progress.frames_in = n[NEWER] + 1;
    p->progress.frames_out = n[FRAMES_OUT];
    p->timeline.first_pts = n[FIRST_PTS];
    p->timeline.time_a = n[TIME_A];
    p->timeline.time_b = n[TIME_B];
    p->timeline.source_b = n[SOURCE_B];
    p->timeline.frames = n[PUSHED];
    p->timeline.next = n[NEXT];
    p->resume.loaded = true;
    release_frame(&p->first);
}

static void tell_slow(Pipeline *p)
{
    report_log(&p->reader.report, DAIN_LOG_INFO, "%s cannot be sought in: reading from its start",
               p->settings->input);
}

/* The source from its beginning, as it was before the seek. */
static int start_over(Pipeline *p)
{
    SourceSettings settings = p->settings->source;
    tell_slow(p);
    settings.cancel = p->settings->cancel;
    source_close(&p->source);
    scene_forget(&p->scenes);
    release_frame(&p->before);
    release_frame(&p->first);
    int r = source_open(&p->source, p->settings->input, &settings, &p->reader.report);
    if (r >= 0)
        r = reader_decode(p, &p->reader, &p->first);
    if (r == SOURCE_END)
        r = report_error(&p->reader.report, DAIN_EFORMAT, "%s has changed meanwhile",
                         p->settings->input);
    return r < 0 ? r : reader_prepare(p, &p->reader, &p->first);
}

int resume_start(Pipeline *p)
{
    const char *mark;
    int64_t n[NUMBERS] = { 0 };
    Resume *const resume = &p->resume;
    resume->from = output_done(p->output, &mark, &resume->whole);
    if (!resume->from)
        return DAIN_OK;
    if (!mark || !read_numbers(mark, n))
        return report_error(&p->engine.report, DAIN_EFORMAT, "the journal of %s is damaged",
                            p->settings->output.path);
    for (int i = 0; i < COUNTS; i++)
        *count_of(&resume->before, i) = n[COUNT + i];
    resume->before.engine_seconds = (double)n[ENGINE] * 1e-6;
    resume->before.held = n[HELD];
    resume->damage = noted_damage(n);
    resume->from = resume->before.frames_out;
    resume->before.expected_out = resume->whole ? resume->from : 0;
    if (resume->whole)
        return DAIN_OK;
    if (!n[CAN_SEEK]) {
        tell_slow(p);
        return DAIN_OK;
    }
    if (source_seek(p->source, n[PTS], n[NEWER] - 1) < 0)
        return start_over(p);
    SourceFrame pair[2] = { 0 };
    scene_forget(&p->scenes);
    const int r = find_pair(p, n, pair);
    if (r == DAIN_OK) {
        load_state(p, n, pair);
        return r;
    }
    release_frame(&pair[0]);
    release_frame(&pair[1]);
    if (r != DAIN_EIO)
        return r;
    return start_over(p);
}
