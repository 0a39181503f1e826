/* ids.h: trace and span ids as files write them: hexadecimal of any length, base64 (protobuf's JSON), or any text. */
#ifndef CTW_RCA_IDS_H
#define CTW_RCA_IDS_H

#include "rca/idmap.h"

/* 128 bits that stand for the text; equal texts (up to case and leading zeros of hexadecimal) give equal ids. */
ctw_rca__id ctw_rca__id_parse(const char *text, size_t len);
/* 1 for empty text and for nothing but zeros: "no parent". */
int ctw_rca__id_is_none(const char *text, size_t len);
/* 64 bits of an id, never 0. */
uint64_t ctw_rca__id_fold(ctw_rca__id id);

#endif
