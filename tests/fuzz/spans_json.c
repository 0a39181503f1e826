/* Any bytes as OTLP, Jaeger or Zipkin JSON: refused, or analysed to the end without harm. */
#include "spans_use.h"
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spans_use(ctw_spans_read_json_mem, data, size);
    return 0;
}
