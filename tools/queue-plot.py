#!/usr/bin/env python3
"""Draws doc/img/queue.svg: reduction of the mean against the 99th percentile over FCFS, one mark a policy and scenario.

usage: tools/queue-plot.py RESULTS.jsonl > doc/img/queue.svg
RESULTS are aggregate lines of `ctw-bench queue`, one run a scenario.
"""
import json
import sys

COLOUR = {"ssjf": "#c0392b", "guarded": "#2471a3", "strict": "#1e8449", "auto": "#7d3c98"}
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 400, 60, 50


def main():
    points = []
    for line in open(sys.argv[1], encoding="utf-8"):
        d = json.loads(line)
        if d["policy"] in COLOUR:
            points.append((d["policy"], 100 * d["jct_reduction"], d["p99_over_fcfs"]))
    top = max(3.0, max(p[2] for p in points) * 1.05)
    x = lambda v: LEFT + v / 60 * (WIDTH - LEFT - 20)
    y = lambda v: HEIGHT - BOTTOM - (v - 0.5) / (top - 0.5) * (HEIGHT - BOTTOM - 20)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (WIDTH, HEIGHT),
           '<rect width="100%" height="100%" fill="white"/>']
    for v in range(0, 61, 10):
        out.append('<path d="M%.1f 20V%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%d</text>' % (x(v), HEIGHT - BOTTOM, x(v), HEIGHT - BOTTOM + 16, v))
    for k in range(1, int(top * 2) + 1):
        v = k / 2
        out.append('<path d="M%d %.1fH%d" stroke="%s"/><text x="%d" y="%.1f" text-anchor="end">%.1f</text>' % (LEFT, y(v), WIDTH - 20, "#888" if v == 1 else "#ddd", LEFT - 6, y(v) + 4, v))
    for policy, gain, tail in points:
        out.append('<circle cx="%.1f" cy="%.1f" r="5" fill="%s" fill-opacity="0.8"/>' % (x(gain), y(tail), COLOUR[policy]))
    for i, (name, colour) in enumerate(COLOUR.items()):
        out.append('<circle cx="%d" cy="%d" r="5" fill="%s"/><text x="%d" y="%d">%s</text>' % (LEFT + 20 + 90 * i, 12, colour, LEFT + 30 + 90 * i, 16, name))
    out.append('<text x="%d" y="%d" text-anchor="middle">mean completion time, %% shorter than first come first served</text>' % ((WIDTH + LEFT) // 2, HEIGHT - 12))
    out.append('<text x="16" y="%d" text-anchor="middle" transform="rotate(-90 16 %d)">99th percentile over first come first served</text>' % (HEIGHT // 2, HEIGHT // 2))
    out.append("</svg>")
    print("\n".join(out))


main()
