"""No file of lib/ or include/ over 600 lines, and each says at its top what it is for."""
import pathlib
import sys

faults = []
for path in sorted(p for d in sys.argv[1:] for p in pathlib.Path(d).rglob("*.[ch]")):
    lines = path.read_text().splitlines()
    if len(lines) > 600:
        faults.append(f"{path}: {len(lines)} lines, at most 600")
    head = "\n".join(lines[:6])
    if not head.startswith("/*") or path.name not in head:
        faults.append(f"{path}: its first comment must say what {path.name} is for")
print("\n".join(faults) or "files: clean")
sys.exit(1 if faults else 0)
