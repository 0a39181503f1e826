/* html.c: the report: one HTML file with its own style and inline SVG, no script, no network. Light or dark follows
 * the browser. */
#include "chart.h"
#include "green_day.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_HOURS 24
#define BINS      288 /* five minutes */

static const char style[] =
    ":root{--bg:#f7f8fa;--card:#fff;--ink:#17202a;--soft:#5b6773;--line:#e3e7ec;--idle:#b9c2cc;--svc:#3f7fbf;"
    "--llm:#8a63b8;--job:#2f9e77;--ci:#c4501b;--base:#8792a0;--twin:#0f766e;--good:#0f766e;--bad:#b42318;"
    "--span:rgba(196,80,27,.10)}"
    "@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e8edf2;--soft:#9aa7b4;--line:#2b3440;"
    "--idle:#4a5664;--svc:#5b9bd8;--llm:#a685d0;--job:#45b88f;--ci:#f08a55;--base:#8792a0;--twin:#4fd1c0;"
    "--good:#4fd1c0;--bad:#ff8f80;--span:rgba(240,138,85,.14)}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif}"
    "main{max-width:1080px;margin:0 auto;padding:40px 20px 60px}h1{font-size:32px;line-height:1.2;margin:0 0 6px;"
    "letter-spacing:-.01em}.sub{color:var(--soft);margin:0 0 28px;max-width:75ch}.badge{display:inline-block;"
    "padding:1px 10px;border:1px solid var(--ci);color:var(--ci);border-radius:99px;font-size:13px;margin-right:8px}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(185px,1fr));gap:14px;margin-bottom:26px}"
    ".card,figure{background:var(--card);border:1px solid var(--line);border-radius:14px}.card{padding:16px 18px}"
    ".card b{display:block;font-size:30px;line-height:1.2;letter-spacing:-.02em;font-variant-numeric:tabular-nums}"
    ".card span{color:var(--soft);font-size:14px}.card .good{color:var(--good)}.card .bad{color:var(--bad)}"
    "figure{margin:0 0 20px;padding:20px 22px 14px}h2{font-size:18px;margin:0}figcaption{color:var(--soft);"
    "font-size:14px;margin:2px 0 8px;max-width:90ch}svg{width:100%;height:auto;display:block}"
    "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:var(--soft)}"
    "svg .key{fill:var(--ink)}svg .unit{fill:var(--soft)}svg .ci{fill:var(--ci)}svg .spanlabel{fill:var(--ci);"
    "font-size:11px}.grid{stroke:var(--line);fill:none}.base{stroke:var(--soft);fill:none}.line{fill:none;"
    "stroke-width:2;stroke-linejoin:round}.area{stroke:none}.span{fill:var(--span)}"
    ".area.idle{fill:var(--idle)}.area.svc{fill:var(--svc)}.area.llm{fill:var(--llm)}.area.job{fill:var(--job)}"
    ".line.cil{stroke:var(--ci);fill:none}.line.fc{stroke:var(--svc);stroke-dasharray:6 4;fill:none}"
    ".area.band{fill:var(--svc);opacity:.18}.line.b{stroke:var(--base)}.line.t{stroke:var(--twin)}"
    ".line.thin{stroke-width:1.6}table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th{text-align:left;color:var(--soft);font-weight:600;font-size:13px}td,th{padding:7px 6px;"
    "border-bottom:1px solid var(--line)}td:not(:first-child),th:not(:first-child){text-align:right}"
    "td.in{padding-left:22px;color:var(--soft)}footer{color:var(--soft);font-size:13px;margin-top:26px}";

static const double *series(const ctw_report *r, const char *key, size_t *n)
{
    const double *v = NULL;
    uint64_t k = 0;
    if (ctw_report_series(r, key, &v, &k) != CTW_OK) k = 0;
    *n = (size_t)k;
    return v;
}

/* Means of a slot series over the bins of the day. */
static void binned(const ctw_report *r, const char *key, double scale, double *out)
{
    size_t n, slots;
    const double *v = series(r, key, &n), *time = series(r, "time_s", &slots);
    double count[BINS] = {0};
    memset(out, 0, BINS * sizeof *out);
    for (size_t i = 0; i < n && i < slots; i++) {
        double bin = time[i] / 86400.0 * BINS;
        if (bin < 0.0 || bin >= BINS) continue;
        out[(size_t)bin] += v[i] * scale;
        count[(size_t)bin] += 1.0;
    }
    for (size_t i = 0; i < BINS; i++)
        if (count[i] > 0.0) out[i] /= count[i];
}

static double largest(const double *v, size_t n)
{
    double m = 0.0;
    for (size_t i = 0; i < n; i++) m = fmax(m, v[i]);
    return m;
}

/* ---- faults ---- */

