/* Exact fractions of 64-bit integers: frame rates, time bases, factors. */
#ifndef DAIN_MEDIA_RATIO_H
#define DAIN_MEDIA_RATIO_H

#include <stdbool.h>
#include <stdint.h>

/* num / den in lowest terms, den > 0. {0, 1} often stands for "unknown". */
typedef struct Ratio {
    int64_t num, den;
} Ratio;

/* num / den in lowest terms with a positive denominator. den != 0, neither INT64_MIN. */
Ratio ratio(int64_t num, int64_t den);
/* a * b; false (and *out untouched) if it does not fit into 64 bits. */
bool ratio_multiply(Ratio a, Ratio b, Ratio *out);
/* -1, 0, 1 as a < b, a == b, a > b. */
int ratio_compare(Ratio a, Ratio b);
double ratio_double(Ratio a);
/* value in units of `from` as the nearest number of units of `to`; the ends of int64_t where it is beyond. */
int64_t ratio_rescale(int64_t value, Ratio from, Ratio to);

/* Greatest common divisor of two non-negative numbers, 0 only for (0, 0). */
int64_t int_gcd(int64_t a, int64_t b);
/* Least common multiple of two positive numbers; false if it does not fit. */
bool int_lcm(int64_t a, int64_t b, int64_t *out);

/*
 * Reads a positive number: "2", "5/2", "2.5", "60000/1001". Decimals are exact (2.5 = 5/2), except
 * that the usual short forms of NTSC rates (23.976, 23.98, 29.97, 47.952, 59.94, 119.88) mean
 * n * 1000/1001. False if it is anything else, or a term is above 10^9.
 */
bool ratio_parse(const char *text, Ratio *out);
/* The same, and rate names: ntsc = 30000/1001, ntsc-film = 24000/1001, pal = 25, film = 24. */
bool ratio_parse_rate(const char *text, Ratio *out);
/* "24000/1001", or "25" if whole. Returns buf. */
char *ratio_text(Ratio a, char *buf, unsigned size);

#endif
