/* A model at one picture size, with the memory it works in. */
#ifndef DAIN_MODEL_SESSION_H
#define DAIN_MODEL_SESSION_H

#include "model/model.h"

typedef struct Session {
    Network network;
    const Kernels *kernels;
    Pool *pool;
    int views; /* in use; the mean of what they give is taken */
    unsigned char *base[MODEL_VIEWS_MOST][SCOPE_COUNT]; /* see Run; the arena is the same one */
    unsigned char
        *ahead[MODEL_VIEWS_MOST]; /* the frame after the pair, where motion may be curved */
    float before, after;          /* of Run, for the pair at hand */
    float *pictures;              /* what each view gives, of several */
    float *scratch;
} Session;

/* Plans the model for pictures of w x h and allocates everything. kernels, pool and report must
 * outlive the session. keep_all: see Network. *session is zeroed on failure. Errors: those of
 * model_network(), DAIN_ENOMEM. */
int session_open(Session *session, Model *model, const Kernels *kernels, Pool *pool, int w, int h,
                 bool keep_all, Report *report);
/* How many frames and pairs a session keeps. */
int session_frames(const Model *model);
int session_pairs(const Model *model);
/* Bytes of the pictures that the views give, of which the mean is taken; one view needs none. */
size_t session_picture_bytes(int views, int w, int h);
/* A zeroed session is allowed. */
void session_close(Session *session);

/*
 * Takes the next frame: the one before becomes the older of the pair (SCOPE_FRAME0), this one the
 * newer (SCOPE_FRAME1). After DAIN_ECANCELED only the frame before is valid, as the newer. cancel
 * may be NULL, here and below.
 */
int session_frame(Session *session, const ImageView *picture, atomic_bool *cancel);
/* The same, where features, depth and luma are those of guide, a picture of the same size, and only
 * what new pictures are composed of comes from picture. */
int session_frame_guided(Session *session, const ImageView *picture, const ImageView *guide,
                         atomic_bool *cancel);
/* What depends on the pair alone. Errors: DAIN_ECANCELED. */
int session_pair(Session *session, atomic_bool *cancel);
/* Of a model whose motion may be curved. The pair at hand, computed, becomes the one before,
 * because the next frame will come: */
void session_keep_pair(Session *session);
/* The frame after the pair, and what depends on the pair of the two. Errors: DAIN_ECANCELED, and
 * then it is not there. */
int session_ahead(Session *session, const ImageView *picture, const ImageView *guide,
                  atomic_bool *cancel);
/* That frame becomes the newer one; the pair at hand becomes the one before. */
void session_advance(Session *session);
/* The picture at num/den, 0 < num < den, after session_pair(). Errors: DAIN_ECANCELED. */
int session_time(Session *session, int64_t num, int64_t den, const ImageView *out,
                 atomic_bool *cancel);
/* One of the two frames as it was given. */
void session_store_frame(const Session *session, Scope frame, const ImageView *out);

/* The memory of a tensor. */
View session_view(const Session *session, DainRate rate, int tensor);

#endif