static const char *fault_name(double kind)
{
    return kind < 1.5 ? "server lost" : kind < 2.5 ? "server slow" : "sensor stuck";
}

static void fault_spans(chart *c, const ctw_report *r, int only_sensor)
{
    size_t n, k;
    const double *kind = series(r, "fault_kind", &n), *from = series(r, "fault_start_s", &k),
                 *to = series(r, "fault_end_s", &k);
    for (size_t i = 0; i < n; i++) {
        int sensor = (int)kind[i] == CTW_FAULT_SENSOR_STUCK;
        if (sensor == only_sensor && from[i] < 86400.0)
            chart_span(c, from[i] / 3600.0, to[i] / 3600.0, fault_name(kind[i]));
    }
}

static void recovery(FILE *f, double s)
{
    if (s < 0.0)
        fputs("not in the run", f);
    else if (s < 0.5)
        fputs("no outage", f);
    else if (s < 120.0)
        fprintf(f, "%.0f s", s);
    else if (s < 7200.0)
        fprintf(f, "%.0f min", s / 60.0);
    else
        fprintf(f, "%.1f h", s / 3600.0);
}

static void fault_table(FILE *f, const outcome *base, const outcome *twin)
{
    size_t n, k;
    const double *kind = series(twin->report, "fault_kind", &n), *target = series(twin->report, "fault_target", &k),
                 *from = series(twin->report, "fault_start_s", &k), *to = series(twin->report, "fault_end_s", &k),
                 *rt = series(twin->report, "fault_recover_s", &k), *rb = series(base->report, "fault_recover_s", &k),
                 *found = series(twin->report, "fault_found", &k);
    if (n == 0) return;
    fputs("<figure><h2>Faults</h2><figcaption>Time from the start of each fault until everything it touched kept its "
          "promise again.</figcaption><table><tr><th>fault</th><th>from</th><th>to</th><th>baseline</th>"
          "<th>cybertwin</th><th>root cause found</th></tr>\n",
          f);
    for (size_t i = 0; i < n; i++) {
        int sensor = (int)kind[i] == CTW_FAULT_SENSOR_STUCK, slow = (int)kind[i] == CTW_FAULT_SLOWDOWN;
        fprintf(f, "<tr><td>%s", fault_name(kind[i]));
        if (!sensor) fprintf(f, " (server %.0f)", target[i]);
        fprintf(f, "</td><td>%.1f h</td><td>%.1f h</td><td>", from[i] / 3600.0, to[i] / 3600.0);
        if (sensor)
            fputs("&ndash;", f);
        else
            recovery(f, rb[i]);
        fputs("</td><td>", f);
        recovery(f, rt[i]);
        fputs("</td><td>", f);
        if (slow && found[i] >= 0.0)
            fprintf(f, "server %.0f%s", found[i], fabs(found[i] - target[i]) < 0.5 ? " (right)" : " (wrong)");
        else
            fputs(slow ? "no" : "&ndash;", f);
        fputs("</td></tr>\n", f);
    }
    fputs("</table></figure>\n", f);
}

/* ---- charts ---- */

static void intensity_chart(FILE *f, const outcome *twin)
{
    size_t n, m;
    const double *ci = series(twin->report, "ci_0", &n), *mean = series(twin->report, "ci_mean_0", &m),
                 *lo = series(twin->report, "ci_lo_0", &m), *hi = series(twin->report, "ci_hi_0", &m);
    if (n > DAY_HOURS) n = DAY_HOURS;
    if (m > DAY_HOURS) m = DAY_HOURS;
    chart c =
        chart_begin(f, "Carbon intensity and the day-ahead forecast",
                    "Forecast at midnight by a model fitted only on what came before, with its 90 % band. Plans use "
                    "hourly updates of it; emissions are accounted by the truth.",
                    "gCO2/kWh", 300, DAY_HOURS, 1.05 * fmax(largest(ci, n), m ? largest(hi, m) : 0.0));
    fault_spans(&c, twin->report, 1);
    if (m) chart_area(&c, lo, hi, m, 1.0, "band", 1);
    if (m) chart_steps(&c, mean, m, 1.0, "fc");
    chart_steps(&c, ci, n, 1.0, "cil");
    chart_key(&c, "cil", 0, "true intensity");
    if (m) chart_key(&c, "fc", 0, "forecast");
    if (m) chart_key(&c, "band", 1, "90 % band");
    chart_end(&c);
}

