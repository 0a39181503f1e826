/* chart.c */
typedef int chart_unused;
