/* A chain of libavfilter's filters. */
#include "media/filters.h"

static int connect_ends(Filters *f, const char *text)
{
    AVFilterInOut *in = avfilter_inout_alloc(), *out = avfilter_inout_alloc();
    int r = in && out ? 0 : AVERROR(ENOMEM);
    if (r >= 0) {
        *in = (AVFilterInOut){ av_strdup("out"), f->sink, 0, NULL };
        *out = (AVFilterInOut){ av_strdup("in"), f->source, 0, NULL };
        r = avfilter_graph_parse_ptr(f->graph, text, &in, &out, NULL);
    }
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    return r < 0 ? r : avfilter_graph_config(f->graph, NULL);
}

int filters_open(Filters *f, enum AVMediaType type, const char *in, const char *text, int threads)
{
    const bool sound = type == AVMEDIA_TYPE_AUDIO;
    filters_close(f);
    f->graph = avfilter_graph_alloc();
    if (!f->graph)
        return AVERROR(ENOMEM);
    f->graph->nb_threads = threads;
    int r = avfilter_graph_create_filter(
        &f->source, avfilter_get_by_name(sound ? "abuffer" : "buffer"), "in", in, NULL, f->graph);
    if (r >= 0)
        r = avfilter_graph_create_filter(&f->sink,
                                         avfilter_get_by_name(sound ? "abuffersink" : "buffersink"),
                                         "out", NULL, NULL, f->graph);
    if (r >= 0)
        r = connect_ends(f, text);
    if (r < 0)
        filters_close(f);
    return r;
}

void filters_close(Filters *f)
{
    avfilter_graph_free(&f->graph);
    *f = (Filters){ 0 };
}
