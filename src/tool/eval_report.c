/* What `dain eval` prints and writes: the table, the CSV file and the JSON file. */
#include "tool/eval_report.h"
#include "tool/json.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Longer names are printed whole, out of line with the rest. */
enum { MAX_NAME_WIDTH = 40, COLUMN_WIDTH = 24 };

/* ---- table ---- */

static int name_width(const EvalReport *r)
{
    const int least = (int)strlen("mean of 99999");
    const int wanted = r->name_width < least ? least : r->name_width;
    return wanted > MAX_NAME_WIDTH ? MAX_NAME_WIDTH : wanted;
}

static void table_head(const EvalReport *r)
{
    printf("%-*s", name_width(r), "");
    for (int i = 0; i < r->columns; i++)
        printf(" | %-*.*s", COLUMN_WIDTH, COLUMN_WIDTH, r->column[i].label);
    printf("\n%-*s", name_width(r), "sequence");
    for (int i = 0; i < r->columns; i++)
        printf(" | %8s  %6s  %6s", "PSNR dB", "SSIM", "IE");
    printf("\n");
    fflush(stdout);
}

static void table_row(const EvalReport *r, const char *name, const Metrics *score)
{
    printf("%-*s", name_width(r), name);
    for (int i = 0; i < r->columns; i++)
        printf(" | %8.2f  %6.4f  %6.2f", score[i].psnr, score[i].ssim, score[i].ie);
    printf("\n");
    fflush(stdout);
}

/* ---- text of the files ---- */

static void csv_string(FILE *f, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++)
        fprintf(f, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', f);
}

static void json_scores(EvalReport *r, const Metrics *score)
{
    fputs("\"scores\": [", r->json);
    for (int i = 0; i < r->columns; i++) {
        fputs(i ? ", {\"method\": " : "{\"method\": ", r->json);
        json_print(r->json, r->column[i].label);
        if (isinf(score[i].psnr)) /* JSON has no infinity */
            fputs(", \"psnr\": null", r->json);
        else
            fprintf(r->json, ", \"psnr\": %.6f", score[i].psnr);
        fprintf(r->json, ", \"ssim\": %.6f, \"ie\": %.6f}", score[i].ssim, score[i].ie);
    }
    fputs("]}", r->json);
}

static void json_head(EvalReport *r)
{
    fprintf(r->json, "{\"dain\": \"%s\",\n \"source\": ", dain_version());
    json_print(r->json, r->source);
    fprintf(r->json, ",\n \"layout\": \"%s\",\n \"space\": \"%s\",\n \"methods\": [", r->layout,
            r->space == METRICS_LUMA ? "luma" : "rgb");
    for (int i = 0; i < r->columns; i++) {
        const EvalColumn *c = &r->column[i];
        fputs(i ? ",\n  {\"label\": " : "\n  {\"label\": ", r->json);
        json_print(r->json, c->label);
        fprintf(r->json, ", \"kind\": \"%s\"", c->kind);
        if (c->file) {
            fputs(", \"file\": ", r->json);
            json_print(r->json, c->file);
        }
        if (c->network)
            fprintf(r->json, ", \"network\": \"%s\"", c->network);
        if (c->engine) {
            fputs(", \"engine\": ", r->json);
            json_print(r->json, c->engine);
        }
        fputs("}", r->json);
    }
    fputs("],\n \"sequences\": [", r->json);
}

static void csv_row(EvalReport *r, const char *name, int width, int height, const Metrics *score)
{
    for (int i = 0; i < r->columns; i++) {
        csv_string(r->csv, name);
        fputc(',', r->csv);
        csv_string(r->csv, r->column[i].label);
        if (width)
            fprintf(r->csv, ",%d,%d", width, height);
        else
            fputs(",,", r->csv);
        fprintf(r->csv, ",%.6f,%.6f,%.6f\n", score[i].psnr, score[i].ssim, score[i].ie);
    }
}

/* ---- the report ---- */

int eval_report_begin(EvalReport *r, Report *report)
{
    int ret = DAIN_OK;
    if (r->csv_path)
        ret = outfile_open_text(&r->csv, &r->csv_file, r->csv_path, report);
    if (!ret && r->json_path)
        ret = outfile_open_text(&r->json, &r->json_file, r->json_path, report);
    if (ret)
        return ret;
    if (r->csv)
        fputs("sequence,method,width,height,psnr_db,ssim,ie\n", r->csv);
    if (r->json)
        json_head(r);
    return DAIN_OK;
}

int eval_report_row(EvalReport *r, const char *name, int width, int height, const Metrics *score,
                    Report *report)
{
    for (int i = 0; i < r->columns; i++)
        metrics_mean_add(&r->column[i].mean, &score[i]);
    if (r->rows == 0)
        table_head(r);
    table_row(r, name, score);
    if (r->csv)
        csv_row(r, name, width, height, score);
    if (r->json) {
        fputs(r->rows ? ",\n  {\"name\": " : "\n  {\"name\": ", r->json);
        json_print(r->json, name);
        fprintf(r->json, ", \"width\": %d, \"height\": %d, ", width, height);
        json_scores(r, score);
    }
    r->rows++;
    if (ferror(stdout))
        return DAIN_EIO;
    if (r->csv && ferror(r->csv))
        return report_error(report, DAIN_EIO, "%s: cannot be written", r->csv_path);
    if (r->json && ferror(r->json))
        return report_error(report, DAIN_EIO, "%s: cannot be written", r->json_path);
    return DAIN_OK;
}

int eval_report_end(EvalReport *r, Report *report)
{
    Metrics mean[EVAL_MAX_METHODS];
    char title[32];
    int ret = DAIN_OK;
    for (int i = 0; i < r->columns; i++)
        mean[i] = metrics_mean_get(&r->column[i].mean);
    snprintf(title, sizeof(title), "mean of %d", r->rows);
    table_row(r, title, mean);
    if (r->csv) {
        csv_row(r, "mean", 0, 0, mean);
        ret = ret ? ret : outfile_finish_text(&r->csv, &r->csv_file, r->csv_path, report);
    }
    if (r->json) {
        fprintf(r->json, "],\n \"mean\": {\"count\": %d, ", r->rows);
        json_scores(r, mean);
        fputs("}\n", r->json);
        ret = ret ? ret : outfile_finish_text(&r->json, &r->json_file, r->json_path, report);
    }
    return ret;
}

void eval_report_close(EvalReport *r)
{
    outfile_close_text(&r->csv, &r->csv_file);
    outfile_close_text(&r->json, &r->json_file);
}
