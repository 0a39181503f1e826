/* chart.c: see chart.h. Coordinates are printed with one decimal: a tenth of a pixel, and small files. */
#include "chart.h"
#include <math.h>
#include <string.h>

void html_text(FILE *f, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc(*text, f);
        }
    }
}

static double x_of(const chart *c, double x)
{
    return c->left + (c->width - c->left - c->right) * fmin(fmax(x / c->x1, 0.0), 1.0);
}

static double y_of(const chart *c, double y)
{
    return c->height - c->bottom - (c->height - c->top - c->bottom) * fmin(fmax(y / c->y1, 0.0), 1.0);
}

/* 1, 2 or 5 times a power of ten, about a fifth of the range. */
static double tick_of(double range)
{
    double raw = range / 5.0, p = pow(10.0, floor(log10(raw))), m = raw / p;
    return p * (m <= 1.0 ? 1.0 : m <= 2.0 ? 2.0 : m <= 5.0 ? 5.0 : 10.0);
}

static void draw_axes(chart *c, const char *unit)
{
    double tick = tick_of(c->y1);
    c->y1 = tick * ceil(c->y1 / tick - 1e-9);
    for (double y = 0.0; y <= c->y1 * 1.0001; y += tick) {
        fprintf(c->f, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", c->left, y_of(c, y), c->width - c->right);
        fprintf(c->f, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>", c->left - 8.0,
                y_of(c, y) + 4.0, y);
    }
    for (double x = 0.0; x <= c->x1 + 0.01; x += 3.0)
        fprintf(c->f, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%02.0f:00</text>", x_of(c, x),
                c->height - c->bottom + 18.0, fmod(x, 24.0));
    fprintf(c->f, "<text class=\"unit\" x=\"%.1f\" y=\"%.1f\">", c->left, c->top - 10.0);
    html_text(c->f, unit);
    fputs("</text>\n", c->f);
}

chart chart_begin(FILE *f, const char *title, const char *note, const char *unit, double height, double x1, double y1)
{
    chart c = {f, 1000.0, height, 58.0, 58.0, 30.0, 28.0, x1, y1 > 0.0 ? y1 : 1.0, 0.0};
    c.key_x = c.left + 90.0;
    fputs("<figure><h2>", f);
    html_text(f, title);
    fputs("</h2><figcaption>", f);
    html_text(f, note);
    fprintf(f, "</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", c.width, c.height);
    html_text(f, title);
    fputs("\">\n", f);
    draw_axes(&c, unit);
    return c;
}

void chart_end(chart *c)
{
    fprintf(c->f, "<path class=\"base\" d=\"M%.1f %.1fH%.1f\"/></svg></figure>\n", c->left, y_of(c, 0.0),
            c->width - c->right);
}

void chart_span(chart *c, double from, double to, const char *label)
{
    double a = x_of(c, from), b = fmax(x_of(c, to), a + 1.5);
    fprintf(c->f, "<rect class=\"span\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", a, c->top, b - a,
            c->height - c->top - c->bottom);
    fprintf(c->f, "<text class=\"spanlabel\" x=\"%.1f\" y=\"%.1f\">", a + 4.0, c->top + 12.0);
    html_text(c->f, label);
    fputs("</text>\n", c->f);
}

static void points(const chart *c, const double *y, size_t n, double step)
{
    for (size_t i = 0; i < n; i++)
        fprintf(c->f, "%s%.1f %.1f", i ? "L" : "M", x_of(c, ((double)i + 0.5) * step), y_of(c, y[i]));
}

static void stairs(const chart *c, const double *y, size_t n, double step)
{
    for (size_t i = 0; i < n; i++)
        fprintf(c->f, "%s%.1f %.1fH%.1f", i ? "L" : "M", x_of(c, (double)i * step), y_of(c, y[i]),
                x_of(c, (double)(i + 1) * step));
}

void chart_line(chart *c, const double *y, size_t n, double step, const char *style)
{
    fprintf(c->f, "<path class=\"line %s\" d=\"", style);
    points(c, y, n, step);
    fputs("\"/>\n", c->f);
}

void chart_steps(chart *c, const double *y, size_t n, double step, const char *style)
{
    fprintf(c->f, "<path class=\"line %s\" d=\"", style);
    stairs(c, y, n, step);
    fputs("\"/>\n", c->f);
}

void chart_area(chart *c, const double *lo, const double *hi, size_t n, double step, const char *style, int steps)
{
    fprintf(c->f, "<path class=\"area %s\" d=\"", style);
    if (steps)
        stairs(c, hi, n, step);
    else
        points(c, hi, n, step);
    for (size_t i = n; i-- > 0;) {
        if (steps)
            fprintf(c->f, "L%.1f %.1fH%.1f", x_of(c, (double)(i + 1) * step), y_of(c, lo[i]),
                    x_of(c, (double)i * step));
        else
            fprintf(c->f, "L%.1f %.1f", x_of(c, ((double)i + 0.5) * step), y_of(c, lo[i]));
    }
    fputs("Z\"/>\n", c->f);
}

void chart_right_axis(chart *c, const char *unit, double y1)
{
    double tick = tick_of(y1);
    c->y1 = tick * ceil(y1 / tick - 1e-9);
    for (double y = 0.0; y <= c->y1 * 1.0001; y += tick)
        fprintf(c->f, "<text class=\"tick ci\" x=\"%.1f\" y=\"%.1f\">%g</text>", c->width - c->right + 8.0,
                y_of(c, y) + 4.0, y);
    fprintf(c->f, "<text class=\"unit ci\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", c->width - 2.0, c->top - 10.0);
    html_text(c->f, unit);
    fputs("</text>\n", c->f);
}

void chart_key(chart *c, const char *style, int area, const char *name)
{
    double y = c->top - 14.0;
    if (area)
        fprintf(c->f, "<rect class=\"area %s\" x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"10\"/>", style, c->key_x,
                y - 5.0);
    else
        fprintf(c->f, "<path class=\"line %s\" d=\"M%.1f %.1fh16\"/>", style, c->key_x, y);
    fprintf(c->f, "<text class=\"key\" x=\"%.1f\" y=\"%.1f\">", c->key_x + 20.0, y + 4.0);
    html_text(c->f, name);
    fputs("</text>\n", c->f);
    c->key_x += 44.0 + 6.4 * (double)strlen(name);
}
