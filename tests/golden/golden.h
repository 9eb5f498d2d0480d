/* Reading golden data and comparing with it. */
#ifndef DAIN_TESTS_GOLDEN_H
#define DAIN_TESTS_GOLDEN_H

#include "kernels/kernels.h"
#include "weights/safetensors.h"

/* A feature map of its own memory, with a halo. */
typedef struct Map {
    View view;
    float *memory;
} Map;

/* Zeroed map; exits the program when there is no memory. */
Map map_new(int h, int w, int c, int halo);
/* The golden tensor NAME (N,C,H,W with N = 1, float or half) in a map; missing tensors end the program. */
Map map_load(const WeightFile *file, const char *name, int halo);
void map_free(Map *map);
/* Copies the border pixels into the halo. */
void map_replicate(const Map *map, int halo);

const WeightTensor *golden_tensor(const WeightFile *file, const char *name);
/* The single number in a golden tensor. */
float golden_number(const WeightFile *file, const char *name);

/*
 * Compares channels first .. of a view with a golden tensor: |got - want| <= absolute + relative * |want|;
 * half-precision tensors may differ by their own rounding besides. Prints a line with the largest
 * difference, counts a failure. Returns 1 if all is within the limits.
 */
int golden_compare(const char *what, const View *got, int first, const WeightFile *file,
                   const char *name, double absolute, double relative);

/* Counts, and the closing line "N passed, N failed"; the exit status. */
void golden_count(int ok);
int golden_finish(void);

/* Kernel tables of every instruction set this machine has. */
typedef struct Isa {
    const char *name;
    unsigned flags;
} Isa;
enum { MAX_ISAS = 4 };
int golden_isas(Isa isas[MAX_ISAS]);

#endif
