"""Prints the days that tools/demo-table ran as one Markdown table, with mean, worst and best, failures included."""
import sys


def main(path):
    days, failed = {}, []
    for line in open(path, encoding="utf-8"):
        region, date, run, key, rest = line.rstrip("\n").split(",", 4)
        if run == "failed":
            failed.append((region, date, key))
        elif run != "run":
            days.setdefault((region, date), {})[run, key] = float(rest.split(",")[-1])
    print("| region | date | carbon, kg | | change | promises kept, % | | services | jobs | LLM | LLM mean, s | | MAPE, % | cause found |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    rows = []
    for (region, date), v in days.items():
        b = lambda k: v["baseline", k]
        t = lambda k: v["cybertwin", k]
        change = 100 * (t("carbon_g") / b("carbon_g") - 1)
        better = t("carbon_g") < b("carbon_g") and t("slo_attainment") >= b("slo_attainment")
        each = all(t(k) >= b(k) for k in ("slo_services", "slo_jobs", "slo_llm"))
        rows.append((change, 100 * (t("slo_attainment") - b("slo_attainment")), better, each))
        print(f"| {region} | {date} | {b('carbon_g') / 1e3:.1f} | {t('carbon_g') / 1e3:.1f} | {change:+.1f} % "
              f"| {100 * b('slo_attainment'):.2f} | {100 * t('slo_attainment'):.2f} "
              f"| {100 * (t('slo_services') - b('slo_services')):+.2f} | {100 * (t('slo_jobs') - b('slo_jobs')):+.2f} "
              f"| {100 * (t('slo_llm') - b('slo_llm')):+.2f} | {b('llm_mean_s'):.2f} | {t('llm_mean_s'):.2f} "
              f"| {t('mape'):.1f} | {t('rca_found'):.0f}/{t('rca_true'):.0f} |")
    for region, date, why in failed:
        print(f"| {region} | {date} | failed: {why} |")
    if rows:
        c = [r[0] for r in rows]
        s = [r[1] for r in rows]
        print(f"\nCarbon: mean {sum(c) / len(c):+.1f} %, best {min(c):+.1f} %, worst {max(c):+.1f} %. "
              f"Promises kept: mean {sum(s) / len(s):+.2f}, worst {min(s):+.2f}, best {max(s):+.2f} points. "
              f"Less carbon at equal or better promises on {sum(r[2] for r in rows)} of {len(rows) + len(failed)} days; "
              f"every class of work at least equal on {sum(r[3] for r in rows)}.")


main(sys.argv[1])
