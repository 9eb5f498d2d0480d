/* DAIN's operators on the caller's arrays: argument checks, layout, and the kernels. */
#include "dain/ops.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "kernels/kernels.h"

#include <pthread.h>
#include <string.h>

enum {
    OPS_MAX_SIZE = 32768,
    OPS_MAX_CHANNELS = 1 << 20,
    OPS_SLACK = 16, /* floats after the last one that a kernel may read */
    OPS_BAND = 16   /* rows computed at a time when the result must be scattered */
};

static Kernels kernels;
static pthread_once_t kernels_once = PTHREAD_ONCE_INIT;

static void load_kernels(void)
{
    kernels_init(&kernels, cpu_flags());
}

static int valid(const DainArray *a)
{
    return a && a->data && a->width >= 1 && a->height >= 1 && a->width <= OPS_MAX_SIZE &&
           a->height <= OPS_MAX_SIZE && a->channels >= 1 && a->channels <= OPS_MAX_CHANNELS;
}

/* channels 0: any */
static int valid_input(const DainArray *a, int width, int height, int channels)
{
    return valid(a) && a->width == width && a->height == height &&
           (channels == 0 || a->channels == channels);
}

static int valid_output(const DainArray *a, int width, int height, int channels)
{
    return valid_input(a, width, height, channels) && (a->stride_x != 0 || a->width == 1) &&
           (a->stride_y != 0 || a->height == 1) && (a->stride_c != 0 || a->channels == 1);
}

/* A kernel's view of an array, in place or in memory of our own. */
typedef struct Operand {
    View view;
    float *memory; /* NULL: in place */
} Operand;

static int operand_alloc(Operand *o, int width, int height, int channels, int halo)
{
    const size_t row = (size_t)(width + 2 * halo) * (size_t)channels;
    const size_t rows = (size_t)(height + 2 * halo);
    /* At most 2^16 * 2^20 * 2^16 * 4: no overflow, and mem_calloc refuses what is absurd. */
    o->memory = mem_calloc(row * rows + OPS_SLACK, sizeof(float));
    if (!o->memory)
        return DAIN_ENOMEM;
    o->view.data = o->memory + (size_t)halo * (row + (size_t)channels);
    o->view.row = (ptrdiff_t)row;
    o->view.px = channels;
    o->view.w = width;
    o->view.h = height;
    o->view.c = channels;
    return DAIN_OK;
}

/* Copies rows y0 .. y1-1 into (in = 1) or out of (in = 0) a view of adjacent channels. */
static void copy_rows(const View *v, const DainArray *a, int y0, int y1, int in)
{
    for (int y = y0; y < y1; y++) {
        for (int c = 0; c < v->c; c++) {
            float *p = view_at(v, y, 0) + c;
            float *q = a->data + c * a->stride_c + y * a->stride_y;
            if (in)
                for (int x = 0; x < v->w; x++, p += v->px, q += a->stride_x)
                    *p = *q;
            else
                for (int x = 0; x < v->w; x++, p += v->px, q += a->stride_x)
                    *q = *p;
        }
    }
}

static int operand_in(Operand *o, const DainArray *a, int halo)
{
    memset(o, 0, sizeof(*o));
    if (halo == 0 && (a->stride_c == 1 || a->channels == 1)) {
        o->view = (View){ a->data, a->stride_y, a->stride_x, a->width, a->height, a->channels };
        return DAIN_OK;
    }
    const int error = operand_alloc(o, a->width, a->height, a->channels, halo);
    if (error)
        return error;
    copy_rows(&o->view, a, 0, a->height, 1);
    return DAIN_OK;
}

static void operand_free(Operand *o)
{
    mem_free(o->memory);
    o->memory = NULL;
}

/* Writes rows y0 .. y1-1 of out. */
typedef void (*RowsFn)(const View *out, const void *arg, int y0, int y1);

/* Calls rows for all of out, through a band of our own where channels are not adjacent. */
static int run_rows(const DainArray *out, RowsFn rows, const void *arg)
{
    if (out->stride_c == 1 || out->channels == 1) {
        const View v = { out->data,  out->stride_y, out->stride_x,
                         out->width, out->height,   out->channels };
        rows(&v, arg, 0, out->height);
        return DAIN_OK;
    }
    Operand band;
    const int error = operand_alloc(&band, out->width, OPS_BAND, out->channels, 0);
    if (error)
        return error;
    for (int y0 = 0; y0 < out->height; y0 += OPS_BAND) {
        const int y1 = y0 + OPS_BAND < out->height ? y0 + OPS_BAND : out->height;
        View v = band.view;
        v.h = out->height;
        v.data -= y0 * v.row;
        rows(&v, arg, y0, y1);
        copy_rows(&v, out, y0, y1, 0);
    }
    operand_free(&band);
    return DAIN_OK;
}

typedef struct Inputs {
    Operand a, b, c;
    int radius;
} Inputs;

