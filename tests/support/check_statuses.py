"""Every status code of base.h is provoked by some test. usage: check_statuses.py BASE_H TESTS_DIR"""
import pathlib
import re
import sys

codes = re.findall(r"\b(CTW_E_\w+)\s*=", pathlib.Path(sys.argv[1]).read_text())
used = set()
for path in pathlib.Path(sys.argv[2]).rglob("*.c"):
    text = re.sub(r"ctw_status all\[\].*?;", "", path.read_text(), flags=re.S)  # a list of names provokes nothing
    used |= set(re.findall(r"\bCTW_E_\w+", text))
missing = [c for c in codes if c not in used]
print("\n".join(f"no test provokes {c}" for c in missing) or f"{len(codes)} status codes, each with a test")
sys.exit(1 if missing else 0)