static void power_chart(FILE *f, const char *title, const char *note, const outcome *run, double top_kw)
{
    static const char *const key[] = {"power_idle_w", "power_services_w", "power_llm_w", "power_jobs_w"};
    static const char *const cls[] = {"idle", "svc", "llm", "job"};
    static const char *const name[] = {"idle", "services", "LLM", "best-effort jobs"};
    double lo[BINS] = {0}, hi[BINS];
    size_t n;
    const double *ci = series(run->report, "ci_0", &n);
    chart c = chart_begin(f, title, note, "kW", 300, DAY_HOURS, top_kw);
    for (size_t k = 0; k < 4; k++) {
        binned(run->report, key[k], 1e-3, hi);
        for (size_t i = 0; i < BINS; i++) hi[i] += lo[i];
        chart_area(&c, lo, hi, BINS, (double)DAY_HOURS / BINS, cls[k], 0);
        memcpy(lo, hi, sizeof lo);
        chart_key(&c, cls[k], 1, name[k]);
    }
    chart_key(&c, "cil", 0, "carbon intensity");
    if (n > DAY_HOURS) n = DAY_HOURS;
    chart_right_axis(&c, "gCO2/kWh", 1.05 * largest(ci, n));
    chart_steps(&c, ci, n, 1.0, "cil thin");
    chart_end(&c);
}

static double peak_kw(const outcome *run)
{
    static const char *const key[] = {"power_idle_w", "power_services_w", "power_llm_w", "power_jobs_w"};
    double sum[BINS] = {0}, v[BINS];
    for (size_t k = 0; k < 4; k++) {
        binned(run->report, key[k], 1e-3, v);
        for (size_t i = 0; i < BINS; i++) sum[i] += v[i];
    }
    return largest(sum, BINS);
}

static void pair_chart(FILE *f, const char *title, const char *note, const char *unit, const char *key, double scale,
                       const outcome *base, const outcome *twin)
{
    double b[BINS], t[BINS];
    binned(base->report, key, scale, b);
    binned(twin->report, key, scale, t);
    chart c = chart_begin(f, title, note, unit, 230, DAY_HOURS, fmax(largest(b, BINS), largest(t, BINS)));
    fault_spans(&c, twin->report, 0);
    chart_line(&c, b, BINS, (double)DAY_HOURS / BINS, "b");
    chart_line(&c, t, BINS, (double)DAY_HOURS / BINS, "t");
    chart_key(&c, "b", 0, "baseline");
    chart_key(&c, "t", 0, "cybertwin");
    chart_end(&c);
}

/* ---- numbers ---- */

static void card(FILE *f, const char *value, const char *what, int mood)
{
    fprintf(f, "<div class=\"card\"><b class=\"%s\">%s</b><span>%s</span></div>\n",
            mood > 0   ? "good"
            : mood < 0 ? "bad"
                       : "",
            value, what);
}

static void cards(FILE *f, const outcome *base, const outcome *twin)
{
    char v[64], w[160];
    double cb = report_f64(base->report, "carbon_g"), ct = report_f64(twin->report, "carbon_g");
    double sb = report_f64(base->report, "slo_attainment"), st = report_f64(twin->report, "slo_attainment");
    double eb = report_f64(base->report, "energy_kwh"), et = report_f64(twin->report, "energy_kwh");
    double lb = report_f64(base->report, "llm_mean_s"), lt = report_f64(twin->report, "llm_mean_s");
    fputs("<div class=\"cards\">\n", f);
    snprintf(v, sizeof v, "%+.1f %%", 100.0 * (ct / cb - 1.0));
    snprintf(w, sizeof w, "carbon: %.1f instead of %.1f kg", ct / 1000.0, cb / 1000.0);
    card(f, v, w, ct < cb ? 1 : -1);
    snprintf(v, sizeof v, "%+.1f %%", 100.0 * (et / eb - 1.0));
    snprintf(w, sizeof w, "energy: %.0f instead of %.0f kWh", et, eb);
    card(f, v, w, et < eb ? 1 : -1);
    snprintf(v, sizeof v, "%.2f %%", 100.0 * st);
    snprintf(w, sizeof w, "promises kept, baseline %.2f %%", 100.0 * sb);
    card(f, v, w, st >= sb ? 1 : -1);
    snprintf(v, sizeof v, "%.2f s", lt);
    snprintf(w, sizeof w, "mean LLM answer, baseline %.2f s", lb);
    card(f, v, w, lt <= lb ? 1 : -1);
    snprintf(v, sizeof v, "%.1f %%", report_f64(twin->report, "mape"));
    snprintf(w, sizeof w, "error of the day-ahead forecast (MAPE)");
    card(f, v, w, 0);
    fputs("</div>\n", f);
}

static void row(FILE *f, int inner, const char *what, const char *key, double scale, int decimals, const char *unit,
                const outcome *base, const outcome *twin)
{
    double b = scale * report_f64(base->report, key), t = scale * report_f64(twin->report, key);
    fprintf(f, "<tr><td%s>%s</td><td>%.*f %s</td><td>%.*f %s</td><td>%+.*f %s</td></tr>\n",
            inner ? " class=\"in\"" : "", what, decimals, b, unit, decimals, t, unit, decimals, t - b, unit);
}

