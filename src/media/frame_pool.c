/* Frames of planes whose memory is used again. */
#include "media/frame_pool.h"

#include <libavutil/imgutils.h>
#include <string.h>

enum { ALIGN = 64 }; /* bytes; what the widest vectors want */

void frame_pool_free(FramePool *p)
{
    av_buffer_pool_uninit(&p->pool);
    memset(p, 0, sizeof *p);
}

static bool fits(const FramePool *p, enum AVPixelFormat format, int width, int height)
{
    return p->pool && p->format == format && p->width == width && p->height == height;
}

static bool set_up(FramePool *p, enum AVPixelFormat format, int width, int height)
{
    ptrdiff_t lines[4];
    frame_pool_free(p);
    if (av_image_fill_linesizes(p->linesize, format, width) < 0)
        return false;
    for (int i = 0; i < 4; i++)
        lines[i] = p->linesize[i] = FFALIGN(p->linesize[i], ALIGN);
    if (av_image_fill_plane_sizes(p->plane_size, format, height, lines) < 0)
        return false;
    size_t size = ALIGN;
    for (int i = 0; i < 4; i++)
        size += p->plane_size[i] = FFALIGN(p->plane_size[i], ALIGN);
    p->pool = av_buffer_pool_init(size, av_buffer_alloc);
    p->format = format;
    p->width = width;
    p->height = height;
    return p->pool;
}

AVFrame *frame_pool_get(FramePool *p, enum AVPixelFormat format, int width, int height)
{
    if (!fits(p, format, width, height) && !set_up(p, format, width, height))
        return NULL;
    AVFrame *f = av_frame_alloc();
    if (f)
        f->buf[0] = av_buffer_pool_get(p->pool);
    if (!f || !f->buf[0]) {
        av_frame_free(&f);
        return NULL;
    }
    f->format = format;
    f->width = width;
    f->height = height;
    uint8_t *data = (uint8_t *)FFALIGN((uintptr_t)f->buf[0]->data, ALIGN);
    for (int i = 0; i < 4; data += p->plane_size[i++]) {
        f->data[i] = p->plane_size[i] ? data : NULL;
        f->linesize[i] = p->linesize[i];
    }
    f->extended_data = f->data;
    return f;
}
