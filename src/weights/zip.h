/* Zip archives as PyTorch writes them: stored members only, found through the central directory. */
#ifndef DAIN_WEIGHTS_ZIP_H
#define DAIN_WEIGHTS_ZIP_H

#include "base/log.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A member; name is not terminated, data lies in the archive. */
typedef struct ZipMember {
    const char *name;
    size_t name_size;
    const unsigned char *data;
    size_t size;
    uint32_t crc;
} ZipMember;

/* True if the bytes begin like an archive. */
static inline int zip_is(const void *data, size_t size)
{
    return size >= 4 && !memcmp(data, "PK\3\4", 4);
}

/*
 * Lists the members, sorted by name; *members is for mem_free(). name is used in messages.
 * Compressed, encrypted and overlapping members, archives in several parts and members that lie
 * outside the archive are refused, so that nothing grows by being read. Zip64 is understood.
 * Errors: DAIN_EFORMAT, DAIN_EUNSUPPORTED, DAIN_ENOMEM.
 */
int zip_list(ZipMember **members, int *count, const void *data, size_t size, const char *name,
             Report *report);
/* NULL if there is none of that name. */
const ZipMember *zip_find(const ZipMember *members, int count, const char *name, size_t name_size);
/* CRC-32 of the bytes, continued from crc (0 to begin with). */
uint32_t zip_crc32(uint32_t crc, const void *data, size_t size);

#endif