static void numbers(FILE *f, const outcome *base, const outcome *twin)
{
    fputs("<figure><h2>Numbers</h2><figcaption>Idle power and services are counted for the 24 hours; jobs and requests "
          "that arrived in the day are followed to their end.</figcaption><table><tr><th></th><th>baseline</th>"
          "<th>cybertwin</th><th>difference</th></tr>\n",
          f);
    row(f, 0, "carbon", "carbon_g", 1e-3, 2, "kg", base, twin);
    row(f, 1, "services", "carbon_services_g", 1e-3, 2, "kg", base, twin);
    row(f, 1, "best-effort jobs", "carbon_jobs_g", 1e-3, 2, "kg", base, twin);
    row(f, 1, "LLM", "carbon_llm_g", 1e-3, 2, "kg", base, twin);
    row(f, 1, "idle power", "carbon_idle_g", 1e-3, 2, "kg", base, twin);
    row(f, 0, "energy", "energy_kwh", 1.0, 1, "kWh", base, twin);
    row(f, 0, "promises kept, mean of the three", "slo_attainment", 100.0, 3, "%", base, twin);
    row(f, 1, "service requests while p99 is in time", "slo_services", 100.0, 3, "%", base, twin);
    row(f, 1, "jobs done by their deadline", "slo_jobs", 100.0, 3, "%", base, twin);
    row(f, 1, "LLM answers in time", "slo_llm", 100.0, 3, "%", base, twin);
    row(f, 0, "jobs that started later than they came", "jobs_delayed", 1.0, 0, "", base, twin);
    row(f, 1, "worst delay", "worst_delay_s", 1.0 / 3600.0, 2, "h", base, twin);
    row(f, 0, "LLM completion, mean", "llm_mean_s", 1.0, 2, "s", base, twin);
    row(f, 1, "99 % of answers within", "llm_p99_s", 1.0, 2, "s", base, twin);
    fprintf(f, "<tr><td>forecast interval coverage (90 %% wanted)</td><td>&ndash;</td><td>%.1f %%</td><td></td></tr>\n",
            100.0 * report_f64(twin->report, "coverage"));
    fprintf(f,
            "<tr><td>optimality gap of the plans, mean (worst)</td><td>&ndash;</td><td>%.3f %% (%.3f %%)</td><td>"
            "</td></tr>\n",
            100.0 * report_f64(twin->report, "gap_mean"), 100.0 * report_f64(twin->report, "gap_max"));
    fputs("</table></figure>\n", f);
}

void write_html(const char *path, const options *o, const inputs *in, const outcome *base, const outcome *twin)
{
    FILE *f = fopen(path, "w");
    if (!f) die("%s cannot be written", path);
    fprintf(f,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            "content=\"width=device-width,initial-scale=1\"><title>A green day</title><style>%s</style></head><body>"
            "<main><h1>A green day: ",
            style);
    html_text(f, o->region);
    fputs(", ", f);
    html_text(f, o->date);
    fputs("</h1><p class=\"sub\">", f);
    fputs(o->data ? "<span class=\"badge\">real</span>" : "<span class=\"badge\">synthetic</span>", f);
    html_text(f, in->source);
    fprintf(f,
            ". %lld servers, %lld best-effort jobs, seed %lld. The same arrivals and faults, lived twice: by a "
            "carbon-agnostic first-come-first-served scheduler at top frequency, and by the cybertwin.</p>\n",
            (long long)o->servers, (long long)o->jobs, (long long)o->seed);
    double top = 1.02 * fmax(peak_kw(base), peak_kw(twin));
    cards(f, base, twin);
    intensity_chart(f, twin);
    power_chart(f, "Power with the cybertwin",
                "Jobs wait for clean hours and everything runs only as fast as its "
                "promise asks for.",
                twin, top);
    power_chart(f, "Power of the baseline",
                "The same work on the same scale, as soon as it arrives and as fast as "
                "possible.",
                base, top);
    pair_chart(f, "Services that keep their promise",
               "Share of the services whose 99th percentile is in time, by "
               "moment.",
               "%", "promise", 100.0, base, twin);
    pair_chart(f, "Best-effort jobs waiting", "Waiting is what makes room for clean hours; deadlines bound it.", "jobs",
               "waiting_jobs", 1.0, base, twin);
    pair_chart(f, "LLM requests waiting",
               "Shortest predicted answer first, with ageing, against first come first served.", "requests",
               "llm_queue", 1.0, base, twin);
    fault_table(f, base, twin);
    numbers(f, base, twin);
    fputs("<footer>Written by the example green_day of libcybertwin ", f);
    html_text(f, ctw_version_string());
    fputs(". Every figure was computed in this run.</footer></main></body></html>\n", f);
    if (fclose(f) != 0) die("%s could not be written to its end", path);
}
