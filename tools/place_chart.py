#!/usr/bin/env python3
"""place_chart.py: a day's plan as SVG: power of the plan and of an earliest-start plan against carbon intensity.
Usage: place_chart.py CTW_BENCH OUT.svg  (generates its own instance, seed 1)"""
import json
import subprocess
import sys
import tempfile


def polyline(values, top, x0, y0, w, h, style):
    n = len(values)
    pts = " ".join(f"{x0 + w * i / (n - 1):.1f},{y0 + h - h * v / top:.1f}" for i, v in enumerate(values))
    return f'<polyline points="{pts}" fill="none" {style}/>'


def series(bench, folder, *extra):
    out = subprocess.run([bench, "place", "--dir", folder, "--series", *extra], check=True, capture_output=True, text=True)
    r = json.loads(out.stdout)
    return [float(v) for v in r["series_power_w"].split()], [float(v) for v in r["asap_power_w"].split()]


def main():
    bench, target = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([bench, "place", "--generate", "300,1500,6000,48,1,1", "--dir", d], check=True)
        plan, asap = series(bench, d, "--asap", "--mode", "decompose")
        carbon = [float(line.split(",")[2]) for line in open(f"{d}/carbon.csv").readlines()[1:]]
    top = max(max(plan), max(asap)) * 1.1 / 1000
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="720" height="330" font-family="sans-serif" font-size="12">',
             '<rect width="720" height="330" fill="white"/>']
    for i in range(5):
        y = 30 + 240 * i / 4
        parts.append(f'<line x1="60" y1="{y}" x2="660" y2="{y}" stroke="#ddd"/>'
                     f'<text x="54" y="{y + 4}" text-anchor="end">{top * (4 - i) / 4:.0f}</text>')
    for h in range(0, 25, 4):
        parts.append(f'<text x="{60 + 600 * h / 24}" y="288" text-anchor="middle">{h}:00</text>')
    parts.append(polyline([v / 1000 for v in asap], top, 60, 30, 600, 240, 'stroke="#999" stroke-width="2" stroke-dasharray="5 4"'))
    parts.append(polyline([v / 1000 for v in plan], top, 60, 30, 600, 240, 'stroke="#0a7" stroke-width="2.5"'))
    parts.append(polyline(carbon, max(carbon) * 1.1, 60, 30, 600, 240, 'stroke="#c50" stroke-width="1.5"'))
    parts.append('<text x="60" y="18">kW</text><text x="660" y="18" text-anchor="end" fill="#c50">'
                 f'carbon intensity, up to {max(carbon):.0f} g/kWh</text>')
    parts.append('<text x="60" y="315" fill="#0a7">— this plan</text><text x="180" y="315" fill="#777">- - earliest start</text>'
                 '<text x="330" y="315" fill="#c50">— carbon intensity</text></svg>')
    open(target, "w", encoding="utf-8").write("\n".join(parts) + "\n")


main()
