"""Header <-> map <-> library: what the headers declare is what the map lists is what the library exports, and
nothing else. Each pair is needed: the linker is silent about both kinds of mismatch."""
import pathlib
import re
import subprocess
import sys


def declared(include):
    names = set()
    for header in sorted(pathlib.Path(include).rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)
        for match in re.finditer(r"CTW_API\b([^;]*);", text):
            name = re.search(r"\b(ctwx?_\w+)\s*\(", match[1])
            if name:
                names.add(name[1])
    return names


def mapped(path):
    text = re.sub(r"/\*.*?\*/", " ", pathlib.Path(path).read_text(), flags=re.S)
    return set(re.findall(r"\b(ctwx?_\w+)\s*;", text))


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.split()[-2] != "A"}


def main(include, map_file, library):
    sets = {"headers": declared(include), "map": mapped(map_file), "library": exported(library)}
    faults = [f"{name} is in the {a} but not in the {b}"
              for a in sets for b in sets for name in sorted(sets[a] - sets[b])]
    faults += [f"{name} lacks the prefix ctw_" for name in sorted(sets["library"]) if not name.startswith("ctw")]
    print("\n".join(faults) or f"{len(sets['library'])} symbols agree")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
