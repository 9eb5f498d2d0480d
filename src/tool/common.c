/* What the commands share: messages, the engine, interruption. */
#include "tool/common.h"

#include "engine/models.h"
#include "media/libav.h"
#include "media/outfile.h"
#include "tool/events.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* ---- messages ---- */

static struct {
    pthread_mutex_t lock;
    int level;     /* DainLogLevel up to which is printed */
    bool json;     /* as events */
    size_t status; /* characters of the status line on the screen */
} messages = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held. */
static void wipe_status(void)
{
    if (messages.status)
        fprintf(stderr, "\r%*s\r", (int)messages.status, "");
    messages.status = 0;
}

static void print_message(void *opaque, DainLogLevel level, const char *text)
{
    static const char *const prefix[] = { "", "warning: ", "", "" };
    if ((int)level > messages.level)
        return;
    pthread_mutex_lock(&messages.lock);
    wipe_status();
    if (messages.json)
        events_message(level, text);
    else
        fprintf(stderr, "dain: %s%s\n", prefix[level], text);
    pthread_mutex_unlock(&messages.lock);
}

/* Characters that fit into a line of the terminal without wrapping. */
static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
}

void messages_advise(const char *text)
{
    pthread_mutex_lock(&messages.lock);
    if (!messages.json && messages.level >= DAIN_LOG_WARNING) {
        wipe_status();
        fprintf(stderr, "dain: %s\n", text);
    }
    pthread_mutex_unlock(&messages.lock);
}

void messages_status(const char *line)
{
    pthread_mutex_lock(&messages.lock);
    const size_t room = terminal_width(), whole = strlen(line),
                 length = whole < room ? whole : room;
    if (length < messages.status)
        wipe_status();
    if (length)
        fprintf(stderr, "\r%.*s", (int)length, line);
    messages.status = length;
    fflush(stderr);
    pthread_mutex_unlock(&messages.lock);
}

void messages_json(void)
{
    messages.json = true;
}

static Report libav_report;

void messages_start(Report *report, const CommonOptions *common)
{
    messages.level = common->quiet          ? DAIN_LOG_ERROR
                     : common->verbose == 0 ? DAIN_LOG_WARNING
                     : common->verbose == 1 ? DAIN_LOG_INFO
                                            : DAIN_LOG_DEBUG;
    *report = (Report){ .log = print_message };
    libav_report.log = print_message;
    if (messages.level < DAIN_LOG_DEBUG)
        setenv("SVT_LOG", "1", 0); /* errors only: this encoder ignores FFmpeg's callback */
    libav_messages(messages.level >= DAIN_LOG_DEBUG ? &libav_report : NULL);
}

/* ---- engine ---- */

/* Errors are reported by whoever called the engine. */
static void engine_message(void *opaque, DainLogLevel level, const char *text)
{
    if (level != DAIN_LOG_ERROR)
        print_message(opaque, level, text);
}

int precision_parse(const char *name, DainPrecision *precision)
{
    static const char *const names[] = { "auto", "f32", "bf16", "int8" };
    *precision = DAIN_PRECISION_AUTO;
    for (int i = 0; name && i < 4; i++)
        if (!strcmp(name, names[i])) {
            *precision = (DainPrecision)i;
            return 1;
        }
    return !name;
}

Tuning tuning_of(const CommonOptions *common)
{
    static bool warned;
    const Report loud = { .log = print_message }, silent = { 0 };
    Report report = warned ? silent : loud;
    Tuning tuning = { 0 };
    if (!common->no_tune)
        tuning_load(&tuning, &report);
    warned = true;
    return tuning;
}

/* What was measured here, where nothing else is asked for. */
static void apply_tuning(const Tuning *tuning, DainSettings *settings, const char **precision)
{
    if (!settings->threads)
        settings->threads = tuning->threads;
    settings->strip_rows = tuning->strip_rows;
    if (!*precision || strcmp(*precision, "fastest"))
        return;
    if (!tuning->fastest[0])
        print_message(NULL, DAIN_LOG_WARNING,
                      "the fastest precision is not known here: `dain tune` finds it");
    *precision = tuning->fastest[0] ? tuning->fastest : NULL;
}

const char *model_named(const char *text)
{
    static char buf[4][1024];
    static int turn;
    const char *const found = models_find(text, buf[turn], sizeof *buf);
    if (found)
        turn = (turn + 1) % 4;
    return found ? found : text;
}

