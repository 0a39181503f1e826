/* crc32c.c: CRC-32C, polynomial 0x1EDC6F41 reflected. Two 16-entry tables (one per nibble) keep it small,
 * constant and free of start-up code; model files are kilobytes, so 300 MB/s is plenty. */
#include "io/crc32c.h"

/* nibble[i]: the register after shifting out the four bits i. */
static const uint32_t nibble[16] = {0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
                                    0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
                                    0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u};

uint32_t ctw_io__crc32c(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return ~crc;
}
