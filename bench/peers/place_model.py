"""place_model: reads the per-server model that `ctw-bench place --write-mps` exports, and checks a peer's answer against
it row by row, so that no table repeats an objective that nobody has checked."""
import sys

import numpy as np
from scipy.optimize import Bounds
from scipy.sparse import csc_matrix


def read_mps(path):
    """Free MPS as the library writes it: rows r0.., columns x0.., cost row first."""
    kinds, section, integer, offset = {}, "", False, 0.0
    cost, entries, ints, rhs, ranges, lower, upper = {}, [], set(), {}, {}, {}, {}
    for line in open(path, encoding="ascii"):
        f = line.split()
        if not line.startswith(" "):
            section = f[0]
            continue
        if section == "ROWS":
            kinds[f[1]] = f[0]
        elif section == "COLUMNS":
            if "MARKER" in line:
                integer = "INTORG" in line
                continue
            j = int(f[0][1:])
            if integer:
                ints.add(j)
            if f[1] == "cost":
                cost[j] = float(f[2])
            else:
                entries.append((int(f[1][1:]), j, float(f[2])))
        elif section == "RHS":
            if f[1] == "cost":
                offset = -float(f[2])
            else:
                rhs[int(f[1][1:])] = float(f[2])
        elif section == "RANGES":
            ranges[int(f[1][1:])] = float(f[2])
        elif section == "BOUNDS":
            j = int(f[2][1:])
            if f[0] in ("LO", "MI"):
                lower[j] = float(f[3]) if f[0] == "LO" else -np.inf
            else:
                upper[j] = float(f[3]) if f[0] == "UP" else np.inf
    rows, cols = len(kinds) - 1, len(cost)
    lo, hi = np.full(rows, -np.inf), np.full(rows, np.inf)
    for i in range(rows):
        kind, b = kinds[f"r{i}"], rhs.get(i, 0.0)
        if kind in "EG":
            lo[i] = b
        if kind in "EL":
            hi[i] = b
        if i in ranges:
            hi[i] = b + ranges[i]
    i, j, v = zip(*entries)
    a = csc_matrix((v, (i, j)), shape=(rows, cols))
    c = np.array([cost[k] for k in range(cols)])
    kind = np.array([k in ints for k in range(cols)], dtype=int)
    bounds = Bounds([lower.get(k, 0.0) for k in range(cols)], [upper.get(k, np.inf) for k in range(cols)])
    return c, offset, a, lo, hi, kind, bounds


def check(model, x, tolerance=1e-5):
    """The objective at x recomputed; None (and a word on stderr) when x breaks a row, a bound or an integrality."""
    c, offset, a, lo, hi, kind, bounds = model
    row = a @ x
    scale = 1 + np.abs(np.where(np.isfinite(lo), lo, 0)) + np.abs(np.where(np.isfinite(hi), hi, 0))
    worst = max(np.max((lo - row) / scale, initial=0), np.max((row - hi) / scale, initial=0),
                np.max(bounds.lb - x, initial=0), np.max(x - bounds.ub, initial=0),
                np.max(np.abs(x - np.round(x))[kind == 1], initial=0))
    if worst > tolerance:
        print(f"the peer's answer breaks the model by {worst:.3g}", file=sys.stderr)
        return None
    return float(c @ x) + offset
