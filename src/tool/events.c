/* Progress for programs: JSON, an object a line. */
#include "tool/events.h"

#include "tool/json.h"
#include "tool/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A line is built in memory and written at once, so that threads do not mix theirs. */
typedef struct Line {
    FILE *out;
    char *text;
    size_t size;
} Line;

static bool line_begin(Line *line, const char *event)
{
    *line = (Line){ 0 };
    line->out = open_memstream(&line->text, &line->size);
    if (line->out)
        fprintf(line->out, "{\"event\":\"%s\"", event);
    return line->out;
}

static void line_end(Line *line)
{
    fputs("}\n", line->out);
    if (fclose(line->out) == 0)
        fputs(line->text, stderr);
    free(line->text); /* of open_memstream() */
}

static void put_text(Line *line, const char *key, const char *value)
{
    fprintf(line->out, ",\"%s\":", key);
    json_print(line->out, value);
}

static void put_count(Line *line, const char *key, int64_t value)
{
    fprintf(line->out, ",\"%s\":%" PRId64, key, value);
}

/* Below zero: null. */
static void put_real(Line *line, const char *key, double value)
{
    if (value >= 0)
        fprintf(line->out, ",\"%s\":%.6g", key, value);
    else
        fprintf(line->out, ",\"%s\":null", key);
}

/* A rate as a string "24000/1001", null if unknown. */
static void put_rate(Line *line, const char *key, Ratio rate)
{
    char text[48];
    put_text(line, key, rate.num ? ratio_text(rate, text, sizeof text) : NULL);
}

/* Seconds left at the mean speed so far, < 0 if unknown. */
static double time_left(const PipelineProgress *p, double elapsed)
{
    const int64_t own = p->frames_out - p->frames_before;
    if (own <= 0 || p->expected_out <= 0)
        return -1;
    if (p->expected_out <= p->frames_out)
        return 0;
    return elapsed * (double)(p->expected_out - p->frames_out) / (double)own;
}

static void put_progress(Line *line, const PipelineProgress *p, double elapsed)
{
    put_count(line, "frames_in", p->frames_in);
    put_count(line, "frames_out", p->frames_out);
    put_real(line, "frames_expected", p->expected_out > 0 ? (double)p->expected_out : -1);
    put_count(line, "new", p->made);
    put_count(line, "repeated", p->repeated);
    put_count(line, "cuts", p->cuts);
    put_count(line, "doubtful", p->doubtful);
    put_count(line, "same", p->same);
    put_count(line, "flashes", p->flashes);
    put_count(line, "duplicates", p->duplicates);
    put_count(line, "held", p->held);
    put_real(line, "seconds_in", p->seconds_in);
    put_real(line, "elapsed", elapsed);
    put_real(line, "fps", elapsed > 0 ? (double)(p->frames_out - p->frames_before) / elapsed : -1);
    put_real(line, "speed", elapsed > 0 ? (p->seconds_in - p->seconds_before) / elapsed : -1);
    put_real(line, "engine_seconds", p->engine_seconds);
    put_real(line, "source_seconds", p->source_seconds);
    put_real(line, "output_seconds", p->output_seconds);
}

void events_message(DainLogLevel level, const char *text)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    Line line;
    if (!line_begin(&line, "message"))
        return;
    put_text(&line, "level", names[level]);
    put_text(&line, "text", text);
    line_end(&line);
}

static void put_start(Line *line, const char *input, const char *output, const PipelineStart *s)
{
    put_text(line, "input", input);
    put_text(line, "output", output);
    put_count(line, "width", s->width);
    put_count(line, "height", s->height);
    put_rate(line, "rate_in", s->rate_in);
    put_rate(line, "rate_out", s->rate_out);
    put_text(line, "decoder", s->decoder);
    put_text(line, "encoder", s->encoder);
    put_text(line, "format_in", s->format_in);
    put_text(line, "format_out", s->format_out);
}

void events_start(const char *input, const char *output, const PipelineStart *start)
{
    Line line;
    if (!line_begin(&line, "start"))
        return;
    put_start(&line, input, output, start);
    put_count(&line, "done", start->done);
    line_end(&line);
}

void events_plan(const char *input, const char *output, const Forecast *f, size_t memory_bytes,
                 double seconds)
{
    Line line;
    if (!line_begin(&line, "plan"))
        return;
    put_start(&line, input, output, &f->start);
    put_text(&line, "container", f->container);
    put_count(&line, "frames_in", f->frames_in);
    put_count(&line, "frames_expected", f->frames_out);
    put_count(&line, "new", f->made);
    put_real(&line, "seconds_in", f->seconds_in);
    put_count(&line, "memory_bytes", (int64_t)memory_bytes);
    put_real(&line, "seconds_estimated", seconds);
    line_end(&line);
}

void events_progress(const PipelineProgress *progress, double elapsed)
{
    Line line;
    if (!line_begin(&line, "progress"))
        return;
    put_progress(&line, progress, elapsed);
    put_real(&line, "eta", time_left(progress, elapsed));
    line_end(&line);
}

void events_end(const char *input, const char *output, int code, const PipelineResult *result,
                double elapsed)
{
    const char *const status = code == EXIT_DONE      ? "done"
                               : code == EXIT_DAMAGED ? "damaged"
                               : code >= 128          ? "interrupted"
                                                      : "failed";
    Line line;
    if (!line_begin(&line, "end"))
        return;
    put_text(&line, "input", input);
    put_text(&line, "output", output);
    put_text(&line, "status", status);
    put_count(&line, "exit_code", code);
    fprintf(line.out, ",\"kept\":%s", result->kept ? "true" : "false");
    put_count(&line, "resumable", result->done);
    put_progress(&line, &result->progress, elapsed);
    put_real(&line, "processor_seconds", result->cpu_seconds);
    line_end(&line);
}

void events_batch(int done, int damaged, int skipped, int failed, int waiting, double elapsed)
{
    Line line;
    if (!line_begin(&line, "batch"))
        return;
    put_count(&line, "done", done);
    put_count(&line, "damaged", damaged);
    put_count(&line, "skipped", skipped);
    put_count(&line, "failed", failed);
    put_count(&line, "waiting", waiting);
    put_real(&line, "elapsed", elapsed);
    line_end(&line);
}