/* 0 for a name that is none. */
static int scale_parse(const char *name, DainFlowScale *scale)
{
    static const char *const names[] = { "1", "0.5", "0.25", "auto" };
    *scale = DAIN_FLOW_DEFAULT;
    for (int i = 0; name && i < 4; i++)
        if (!strcmp(name, names[i])) {
            *scale = (DainFlowScale)(DAIN_FLOW_FULL + i);
            return 1;
        }
    return !name;
}

bool motion_curved(const CommonOptions *common)
{
    return common->motion && !strcmp(common->motion, "curved");
}

/* What the options say about the engine; false if something is wrong, which is printed. */
static bool engine_settings(const CommonOptions *common, DainSettings *settings)
{
    dain_settings_default(settings);
    settings->model = common->model;
    settings->threads = common->threads;
    const char *precision = common->precision;
    const Tuning tuning = tuning_of(common); /* precision may point into it */
    apply_tuning(&tuning, settings, &precision);
    if (!precision_parse(precision, &settings->precision)) {
        print_message(NULL, DAIN_LOG_ERROR,
                      "--precision is f32, bf16, int8 or fastest, and f16 with --engine "
                      "onnxruntime only");
        return false;
    }
    if (common->padding && !strcmp(common->padding, "original")) {
        settings->padding = DAIN_PADDING_ORIGINAL;
    } else if (common->padding && strcmp(common->padding, "minimal")) {
        char text[120];
        snprintf(text, sizeof text, "--pad is minimal or original, not %.60s", common->padding);
        print_message(NULL, DAIN_LOG_ERROR, text);
        return false;
    }
    if (!scale_parse(common->scale, &settings->flow)) {
        print_message(NULL, DAIN_LOG_ERROR, "--scale is 1, 0.5, 0.25 or auto");
        return false;
    }
    if (common->motion && strcmp(common->motion, "curved") && strcmp(common->motion, "linear")) {
        print_message(NULL, DAIN_LOG_ERROR, "--motion is curved or linear");
        return false;
    }
    settings->motion = motion_curved(common) ? DAIN_MOTION_CURVED : DAIN_MOTION_LINEAR;
    settings->memory_limit = (size_t)common->memory_limit;
    settings->tta = common->tta;
    settings->log = engine_message;
    return true;
}

DainContext *engine_try(const CommonOptions *common)
{
    DainSettings settings;
    DainContext *engine = NULL;
    if (engine_settings(common, &settings)) {
        settings.log = NULL;
        dain_open(&engine, &settings);
    }
    return engine;
}

DainContext *engine_open(const CommonOptions *common)
{
    DainSettings settings;
    DainContext *engine = NULL;
    if (!engine_settings(common, &settings))
        return NULL;
    const int r = dain_open(&engine, &settings);
    if (r < 0) {
        const char *const why = dain_open_error();
        print_message(NULL, DAIN_LOG_ERROR, why[0] ? why : dain_strerror(r));
        return NULL;
    }
    return engine;
}

/* ---- interruption ---- */

static atomic_bool interrupted;
static atomic_int interrupting_signal;
static _Atomic(DainContext *) engine_to_cancel;
static _Atomic(Backend *) backend_to_cancel;

static void on_signal(int signal)
{
    if (atomic_exchange(&interrupted, true)) {
        outfile_remove_all();
        _exit(128 + signal);
    }
    atomic_store(&interrupting_signal, signal);
    DainContext *const engine = atomic_load(&engine_to_cancel);
    if (engine)
        dain_cancel(engine);
    Backend *const backend = atomic_load(&backend_to_cancel);
    if (backend)
        backend_cancel(backend);
}

void interruption_start(DainContext *engine)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    atomic_store(&engine_to_cancel, engine);
    struct sigaction action = { .sa_handler = on_signal };
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        /* A signal that was ignored from outside (nohup) stays ignored. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    /* Writing then fails with a sentence. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

void interruption_watch(Backend *engine)
{
    atomic_store(&backend_to_cancel, engine);
}

void interruption_stop(void)
{
    atomic_store(&engine_to_cancel, NULL);
    atomic_store(&backend_to_cancel, NULL);
}

atomic_bool *interruption(void)
{
    return &interrupted;
}

int interruption_code(void)
{
    const int signal = atomic_load(&interrupting_signal);
    return signal ? 128 + signal : 0;
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
