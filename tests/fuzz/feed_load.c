/* feed_load.c: any bytes as a file of each layout; the first byte chooses it. */
#define _GNU_SOURCE /* memfd_create */
#include <cybertwin/cybertwin.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    ctw_ctx *ctx = NULL;
    ctw_feed *feed = NULL;
    char path[64];
    if (!size) return 0;
    if (fd < 0) fd = memfd_create("feed", 0);
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)(size - 1)) return 0;
    (void)lseek(fd, 0, SEEK_SET);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (ctw_ctx_new(NULL, NULL, &ctx) != CTW_OK) return 0;
    if (data[0] % 7 == 6) {
        if (ctw_feed_new(ctx, 3600, &feed) == CTW_OK) (void)ctw_feed_load_weather(feed, path);
    } else {
        (void)ctw_feed_load(ctx, path, data[0] % 7, NULL, CTW_FACTORS_LIFECYCLE, &feed);
    }
    ctw_feed_unref(feed);
    ctw_ctx_unref(ctx);
    return 0;
}
