/* What the processor and the operating system can do. */
#ifndef DAIN_BASE_CPU_H
#define DAIN_BASE_CPU_H

/* Bundles: a flag is set only if all of it is there and the operating system saves the registers.
 */
enum {
    CPU_AVX2 = 1 << 0,       /* AVX2 + FMA + F16C */
    CPU_AVX512 = 1 << 1,     /* AVX-512 F, BW, DQ, VL; implies CPU_AVX2 */
    CPU_AVX512VNNI = 1 << 2, /* 8-bit dot products */
    CPU_AVX512BF16 = 1 << 3, /* bfloat16 dot products */
    CPU_AVXVNNI = 1 << 4,    /* 8-bit dot products on 256 bits */
    CPU_NEON = 1 << 8,
    CPU_DOTPROD = 1 << 9,
    CPU_FP16 = 1 << 10,
    CPU_BF16 = 1 << 11,
    CPU_I8MM = 1 << 12
};

/* Flags of this machine, capped by DAIN_CPU= (c, avx2, avx512, avx512vnni, avx512bf16, neon,
 * dotprod, ...: the named level and everything below it). An unknown name is ignored. */
unsigned cpu_flags(void);
/* A sentence about DAIN_CPU= if it is, in buf, else NULL. */
const char *cpu_flags_ignored(char *buf, unsigned size);
/* Flags of this machine, uncapped. */
unsigned cpu_flags_detect(void);
/* The cap that a level name stands for: all flags up to it; 0 with *ok = 0 for an unknown name. */
unsigned cpu_flags_cap(const char *level, int *ok);
/* Names of the flags joined by '+', "c" for none; static storage per distinct text is not needed:
 * writes to buf. */
const char *cpu_flags_name(unsigned flags, char *buf, unsigned size);
/* Processors this process may run on (affinity respected), at least 1. */
int cpu_count(void);

#endif