static void inputs_free(Inputs *in)
{
    operand_free(&in->a);
    operand_free(&in->b);
    operand_free(&in->c);
}

static void correlation_rows(const View *out, const void *arg, int y0, int y1)
{
    const Inputs *in = arg;
    kernels.corr_f32(out, &in->a.view, &in->b.view, in->radius, y0, y1);
}

int dain_correlation(const DainArray *out, const DainArray *a, const DainArray *b, int radius)
{
    if (radius < 0 || radius > 16)
        return DAIN_EINVAL;
    const int span = 2 * radius + 1;
    if (!valid(a) || !valid_input(b, a->width, a->height, a->channels) ||
        !valid_output(out, a->width, a->height, span * span))
        return DAIN_EINVAL;
    pthread_once(&kernels_once, load_kernels);
    Inputs in = { .radius = radius };
    /* Both are copied: the kernel may read past the last channel of a pixel. */
    int error = operand_alloc(&in.a, a->width, a->height, a->channels, 0);
    if (!error)
        error = operand_alloc(&in.b, b->width, b->height, b->channels, radius);
    if (!error) {
        copy_rows(&in.a.view, a, 0, a->height, 1);
        copy_rows(&in.b.view, b, 0, b->height, 1);
        error = run_rows(out, correlation_rows, &in);
    }
    inputs_free(&in);
    return error;
}

static void pwc_warp_rows(const View *out, const void *arg, int y0, int y1)
{
    const Inputs *in = arg;
    kernels.pwc_warp_f32(out, &in->a.view, &in->b.view, 1.0f, y0, y1);
}

static void filter_rows(const View *out, const void *arg, int y0, int y1)
{
    const Inputs *in = arg;
    kernels.filter_interp_f32(out, &in->a.view, &in->b.view, &in->c.view, y0, y1);
}

static void interpolation_rows(const View *out, const void *arg, int y0, int y1)
{
    const Inputs *in = arg;
    kernels.interpolation_f32(out, &in->a.view, &in->b.view, y0, y1);
}

/* A warp of image by flow; kernel may be NULL. */
static int warp(const DainArray *out, const DainArray *image, const DainArray *flow,
                const DainArray *kernel, RowsFn rows)
{
    if (!valid(image) || !valid_input(flow, image->width, image->height, 2) ||
        !valid_output(out, image->width, image->height, image->channels))
        return DAIN_EINVAL;
    pthread_once(&kernels_once, load_kernels);
    Inputs in = { 0 };
    int error = operand_in(&in.a, image, 0);
    if (!error)
        error = operand_in(&in.b, flow, 0);
    if (!error && kernel)
        error = operand_in(&in.c, kernel, 0);
    if (!error)
        error = run_rows(out, rows, &in);
    inputs_free(&in);
    return error;
}

int dain_pwc_warp(const DainArray *out, const DainArray *image, const DainArray *flow)
{
    return warp(out, image, flow, NULL, pwc_warp_rows);
}

int dain_filter_interpolation(const DainArray *out, const DainArray *image, const DainArray *flow,
                              const DainArray *kernel)
{
    if (!valid(image) || !valid_input(kernel, image->width, image->height, 16))
        return DAIN_EINVAL;
    return warp(out, image, flow, kernel, filter_rows);
}

int dain_interpolation_ch(const DainArray *out, const DainArray *image, const DainArray *flow)
{
    return warp(out, image, flow, NULL, interpolation_rows);
}

int dain_interpolation(const DainArray *out, const DainArray *image, const DainArray *flow)
{
    if (!valid(image) || image->channels != 3)
        return DAIN_EINVAL;
    return dain_interpolation_ch(out, image, flow);
}

/* Splat, mean and holes; largest: the variant in which the largest weight wins. */
static int project(const DainArray *out, const DainArray *count, const DainArray *flow,
                   const DainArray *weight, int fill_holes, int largest)
{
    if (!valid(flow) || flow->channels != 2)
        return DAIN_EINVAL;
    const int w = flow->width, h = flow->height;
    if ((weight && !valid_input(weight, w, h, 1)) || !valid_output(out, w, h, 2) ||
        (count && !valid_output(count, w, h, 1)))
        return DAIN_EINVAL;
    pthread_once(&kernels_once, load_kernels);
    Inputs in = { 0 };
    Operand acc = { 0 }, mean = { 0 }, sum = { 0 };
    float *scratch = NULL;
    int error = operand_in(&in.a, flow, 0);
    if (!error && weight)
        error = operand_in(&in.b, weight, 0);
    if (!error)
        error = operand_alloc(&acc, w, h, 4, 0);
    if (!error)
        error = operand_alloc(&mean, w, h, 2, 0);
    if (!error)
        error = operand_alloc(&sum, w, h, 1, 0);
    if (!error && fill_holes) {
        scratch = mem_alloc(fill_holes_scratch(w, h) * sizeof(float));
        error = scratch ? DAIN_OK : DAIN_ENOMEM;
    }
    if (!error) {
        if (largest)
            kernels.flow_splat_min_f32(&acc.view, &in.a.view, &in.b.view);
        else
            kernels.flow_splat_f32(&acc.view, &in.a.view, &in.b.view);
        kernels.flow_mean_f32(&mean.view, &sum.view, &acc.view, !largest, 0, h);
        if (fill_holes)
            kernels.fill_holes_f32(&mean.view, &sum.view, scratch);
        copy_rows(&mean.view, out, 0, h, 0);
        if (count)
            copy_rows(&sum.view, count, 0, h, 0);
    }
    mem_free(scratch);
    operand_free(&sum);
    operand_free(&mean);
    operand_free(&acc);
    inputs_free(&in);
    return error;
}

