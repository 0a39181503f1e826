"""The layers: base <- num, io <- milp, svm <- modules <- twin. Modules never include each other, the twin only
public headers and what lies below the modules, and each third-party header has one owner."""
import pathlib
import re
import sys

MODULES = {"forecast", "place", "queue", "rca", "agent", "power", "guard"}
LEVEL = {"base": 0, "num": 1, "io": 1, "milp": 2, "svm": 2, **{m: 3 for m in MODULES}, "twin": 4, ".": 5}
OWNERS = {"glpk.h": "milp/glpk.c", "lapacke.h": "num/lapack.c", "cblas.h": "num/blas.c"}


def check(path, lib):
    here = path.relative_to(lib)
    layer = here.parts[0] if len(here.parts) > 1 else "."
    for number, line in enumerate(path.read_text().splitlines(), 1):
        quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        angled = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        where = f"lib/{here}:{number}"
        if angled and angled[1] in OWNERS and str(here) != OWNERS[angled[1]]:
            yield f"{where}: only lib/{OWNERS[angled[1]]} may include {angled[1]}"
        if not quoted:
            continue
        parts = quoted[1].split("/")
        if len(parts) == 1:
            if parts[0] != "ctw_version.h":
                yield f'{where}: write the layer: "{layer}/{parts[0]}"'
            continue
        target = parts[0]
        if target not in LEVEL:
            yield f"{where}: {target} is no layer"
        elif target == layer:
            continue
        elif LEVEL[target] > LEVEL[layer] or (LEVEL[target] == LEVEL[layer] and {target, layer} != {"num", "io"}):
            yield f"{where}: layer {layer} may not include layer {target}"
        elif layer == "twin" and target in MODULES:
            yield f"{where}: the twin knows modules by their public headers only"


def main(lib):
    lib = pathlib.Path(lib)
    faults = [f for p in sorted(lib.rglob("*.[ch]")) for f in check(p, lib)]
    print("\n".join(faults) or "layers: clean")
    return 1 if faults else 0


sys.exit(main(sys.argv[1]))
