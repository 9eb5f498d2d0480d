/*
 * The sizes of tiles of the AVX-512 low-precision convolutions, and how a row is cut into them.
 *
 * The including file defines, before: TILE(P, L), a function that sums P pixels times L vectors of
 * 16 outputs, TILE_HALF(P), one for 17 to 24 outputs that leaves them as TILE(P, 2) does, and Call
 * and Sum, the types of their arguments.
 */
#ifndef DAIN_KERNELS_X86_QUANT_TILES_AVX512_H
#define DAIN_KERNELS_X86_QUANT_TILES_AVX512_H

TILE(24, 1)
TILE(20, 1)
TILE(16, 1)
TILE(12, 1)
TILE(8, 1)
TILE(6, 1)
TILE(4, 1)
TILE(3, 1)
TILE(2, 1)
TILE(1, 1)
TILE(12, 2)
TILE(10, 2)
TILE(8, 2)
TILE(6, 2)
TILE(4, 2)
TILE(3, 2)
TILE(2, 2)
TILE(1, 2)
TILE_HALF(16)
TILE_HALF(12)
TILE_HALF(8)
TILE_HALF(6)
TILE_HALF(4)
TILE_HALF(2)
TILE(8, 3)
TILE(6, 3)
TILE(4, 3)
TILE(3, 3)
TILE(2, 3)
TILE(1, 3)
TILE(6, 4)
TILE(5, 4)
TILE(4, 4)
TILE(3, 4)
TILE(2, 4)
TILE(1, 4)

typedef struct TileSize {
    int pixels;
    void (*run)(const Call *c, const char *in, int o, Sum *sum);
} TileSize;

/* The half vectors; widest first. */
static const TileSize half_tiles[] = { { 16, tile_half_16 }, { 12, tile_half_12 },
                                       { 8, tile_half_8 },   { 6, tile_half_6 },
                                       { 4, tile_half_4 },   { 2, tile_half_2 },
                                       { 1, tile_1x2 } };

/* By vectors of outputs; widest first. */
static const TileSize tiles[4][10] = {
    { { 24, tile_24x1 },
      { 20, tile_20x1 },
      { 16, tile_16x1 },
      { 12, tile_12x1 },
      { 8, tile_8x1 },
      { 6, tile_6x1 },
      { 4, tile_4x1 },
      { 3, tile_3x1 },
      { 2, tile_2x1 },
      { 1, tile_1x1 } },
    { { 12, tile_12x2 },
      { 10, tile_10x2 },
      { 8, tile_8x2 },
      { 6, tile_6x2 },
      { 4, tile_4x2 },
      { 3, tile_3x2 },
      { 2, tile_2x2 },
      { 1, tile_1x2 } },
    { { 8, tile_8x3 },
      { 6, tile_6x3 },
      { 4, tile_4x3 },
      { 3, tile_3x3 },
      { 2, tile_2x3 },
      { 1, tile_1x3 } },
    { { 6, tile_6x4 },
      { 5, tile_5x4 },
      { 4, tile_4x4 },
      { 3, tile_3x4 },
      { 2, tile_2x4 },
      { 1, tile_1x4 } },
};

/* The next tile of a row of which left pixels are to do: the widest, unless that leaves a rest too
 * narrow to keep the multipliers busy; then about half. */
static const TileSize *tile_next(const TileSize *sizes, int left)
{
    const int widest = sizes->pixels;
    const int wanted = left > widest && left < widest + widest / 2 ? (left + 1) / 2 : left;

    while (sizes->pixels > wanted)
        sizes++;
    return sizes;
}

/* Tiles for a number of outputs and the vectors they make. */
static const TileSize *tiles_for(int vectors, int lanes)
{
    return vectors == 2 && lanes <= 24 ? half_tiles : tiles[vectors - 1];
}

/* Vectors of outputs of the next tile when blocks of 16 are to do. */
static int vectors_next(int blocks)
{
    return blocks <= 4 ? blocks : blocks <= 6 ? 3 : 4;
}

#endif
