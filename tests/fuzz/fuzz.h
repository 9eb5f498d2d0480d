/* The entry that the fuzzer and the replay driver call. It returns 0 and stops the program if what
 * the library says about the bytes cannot be true. */
#ifndef DAIN_TESTS_FUZZ_H
#define DAIN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
