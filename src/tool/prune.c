/* dain prune MODEL -o OUT: a smaller model, without the channels that matter least. */
#include "engine/models.h"
#include "model/prune.h"
#include "tool/common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const Command command_prune;

typedef struct PruneValues {
    CommonOptions common; /* only the model and what is said about messages */
    const char *output, *importance, *target;
    TextList only;
    double ratio, most;
    int multiple;
    bool dry_run, compared, zeros, overwrite;
} PruneValues;

#define AT(member) offsetof(PruneValues, member)

static const Option options[] = {
    { 'o', "output", OPTION_TEXT, AT(output), "FILE", "the model to write, a .safetensors file", 0,
      0 },
    { 0, "ratio", OPTION_REAL, AT(ratio), "R",
      "share of its channels that every layer loses, between 0 and 1", 0, 1 },
    { 0, "target-macs", OPTION_TEXT, AT(target), "N",
      "instead: multiply-adds a pixel to come to, like 14k; layers lose what matters least for "
      "what it saves",
      0, 0 },
    { 0, "most", OPTION_REAL, AT(most), "R",
      "with --target-macs: largest share that a layer may lose [0.5]", 0, 0.99 },
    { 0, "importance", OPTION_TEXT, AT(importance), "NAME",
      "how channels are ranked: l1, l2, or bn, the scale of batch norms [l1]", 0, 0 },
    { 0, "multiple", OPTION_INT, AT(multiple), "N",
      "layers keep a multiple of N channels; processors compute 8 or 16 at a time [16]", 1, 64 },
    { 0, "only", OPTION_LIST, AT(only), "NAME", "only layers whose names begin so; may be repeated",
      0, 0 },
    { 0, "compared", OPTION_FLAG, AT(compared), NULL,
      "also features that edge's correlations compare; without training, results then differ "
      "more, because these are normalised over their channels",
      0, 0 },
    { 'n', "dry-run", OPTION_FLAG, AT(dry_run), NULL, "print what would go, write nothing", 0, 0 },
    { 0, "zeros", OPTION_FLAG, AT(zeros), NULL,
      "keep the shape and write zeros: computes the same, for comparison", 0, 0 },
    { 'y', "overwrite", OPTION_FLAG, AT(overwrite), NULL, "replace the output file if it exists", 0,
      0 },
    { 'q', "quiet", OPTION_FLAG, AT(common.quiet), NULL, "no table, only errors", 0, 0 },
    { 'v', "verbose", OPTION_COUNT_UP, AT(common.verbose), NULL, "say more", 0, 0 },
};

static const PruneValues defaults = {
    .ratio = -1, .most = 0.5, .importance = "l1", .multiple = 16
};

static int find_importance(const char *name, PruneImportance *importance)
{
    static const char *const names[] = { [PRUNE_L1] = "l1", [PRUNE_L2] = "l2", [PRUNE_BN] = "bn" };
    for (int i = 0; i < OPTION_COUNT(names); i++)
        if (!strcmp(name, names[i])) {
            *importance = (PruneImportance)i;
            return 1;
        }
    return 0;
}

/* "14k", "14000", "1.2M"; 0 for what is no such number. */
static double parse_count(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text)
        return 0;
    if (*end == 'k' || *end == 'K')
        value *= 1e3, end++;
    else if (*end == 'M')
        value *= 1e6, end++;
    return *end || !(value > 0 && value < 1e12) ? 0 : value;
}

static void print_table(const Pruner *p)
{
    printf("%-34s %8s %8s %8s %10s %10s\n", "layer", "channels", "left", "gone", "MAC/px", "left");
    for (int i = 0; i < prune_layer_count(p); i++) {
        const PruneLayer *l = prune_layer(p, i);
        printf("%-34s %8d %8d %8d %10.0f %10.0f\n", l->name, l->channels, l->kept,
               l->channels - l->kept, l->old_macs, l->macs);
    }
    const double before = prune_macs_before(p), after = prune_macs(p);
    printf("\n%.2f -> %.2f kMAC a pixel (%.0f %% saved), %" PRId64 " -> %" PRId64
           " weights (%.0f %% saved)\n",
           before / 1e3, after / 1e3, 100 * (1 - after / before), prune_parameters_before(p),
           prune_parameters(p),
           100 * (1 - (double)prune_parameters(p) / (double)prune_parameters_before(p)));
}

static int work(const PruneValues *v, const PruneOptions *o, Report *report)
{
    Pruner *p;
    char path[4096];
    const char *found = models_find(v->common.model, path, sizeof path);
    int error = prune_open(&p, found ? found : v->common.model, o->compared, report);
    if (!error)
        error = prune_choose(p, o);
    if (!error && !v->common.quiet)
        print_table(p);
    if (!error && !v->dry_run)
        error = prune_write(p, v->output, v->zeros);
    prune_close(&p);
    return error;
}

static int run(const void *values, int count, char **operands)
{
    PruneValues v = *(const PruneValues *)values;
    PruneOptions o = { .ratio = v.ratio,
                       .most = v.most,
                       .multiple = v.multiple,
                       .compared = v.compared,
                       .only = v.only.text };
    Report report;
    messages_start(&report, &v.common);
    if (count != 1)
        return count ? options_wrong(&command_prune, "one model at a time: %s", operands[1])
                     : options_wrong(&command_prune, "no model");
    v.common.model = model_named(operands[0]);
    if (!v.output && !v.dry_run)
        return options_wrong(&command_prune, "-o FILE is missing (or --dry-run)");
    if (!find_importance(v.importance, &o.importance))
        return options_wrong(&command_prune, "--importance is l1, l2 or bn, not %s", v.importance);
    if ((v.ratio >= 0) == (v.target != NULL))
        return options_wrong(&command_prune, "one of --ratio and --target-macs is needed");
    if (v.target && !(o.target = parse_count(v.target)))
        return options_wrong(&command_prune, "--target-macs is a number like 14k, not %s",
                             v.target);
    if (!v.target && (v.ratio <= 0 || v.ratio >= 1)) {
        report_error(&report, DAIN_EINVAL, "--ratio must lie between 0 and 1, not be %g: %s",
                     v.ratio, v.ratio > 0 ? "nothing would be left" : "nothing would go");
        return EXIT_FAILED;
    }
    if (!v.dry_run && !v.overwrite && access(v.output, F_OK) == 0) {
        report_error(&report, DAIN_EIO, "%s exists; -y replaces it", v.output);
        return EXIT_FAILED;
    }
    return work(&v, &o, &report) ? EXIT_FAILED : EXIT_DONE;
}

const Command command_prune = {
    "prune",
    "make a smaller, faster model without the channels that matter least",
    "MODEL -o OUT (--ratio R | --target-macs N)",
    "Follows every channel of the network to all that reads it or is added to it, ranks channels "
    "by "
    "the weights around them, and writes a model without the least important ones. --dry-run "
    "prints "
    "what would go and what that saves.\n\nThe pruned network is worse until it is trained on: "
    "training/ takes it as it is. What was calibrated for 8 bits is left out; `dain quantize` "
    "calibrates anew.",
    options,
    OPTION_COUNT(options),
    sizeof(PruneValues),
    &defaults,
    run,
};
