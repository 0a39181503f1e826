"""What the LIBSVM and LIBLINEAR peers of `ctw-bench svm` share: the command line, reading LIBSVM text into the
libraries' node arrays, CPU times of the library calls alone, and the JSON line."""
import argparse
import ctypes as C
import json
import os
import re
import statistics
import tempfile
import time

INT, DBL, PTR = C.c_int, C.c_double, C.POINTER


class Node(C.Structure):
    _fields_ = [("index", INT), ("value", DBL)]


class Problem(C.Structure):
    """LIBSVM's svm_problem; LIBLINEAR's has other fields first and last."""
    _fields_ = [("l", INT), ("y", PTR(DBL)), ("x", PTR(PTR(Node)))]


def arguments():
    a = argparse.ArgumentParser()
    a.add_argument("--train", required=True)
    a.add_argument("--test")
    a.add_argument("--kernel", default="rbf")
    a.add_argument("--c", type=float, default=1)
    a.add_argument("--gamma", type=float, default=0)
    a.add_argument("--tol", type=float, default=0)
    a.add_argument("--reps", type=int, default=5)
    a.add_argument("--labels")
    a.add_argument("--test-limit", type=int, default=0, help="predict the first rows only (0: all)")
    return a.parse_args()


def read(path, bias=None):
    """Labels, arrays of nodes (kept alive by the caller), highest index."""
    labels, rows, top = [], [], 0
    with open(path) as f:
        for line in f:
            w = line.split("#")[0].split()
            if not w:
                continue
            labels.append(float(w[0]))
            row = []
            for e in w[1:]:
                i, v = e.split(":")
                row.append((int(i), float(v)))
            top = max(top, row[-1][0] if row else 0)
            rows.append(row)
    return labels, rows, top


def nodes(rows, last=()):
    """One array a row, `last` appended, ended by index -1."""
    return [(Node * (len(r) + len(last) + 1))(*r, *last, (-1, 0)) for r in rows]


def pointers(arrays):
    p = (PTR(Node) * len(arrays))()
    for i, a in enumerate(arrays):
        p[i] = C.cast(a, PTR(Node))
    return p


class Printed:
    """Collects what the library prints (it has a hook) to read objective and counts from."""
    def __init__(self, hook):
        self.text = ""
        self.fn = C.CFUNCTYPE(None, C.c_char_p)(self.take)
        hook.argtypes = [C.c_void_p]
        hook(C.cast(self.fn, C.c_void_p))

    def take(self, s):
        self.text += s.decode()

    def number(self, pattern):
        m = re.findall(pattern, self.text)
        return float(m[-1]) if m else None


def timed(reps, call):
    times, out = [], None
    for _ in range(reps):
        t = time.thread_time()
        out = call()
        times.append(time.thread_time() - t)
    return statistics.median(times), out


def finish(a, peer, labels, got, train_s, predict_s, figures, save):
    hit = sum(int(x) == int(y) for x, y in zip(labels, got))
    if a.labels:
        with open(a.labels, "w") as f:
            f.write("".join("%d\n" % int(v) for v in got))
    fd, path = tempfile.mkstemp()
    os.close(fd)
    save(path.encode())
    size = os.path.getsize(path)
    os.unlink(path)
    line = {"bench": "svm", "peer": peer, "train": a.train}
    line.update(figures)
    line.update(accuracy=hit / max(1, len(got)), train_s=train_s, predict_us=1e6 * predict_s / max(1, len(got)),
                model_bytes=size)
    print(json.dumps(line), flush=True)
