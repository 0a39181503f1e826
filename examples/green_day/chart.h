/* chart.h: line, band and stack charts as inline SVG: enough for one report, nothing else. */
#ifndef GREEN_DAY_CHART_H
#define GREEN_DAY_CHART_H

#include <stddef.h>
#include <stdio.h>

typedef struct chart {
    FILE *f;
    double width, height, left, right, top, bottom; /* pixels of the view box */
    double x1, y1;                                  /* data range: 0..x1 hours, 0..y1 */
    double key_x;                                   /* where the next key of the legend goes */
} chart;

/* Opens a figure with title and axes; y1 is rounded up to a whole tick. */
chart chart_begin(FILE *f, const char *title, const char *note, const char *unit, double height, double x1, double y1);
void chart_end(chart *c);
/* Shaded time span behind the data, with a short label at its top. */
void chart_span(chart *c, double from, double to, const char *label);
/* Values y[0..n) at x = (i + 0.5) * step. style: class of the style sheet. */
void chart_line(chart *c, const double *y, size_t n, double step, const char *style);
/* The same as steps that hold from i * step to the next. */
void chart_steps(chart *c, const double *y, size_t n, double step, const char *style);
/* Area between two lines. */
void chart_area(chart *c, const double *lo, const double *hi, size_t n, double step, const char *style, int steps);
/* A line on a right-hand axis of its own that ends at y1. */
void chart_right_axis(chart *c, const char *unit, double y1);
/* A key of the legend: a swatch of that style and its name. */
void chart_key(chart *c, const char *style, int area, const char *name);

/* Text with <, > and & made harmless. */
void html_text(FILE *f, const char *text);

#endif
