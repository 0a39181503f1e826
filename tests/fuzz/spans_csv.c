/* Any bytes as a CSV of spans: refused, or analysed to the end without harm. */
#include "spans_use.h"
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spans_use(ctw_spans_read_csv_mem, data, size);
    return 0;
}
