/* crc32c.h: the Castagnoli checksum of the model container (RFC 3720, appendix B.4). */
#ifndef CTW_IO_CRC32C_H
#define CTW_IO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc 0 to start; chain by passing the result. */
uint32_t ctw_io__crc32c(uint32_t crc, const void *data, size_t n);

#endif
