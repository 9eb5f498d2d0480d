/* What the options of `interpolate` about time mean together. */
#include "tool/interpolate.h"

bool interpolate_slow(const InterpolateOptions *o)
{
    return o->slowmo.points || o->slowmo.factor.num;
}

const char *interpolate_wrong_time(const InterpolateOptions *o)
{
    Ratio factor;
    if ((o->factor.num != 0) + (o->rate.num != 0) + (o->frames != 0) > 1)
        return "--factor, --fps and --frames exclude each other";
    if (o->end >= 0 && o->end <= o->start)
        return "--end must be after --start";
    if (o->slowmo_audio && !interpolate_slow(o))
        return "--slowmo-audio needs --slowmo";
    if (o->slowmo_audio && o->no_streams)
        return "--slowmo-audio and --no-streams exclude each other";
    if (o->slowmo.points && (o->vfr || o->frames))
        return "a --slowmo that changes has one frame rate (--fps or --factor), not --vfr or "
               "--frames";
    if (o->vfr && (o->frames || (!o->rate.num && (o->factor.den > 1 || o->slowmo.factor.den > 1))))
        return "--vfr keeps every frame of the source and needs a whole --factor or --slowmo, or "
               "--fps";
    if (o->scenes && o->no_scene)
        return "--scenes and --no-scene exclude each other";
    if (o->scene_list && o->no_scene)
        return "--scene-list and --no-scene exclude each other";
    if (o->factor.num && o->slowmo.factor.num &&
        !ratio_multiply(o->factor, o->slowmo.factor, &factor))
        return "--factor and --slowmo together are out of range";
    return NULL;
}

void interpolate_set_time(const InterpolateOptions *o, PipelineSettings *s)
{
    const bool slow = interpolate_slow(o);
    s->mode = !o->rate.num ? TIMELINE_FACTOR : o->vfr ? TIMELINE_FILL : TIMELINE_RATE;
    s->variable = o->vfr;
    s->out_rate = o->rate;
    s->pace = o->slowmo;
    /* Slow motion at the source's rate needs as many frames for each of the source as it is slower. */
    s->factor = o->factor.num ? o->factor : (Ratio){ slow ? 1 : 2, 1 };
    ratio_multiply(s->factor, pace_factor(&o->slowmo), &s->factor);
    s->source.part = (Part){ o->start, o->end > 0 ? o->end : 0 };
    s->output.stretch_sound = o->slowmo_audio;
}
