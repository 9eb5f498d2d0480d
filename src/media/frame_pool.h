/* Frames of planes whose memory is used again: large blocks that come and go would be cleared by the
 * system every time, and leave holes between them. */
#ifndef DAIN_MEDIA_FRAME_POOL_H
#define DAIN_MEDIA_FRAME_POOL_H

#include "media/libav.h"

/* Zero-initialised is ready. Frames may be freed in any thread, and after the pool; frame_pool_get() is
 * for one thread at a time. */
typedef struct FramePool {
    AVBufferPool *pool;
    enum AVPixelFormat format;
    int width, height, linesize[4];
    size_t plane_size[4];
} FramePool;

/* A new frame with buffers, its samples anything. The memory of frames of another format or size goes.
 * NULL if there is no memory. */
AVFrame *frame_pool_get(FramePool *pool, enum AVPixelFormat format, int width, int height);
void frame_pool_free(FramePool *pool);

#endif
