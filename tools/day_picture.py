"""Draws doc/img/twin-day.svg from the CSV of green_day: power by kind of work against carbon intensity, baseline above
cybertwin. usage: python3 tools/day_picture.py day.csv > doc/img/twin-day.svg"""
import csv
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 760, 420, 54, 40, 46
KINDS = [("power_idle_w", "#b9c2cc", "idle"), ("power_services_w", "#3f7fbf", "services"),
         ("power_llm_w", "#8a63b8", "LLM"), ("power_jobs_w", "#2f9e77", "best-effort jobs")]
BINS = 144


def load(path):
    series = {}
    for row in csv.DictReader(open(path, encoding="utf-8")):
        if row["index"]:
            series.setdefault((row["run"], row["key"]), []).append(float(row["value"]))
    return series


def binned(values, time):
    total, count = [0.0] * BINS, [0] * BINS
    for v, t in zip(values, time):
        b = int(t / 86400 * BINS)
        if b < BINS:
            total[b] += v
            count[b] += 1
    return [s / max(1, c) for s, c in zip(total, count)]


def panel(out, series, run, top, height, peak, title):
    x = lambda i: LEFT + (WIDTH - LEFT - 50) * i / BINS
    y = lambda v: top + height * (1 - v / peak)
    base = [0.0] * BINS
    for key, colour, _ in KINDS:
        upper = [b + v / 1000 for b, v in zip(base, binned(series[run, key], series[run, "time_s"]))]
        path = " ".join(f"{x(i + .5):.1f},{y(v):.1f}" for i, v in enumerate(upper))
        back = " ".join(f"{x(i + .5):.1f},{y(base[i]):.1f}" for i in reversed(range(BINS)))
        out.append(f'<polygon points="{path} {back}" fill="{colour}"/>')
        base = upper
    ci = series[run, "ci_0"][:24]
    scale = peak / (1.1 * max(ci))
    steps = " ".join(f"{x(h * 6):.1f},{y(c * scale):.1f} {x(h * 6 + 6):.1f},{y(c * scale):.1f}" for h, c in enumerate(ci))
    out.append(f'<polyline points="{steps}" fill="none" stroke="#c4501b" stroke-width="1.6"/>')
    out.append(f'<text x="{LEFT}" y="{top - 6}" font-weight="600" fill="#17202a">{title}</text>')
    for v in range(0, int(peak) + 1, 5):
        out.append(f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{v} kW</text>'
                   f'<path d="M{LEFT} {y(v):.1f}H{WIDTH - 50}" stroke="#e3e7ec"/>')
    for h in range(0, 25, 6):
        out.append(f'<text x="{x(h * 6):.1f}" y="{top + height + 15}" text-anchor="middle">{h:02d}:00</text>')
    out.append(f'<text x="{WIDTH - 46}" y="{y(ci[-1] * scale) + 4:.1f}" fill="#c4501b">{ci[-1]:.0f} g</text>')


def main(path):
    series = load(path)
    peak = 1.05 * max(max(sum(v) for v in zip(*(binned(series[run, k], series[run, "time_s"]) for k, _, _ in KINDS)))
                      for run in ("baseline", "cybertwin")) / 1000
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12" fill="#5b6773" '
           f'font-family="system-ui,Helvetica,Arial,sans-serif"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    at = LEFT
    for _, colour, name in KINDS + [("", "#c4501b", "carbon intensity, gCO2/kWh")]:
        out.append(f'<rect x="{at}" y="8" width="12" height="9" fill="{colour}"/><text x="{at + 17}" y="17">{name}</text>')
        at += 40 + 6.6 * len(name)
    height = (HEIGHT - TOP - GAP - 40) / 2
    panel(out, series, "baseline", TOP + 8, height, peak, "baseline")
    panel(out, series, "cybertwin", TOP + height + GAP, height, peak, "cybertwin")
    print("\n".join(out) + "\n</svg>")


main(sys.argv[1])
