"""The counted last line of tools/check, from meson's testlog.json: subtests where a program reports them, else the
program itself. A program that failed without a failing subtest (a crash) counts as one failure."""
import json
import re
import sys

passed = failed = skipped = 0
for line in open(sys.argv[1]):
    test = json.loads(line)
    lines = test.get("stdout", "").splitlines()
    ok = sum(1 for s in lines if re.match(r"ok \d+", s))
    bad = sum(1 for s in lines if re.match(r"not ok \d+", s))
    if test["result"] == "SKIP":
        skipped += 1
    elif test["result"] in ("OK", "EXPECTEDFAIL"):
        passed += max(ok, 1)
    else:
        passed += ok
        failed += max(bad, 1)
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
