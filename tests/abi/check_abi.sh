#!/bin/sh
# abidiff of the library against the stored baseline: 0 same or grown, 1 changed, 77 no baseline or no tool (CI
# turns 77 into a failure), 99 trouble. A stripped library compares equal whatever it holds, so DWARF must be there.
# usage: check_abi.sh BASELINE SUPPRESSIONS INCLUDE LIBRARY
command -v abidiff >/dev/null || { echo "abidiff is not installed"; exit 77; }
[ "$(uname -m)" = x86_64 ] || { echo "the baseline is for x86_64"; exit 77; }
[ -f "$1" ] || { echo "there is no baseline $1"; exit 77; }
readelf -S "$4" | grep -q debug_info || { echo "$4 has no debug information"; exit 99; }
abidiff --headers-dir2 "$3" --no-added-syms --suppressions "$2" "$1" "$4"
code=$?
[ $((code & 3)) -eq 0 ] || exit 99
[ $((code & 12)) -eq 0 ] || exit 1
echo "the ABI is that of the baseline, or has grown"