int dain_flow_projection(const DainArray *out, const DainArray *count, const DainArray *flow,
                         int fill_holes)
{
    return project(out, count, flow, NULL, fill_holes, 0);
}

int dain_depth_flow_projection(const DainArray *out, const DainArray *count, const DainArray *flow,
                               const DainArray *weight, int fill_holes)
{
    return weight ? project(out, count, flow, weight, fill_holes, 0) : DAIN_EINVAL;
}

int dain_min_depth_flow_projection(const DainArray *out, const DainArray *count,
                                   const DainArray *flow, const DainArray *weight, int fill_holes)
{
    return weight ? project(out, count, flow, weight, fill_holes, 1) : DAIN_EINVAL;
}

/* Planes for the separable convolution, in place or copied. */
typedef struct Planes {
    PlanesView view;
    float *memory;
} Planes;

static int planes_alloc(Planes *p, const DainArray *a)
{
    memset(p, 0, sizeof(*p));
    p->view = (PlanesView){ a->data, a->stride_c, a->stride_y, a->width, a->height, a->channels };
    if (a->stride_x == 1 || a->width == 1)
        return DAIN_OK;
    const size_t plane = (size_t)a->width * (size_t)a->height;
    p->memory = mem_calloc(plane, (size_t)a->channels * sizeof(float));
    if (!p->memory)
        return DAIN_ENOMEM;
    p->view.data = p->memory;
    p->view.plane = (ptrdiff_t)plane;
    p->view.row = a->width;
    return DAIN_OK;
}

static void planes_copy(const Planes *p, const DainArray *a, int in)
{
    if (!p->memory)
        return;
    for (int c = 0; c < a->channels; c++) {
        for (int y = 0; y < a->height; y++) {
            float *v = p->view.data + c * p->view.plane + y * p->view.row;
            float *q = a->data + c * a->stride_c + y * a->stride_y;
            if (in)
                for (int x = 0; x < a->width; x++, q += a->stride_x)
                    v[x] = *q;
            else
                for (int x = 0; x < a->width; x++, q += a->stride_x)
                    *q = v[x];
        }
    }
}

/* image NULL: the flow of the kernels. */
static int separable(const DainArray *out, const DainArray *image, const DainArray *vertical,
                     const DainArray *horizontal)
{
    pthread_once(&kernels_once, load_kernels);
    Planes o = { 0 }, i = { 0 }, v = { 0 }, h = { 0 };
    int error = planes_alloc(&o, out);
    if (!error && image)
        error = planes_alloc(&i, image);
    if (!error)
        error = planes_alloc(&v, vertical);
    if (!error)
        error = planes_alloc(&h, horizontal);
    if (!error) {
        planes_copy(&v, vertical, 1);
        planes_copy(&h, horizontal, 1);
        if (image) {
            planes_copy(&i, image, 1);
            kernels.sepconv_f32(&o.view, &i.view, &v.view, &h.view, 0, out->height);
        } else {
            kernels.sepconv_flow_f32(&o.view, &v.view, &h.view, 0, out->height);
        }
        planes_copy(&o, out, 0);
    }
    mem_free(o.memory);
    mem_free(i.memory);
    mem_free(v.memory);
    mem_free(h.memory);
    return error;
}

int dain_separable_conv(const DainArray *out, const DainArray *image, const DainArray *vertical,
                        const DainArray *horizontal)
{
    if (!valid(image) || !valid(vertical) ||
        !valid_input(horizontal, vertical->width, vertical->height, vertical->channels) ||
        !valid_output(out, vertical->width, vertical->height, image->channels) ||
        image->width - vertical->width != vertical->channels - 1 ||
        image->height - vertical->height != vertical->channels - 1)
        return DAIN_EINVAL;
    return separable(out, image, vertical, horizontal);
}

int dain_separable_conv_flow(const DainArray *out, const DainArray *vertical,
                             const DainArray *horizontal)
{
    if (!valid(vertical) ||
        !valid_input(horizontal, vertical->width, vertical->height, vertical->channels) ||
        !valid_output(out, vertical->width, vertical->height, 2))
        return DAIN_EINVAL;
    return separable(out, NULL, vertical, horizontal);
}
