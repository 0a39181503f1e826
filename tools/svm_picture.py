#!/usr/bin/env python3
"""Draws doc/img/svm.svg from a table of bench/peers/svm_table (Markdown on stdin): CPU time of training relative to the
peer, one bar a set, logarithmic. usage: svm_picture.py <table >doc/img/svm.svg"""
import math
import sys

rows = []
for line in sys.stdin:
    f = [c.strip() for c in line.strip().strip("|").split("|")]
    if len(f) == 10 and f[0] != "set" and not f[0].startswith("-"):
        rows.append((f[0], f[1], float(f[7].split()[0]), float(f[9])))
W, LEFT, STEP, TOP, LOW = 760, 210, 26, 46, 0.02
H = TOP + STEP * len(rows) + 40


def x(v):
    return LEFT + (W - LEFT - 90) * (math.log(max(v, LOW)) - math.log(LOW)) / -math.log(LOW)


out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">' % (W, H),
       '<rect width="100%" height="100%" fill="white"/>',
       '<text x="%d" y="20">training CPU time relative to the peer (LIBSVM for rbf, LIBLINEAR for linear); 1 = equal</text>' % 12]
for v in (0.02, 0.05, 0.1, 0.2, 0.5, 1):
    out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="%s"/>' % (x(v), x(v), TOP - 8, H - 32, "#b00" if v == 1 else "#ddd"))
    out.append('<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%g</text>' % (x(v), H - 14, v))
for i, (name, kernel, ratio, speed) in enumerate(rows):
    y = TOP + STEP * i
    out.append('<text x="%d" y="%d" text-anchor="end">%s, %s</text>' % (LEFT - 8, y + 13, name, kernel))
    out.append('<rect x="%d" y="%d" width="%.1f" height="17" fill="%s"/>' % (LEFT, y, max(1, x(ratio) - LEFT), "#3a7" if kernel == "rbf" else "#37a"))
    out.append('<text x="%.1f" y="%d">%.2f; predicts %.0fx as fast</text>' % (max(x(ratio) + 5, LEFT + 5) if x(ratio) < W - 260 else x(ratio) - 190, y + 13, ratio, speed))
print("\n".join(out + ["</svg>"]))
