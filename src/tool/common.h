/* What the commands share: messages, the engine, interruption. */
#ifndef DAIN_TOOL_COMMON_H
#define DAIN_TOOL_COMMON_H

#include "base/log.h"
#include "engine/backend.h"
#include "tool/options.h"
#include "tool/tuning.h"

#include <stdatomic.h>

/*
 * Sets what is printed: errors always, warnings unless quiet, more with -v, and FFmpeg's messages
 * with -v -v. The report's callback prints one line on standard error and may be called from any
 * thread.
 */
void messages_start(Report *report, const CommonOptions *common);
/* From now on messages are events (tool/events.h), not lines for people. */
void messages_json(void);
/* A line on standard error that goes away with the next one, for progress; "" takes it away. Only
 * for terminals. */
void messages_status(const char *line);
/* A line of advice: "dain: TEXT", unless quiet or in events. */
void messages_advise(const char *text);

/* The precision of that name (NULL = automatic); 0 for a name that is none. */
int precision_parse(const char *name, DainPrecision *precision);

/* What `dain tune` found, zeros if nothing or not wanted. A damaged file is told once. */
Tuning tuning_of(const CommonOptions *common);

/* Whether the frames around a pair are to be looked at. */
bool motion_curved(const CommonOptions *common);

/* The path of the model that the text names, or the text if there is none. Good until the next call
 * but three. */
const char *model_named(const char *text);

/* Opens the engine that the options describe; what fails is printed. NULL then. */
DainContext *engine_open(const CommonOptions *common);
/* The same where failing is no error: nothing is printed. */
DainContext *engine_try(const CommonOptions *common);

/* From now on Ctrl-C and the like set *interruption() and cancel the engine's call (NULL: none);
 * the second one removes temporary files and ends the program at once. */
void interruption_start(DainContext *engine);
/* The same for an engine behind the table of functions; after interruption_start(NULL). */
void interruption_watch(Backend *engine);
/* Before the engine is closed. */
void interruption_stop(void);
atomic_bool *interruption(void);
/* 128 + number of the signal that came, 0 if none did. */
int interruption_code(void);

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

#endif
