/* What `dain eval` prints and writes: the table, the CSV file and the JSON file. */
#ifndef DAIN_TOOL_EVAL_REPORT_H
#define DAIN_TOOL_EVAL_REPORT_H

#include <stdio.h>

#include "base/log.h"
#include "media/metrics.h"
#include "media/outfile.h"

/* The model and what it is compared with. */
enum { EVAL_MAX_METHODS = 8 };

/* One way to make the frame, as the reports name it. */
typedef struct EvalColumn {
    char label[64];      /* unique: "edge", "blend" */
    const char *kind;    /* "model", "blend", "nearest" */
    const char *file;    /* of a model, else NULL */
    const char *network; /* of a model, else NULL */
    const char *engine;  /* of a model that another engine runs, else NULL */
    MetricsMean mean;    /* over the rows so far */
} EvalColumn;

/* The three reports; every row is written as soon as it is known. Fill in the first part, zero the
 * rest. */
typedef struct EvalReport {
    const char *source, *layout;
    MetricsSpace space;
    const char *csv_path, *json_path; /* NULL = not wanted */
    int name_width;                   /* of the longest name to come */
    EvalColumn column[EVAL_MAX_METHODS];
    int columns;

    FILE *csv, *json;
    OutFile csv_file, json_file; /* names of the two while they are unfinished */
    int rows;
} EvalReport;

/* Opens the files beside their final names; files that exist are replaced at the end. */
int eval_report_begin(EvalReport *r, Report *report);

/* A row: one score per column. Errors: DAIN_EIO, without a sentence if it is about standard
 * output, which main() checks at the end. */
int eval_report_row(EvalReport *r, const char *name, int width, int height, const Metrics *score,
                    Report *report);

/* Prints the means and gives the files their final names. */
int eval_report_end(EvalReport *r, Report *report);

/* Removes unfinished files and frees what belongs to the reports; right after eval_report_end()
 * too. */
void eval_report_close(EvalReport *r);

#endif
