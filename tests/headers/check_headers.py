"""Each public header alone and twice, as C99 and C11 pedantic and as C++11, and parsed by cffi after the
preprocessor: what any FFI needs. usage: check_headers.py CC CXX INCLUDE"""
import pathlib
import re
import subprocess
import sys
import tempfile

WARN = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror", "-fsyntax-only"]


def compile_all(compiler, header, include, folder):
    for language, std in (("c", "c99"), ("c", "c11"), ("c++", "c++11")):
        source = pathlib.Path(folder, f"{header.stem}_{std.replace('+', 'p')}.{'c' if language == 'c' else 'cpp'}")
        source.write_text(f"#include <cybertwin/{header.name}>\n#include <cybertwin/{header.name}>\n"
                          "int use(void);\nint use(void) { return 0; }\n")
        command = [*compiler[language].split(), f"-std={std}", *WARN, "-I", include, str(source)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            yield f"{header.name} as {std}: {run.stderr.strip()[:400]}"


def preprocessed(cc, include):
    text = subprocess.run([*cc.split(), "-E", "-P", "-DCTW_API=", "-I", include, "-x", "c", "-"], check=True, capture_output=True,
                          text=True, input="#include <cybertwin/cybertwin.h>\n").stdout
    return text[text.index("typedef int32_t ctw_status"):]


def parse_with_cffi(text):
    code = "import cffi, sys\nf = cffi.FFI()\nf.cdef(sys.stdin.read())\n"
    for python in (sys.executable, "/usr/bin/python3"):
        run = subprocess.run([python, "-c", code], input=text, capture_output=True, text=True)
        if "No module named 'cffi'" not in run.stderr:
            return [f"cffi: {run.stderr.strip()[-400:]}"] if run.returncode else []
    print("cffi is not installed: not tried")
    return []


def grammar(text):
    if "..." in text:
        yield "a variadic function"
    for body in re.findall(r"\bstruct\s+\w*\s*\{", text):
        yield f"a struct body: {body}"


def main(cc, cxx, include):
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for header in sorted(pathlib.Path(include, "cybertwin").glob("*.h")):
            faults += compile_all({"c": cc, "c++": cxx}, header, include, folder)
    text = preprocessed(cc, include)
    faults += [*grammar(text), *parse_with_cffi(text)]
    print("\n".join(faults) or "headers: clean")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
