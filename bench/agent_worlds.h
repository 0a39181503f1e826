/* agent_worlds.h: classic control problems as callback tables for ctw_env. */
#ifndef CTW_BENCH_AGENT_WORLDS_H
#define CTW_BENCH_AGENT_WORLDS_H

#include "agent.h"

/* Any of the worlds below: up to 64 lanes of a few numbers. */
typedef struct world {
    bench_rng rng;
    double s[64][4];
    int64_t t[64];
    uint8_t grid[400]; /* the open grid's map, made by world_env */
} world;

/* "mountaincar", "cliff", "randomwalk", "cartpole", "grid", "blackjack", "pendulum", "swingup" (real actions); NULL: no
 * such world. */
ctw_env *world_env(ctw_ctx *ctx, const char *name, uint64_t lanes, world *w);
/* One step of the inverted pendulum of Lagoudakis and Parr (2003): force 50 (action - 1) + noise; 1 when it fell. */
int world_pendulum(double *s, int64_t action, bench_rng *g);

#endif
