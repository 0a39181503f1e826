/* shapes.h: what calls did: how often each combination of spans, outgoing calls and failure occurred. An exception that
 * cuts calls short, or a branch taken too often, changes these shares long before it changes a mean. */
#ifndef CTW_RCA_SHAPES_H
#define CTW_RCA_SHAPES_H

#include <stddef.h>
#include <stdint.h>

enum { CTW_RCA_SHAPES = 12 }; /* told apart; what comes later is counted together */

typedef struct ctw_rca__shapes {
    uint32_t kinds;
    uint32_t key[CTW_RCA_SHAPES], count[CTW_RCA_SHAPES], rest;
} ctw_rca__shapes;

uint32_t ctw_rca__shape(double spans, double out, double error);
void ctw_rca__shapes_add(ctw_rca__shapes *s, uint32_t key, uint32_t times);
void ctw_rca__shapes_merge(ctw_rca__shapes *s, const ctw_rca__shapes *other);
/* Share of calls that would have to take another shape to turn `past` into `now`, each shape's difference less three
 * standard errors. 0 when one side is empty. */
double ctw_rca__shapes_differ(const ctw_rca__shapes *now, const ctw_rca__shapes *past);

#endif
