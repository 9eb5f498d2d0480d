/* Exact fractions of 64-bit integers: frame rates, time bases, factors. */
#include "media/ratio.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int64_t int_gcd(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

bool int_lcm(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a / int_gcd(a, b), b, out);
}

Ratio ratio(int64_t num, int64_t den)
{
    if (den < 0) {
        num = -num;
        den = -den;
    }
    const int64_t common = int_gcd(num < 0 ? -num : num, den);
    return (Ratio){ num / common, den / common };
}

bool ratio_multiply(Ratio a, Ratio b, Ratio *out)
{
    /* Crossways reduction first, so that only results that really do not fit are refused. */
    const Ratio ab = ratio(a.num, b.den), ba = ratio(b.num, a.den);
    Ratio product;
    if (__builtin_mul_overflow(ab.num, ba.num, &product.num) ||
        __builtin_mul_overflow(ab.den, ba.den, &product.den))
        return false;
    *out = product;
    return true;
}

int ratio_compare(Ratio a, Ratio b)
{
    const __int128 left = (__int128)a.num * b.den, right = (__int128)b.num * a.den;
    return (left > right) - (left < right);
}

double ratio_double(Ratio a)
{
    return (double)a.num / (double)a.den;
}

int64_t ratio_rescale(int64_t value, Ratio from, Ratio to)
{
    /* Units as a fraction in lowest terms first; its whole part and its rest apart, so that nothing
     * needs more than 128 bits. */
    const Ratio ab = ratio(from.num, to.num), ba = ratio(to.den, from.den);
    const __int128 num = (__int128)ab.num * ba.num, den = (__int128)ab.den * ba.den;
    const __int128 magnitude = value < 0 ? -(__int128)value : value;
    const __int128 whole = num / den, rest = num % den;
    if (whole > INT64_MAX || (whole && magnitude > INT64_MAX / whole))
        return value < 0 ? INT64_MIN : INT64_MAX;
    /* rest * magnitude / den, den scaled down where the product would not fit */
    int shift = 0;
    while ((rest >> shift) > ((__int128)1 << 62))
        shift++;
    const __int128 small = den >> shift, part = (rest >> shift) * magnitude;
    const __int128 sum = whole * magnitude + (part + small / 2) / small;
    if (sum > INT64_MAX)
        return value < 0 ? INT64_MIN : INT64_MAX;
    return value < 0 ? -(int64_t)sum : (int64_t)sum;
}

enum { TERM_LIMIT = 1000000000 };

/* Digits at *p as a number up to TERM_LIMIT; counts them. */
static bool parse_digits(const char **p, int64_t *value, int *digits)
{
    *digits = 0;
    for (; **p >= '0' && **p <= '9'; ++*p, ++*digits) {
        *value = *value * 10 + (**p - '0');
        if (*value > TERM_LIMIT)
            return false;
    }
    return true;
}

bool ratio_parse(const char *text, Ratio *out)
{
    static const struct {
        const char *text;
        Ratio rate;
    } ntsc[] = { { "23.976", { 24000, 1001 } }, { "23.98", { 24000, 1001 } },
                 { "29.97", { 30000, 1001 } },  { "47.952", { 48000, 1001 } },
                 { "47.95", { 48000, 1001 } },  { "59.94", { 60000, 1001 } },
                 { "59.940", { 60000, 1001 } }, { "119.88", { 120000, 1001 } } };
    for (unsigned i = 0; i < sizeof ntsc / sizeof *ntsc; i++)
        if (!strcmp(text, ntsc[i].text)) {
            *out = ntsc[i].rate;
            return true;
        }

    const char *p = text;
    int64_t num = 0, den = 1;
    int whole, digits = 0;
    if (!parse_digits(&p, &num, &whole))
        return false;
    if (*p == '.') {
        p++;
        if (!parse_digits(&p, &num, &digits) || digits > 9)
            return false;
        for (int i = 0; i < digits; i++)
            den *= 10;
    } else if (*p == '/' || *p == ':') {
        p++;
        den = 0;
        if (!whole || !parse_digits(&p, &den, &digits) || !digits)
            return false;
    }
    if (*p || whole + digits == 0 || num == 0 || den == 0)
        return false;
    *out = ratio(num, den);
    return true;
}

bool ratio_parse_rate(const char *text, Ratio *out)
{
    static const struct {
        const char *name;
        Ratio rate;
    } names[] = { { "ntsc", { 30000, 1001 } },
                  { "ntsc-film", { 24000, 1001 } },
                  { "pal", { 25, 1 } },
                  { "film", { 24, 1 } } };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(text, names[i].name)) {
            *out = names[i].rate;
            return true;
        }
    return ratio_parse(text, out);
}

char *ratio_text(Ratio a, char *buf, unsigned size)
{
    if (a.den == 1)
        snprintf(buf, size, "%" PRId64, a.num);
    else
        snprintf(buf, size, "%" PRId64 "/%" PRId64, a.num, a.den);
    return buf;
}
