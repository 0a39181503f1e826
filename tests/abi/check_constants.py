"""Every released enumerator keeps its value: abidiff does not see anonymous enums. The values are read by
compiling the headers; the baseline is tests/abi/constants.txt. New ones may appear, none may change or go.
usage: check_constants.py CC INCLUDE BASELINE [--write]"""
import pathlib
import re
import subprocess
import sys
import tempfile


def enumerators(include):
    names = []
    for header in sorted(pathlib.Path(include).rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)
        for body in re.findall(r"\benum\s*\w*\s*\{([^}]*)\}", text):
            names += re.findall(r"\b(CTW_\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip())
    return names


def values(cc, include):
    lines = "".join(f'printf("{n} %lld\\n", (long long){n});' for n in enumerators(include))
    code = f"#include <cybertwin/cybertwin.h>\n#include <stdio.h>\nint main(void){{{lines}return 0;}}\n"
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "c.c"), pathlib.Path(folder, "c")
        source.write_text(code)
        subprocess.run([*cc.split(), "-I", include, str(source), "-o", str(program)], check=True)
        out = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return dict(line.split() for line in out.splitlines())


def main(cc, include, baseline, *flags):
    now = values(cc, include)
    path = pathlib.Path(baseline)
    if "--write" in flags:
        path.write_text("".join(f"{k} {v}\n" for k, v in sorted(now.items())))
        return 0
    before = dict(line.split() for line in path.read_text().splitlines())
    faults = [f"{k} was {v}, is {now.get(k, 'gone')}" for k, v in sorted(before.items()) if now.get(k) != v]
    print("\n".join(faults) or f"{len(before)} constants kept, {len(now) - len(before)} new")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
