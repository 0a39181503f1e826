/* agent_worlds.c: the classic problems, each as published: Mountain Car, cliff, 19-state random walk and Blackjack of
 * Sutton and Barto (2018), CartPole-v1 of Gym, the pendulum of Lagoudakis and Parr (2003), an open 10 x 10 grid. */
#include "agent_worlds.h"
#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

/* ---- Mountain Car: section 10.1; start U[-.6, -.4], reward -1, ends at x >= .5 ---- */
static int32_t car_reset(void *user, uint64_t lane, double *obs)
{
    world *w = user;
    w->s[lane][0] = obs[0] = -0.6 + 0.2 * bench_rng_u(&w->rng);
    w->s[lane][1] = obs[1] = 0.0;
    return CTW_ENV_RUNNING;
}

static int32_t car_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        double x = w->s[i][0], v = w->s[i][1] + 0.001 * (double)(action[i] - 1) - 0.0025 * cos(3.0 * x);
        v = v < -0.07 ? -0.07 : v > 0.07 ? 0.07 : v;
        x += v;
        if (x < -1.2) {
            x = -1.2;
            v = 0.0;
        }
        w->s[i][0] = obs[2 * i] = x;
        w->s[i][1] = obs[2 * i + 1] = v;
        reward[i] = -1.0;
        state[i] = x >= 0.5 ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    }
    return 0;
}

/* ---- Grids: the cliff of example 6.6, and an open one for speed ---- */
static int32_t cliff_reset(void *user, uint64_t lane, double *obs)
{
    ((world *)user)->t[lane] = 36;
    obs[0] = 36;
    return CTW_ENV_RUNNING;
}

static int32_t cliff_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward,
                          int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        int64_t y = w->t[i] / 12, x = w->t[i] % 12;
        y += action[i] == 0 ? -(y > 0) : action[i] == 1 ? y < 3 : 0;
        x += action[i] == 2 ? -(x > 0) : action[i] == 3 ? x < 11 : 0;
        int fell = y == 3 && x > 0 && x < 11;
        w->t[i] = fell ? 36 : 12 * y + x;
        obs[i] = (double)w->t[i];
        reward[i] = fell ? -100.0 : -1.0;
        state[i] = w->t[i] == 47 ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    }
    return 0;
}

static int32_t grid_reset(void *user, uint64_t lane, double *obs)
{
    ((world *)user)->t[lane] = 0;
    obs[0] = 0;
    return CTW_ENV_RUNNING;
}

/* Where each action (right, left, up, down) leads from each cell: a table, as a host with a known map has it. */
static void grid_map(uint8_t *to)
{
    for (int s = 0; s < 100; s++) {
        int x = s % 10, y = s / 10;
        *to++ = (uint8_t)(x < 9 ? s + 1 : s);
        *to++ = (uint8_t)(x > 0 ? s - 1 : s);
        *to++ = (uint8_t)(y < 9 ? s + 10 : s);
        *to++ = (uint8_t)(y > 0 ? s - 10 : s);
    }
}

static int32_t grid_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        uint8_t s = w->grid[4 * w->t[i] + action[i]];
        w->t[i] = s;
        obs[i] = (double)s;
        reward[i] = -1.0;
        state[i] = s == 99;
    }
    return 0;
}

/* ---- Random walk over 19 states, section 12.1: -1 at the left end, +1 at the right ---- */
static int32_t walk_reset(void *user, uint64_t lane, double *obs)
{
    ((world *)user)->t[lane] = 9;
    obs[0] = 9;
    return CTW_ENV_RUNNING;
}

static int32_t walk_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    world *w = user;
    (void)action;
    for (uint64_t i = 0; i < lanes; i++) {
        int64_t s = w->t[i] += bench_rng_u64(&w->rng) >> 63 ? 1 : -1;
        int end = s < 0 || s > 18;
        reward[i] = s < 0 ? -1.0 : s > 18 ? 1.0 : 0.0;
        state[i] = end ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
        obs[i] = end ? 0.0 : (double)s;
    }
    return 0;
}

/* ---- CartPole-v1: reward 1 a step, ends beyond 2.4 m or 12 degrees, cut at 500 by max_steps ---- */
static int32_t pole_reset(void *user, uint64_t lane, double *obs)
{
    world *w = user;
    for (int i = 0; i < 4; i++) w->s[lane][i] = obs[i] = 0.1 * bench_rng_u(&w->rng) - 0.05;
    return CTW_ENV_RUNNING;
}

static int32_t pole_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward, int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        double *s = w->s[i], c = cos(s[2]), n = sin(s[2]), force = action[i] ? 10.0 : -10.0;
        double temp = (force + 0.05 * s[3] * s[3] * n) / 1.1;
        double turn = (9.8 * n - c * temp) / (0.5 * (4.0 / 3.0 - 0.1 * c * c / 1.1));
        double move = temp - 0.05 * turn * c / 1.1;
        s[0] += 0.02 * s[1];
        s[1] += 0.02 * move;
        s[2] += 0.02 * s[3];
        s[3] += 0.02 * turn;
        memcpy(obs + 4 * i, s, 4 * sizeof *s);
        reward[i] = 1.0;
        state[i] =
            fabs(s[0]) > 2.4 || fabs(s[2]) > 12 * 3.14159265358979323846 / 180 ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    }
    return 0;
}

/* ---- Blackjack, example 5.1: state (sum 12..21, dealer's card, usable ace); action 1 hits ---- */
static int64_t card(bench_rng *g)
{
    int64_t c = 1 + bench_rng_below(g, 13);
    return c > 10 ? 10 : c;
}

/* s: the sum, the dealer's card, a usable ace. */
static void draw(bench_rng *g, double *sum, double *ace)
{
    int64_t c = card(g);
    *sum += c == 1 && *sum <= 10 ? 11.0 : (double)c;
    if (c == 1 && *sum <= 21 && *sum - 11 <= 10) *ace = 1.0;
    if (*sum > 21 && *ace > 0) {
        *sum -= 10;
        *ace = 0;
    }
}

static double blackjack_state(const double *s)
{
    return (s[0] - 12) * 20 + (s[1] - 1) * 2 + s[2];
}

static int32_t blackjack_reset(void *user, uint64_t lane, double *obs)
{
    world *w = user;
    double *s = w->s[lane];
    s[0] = s[2] = 0.0;
    while (s[0] < 12) draw(&w->rng, &s[0], &s[2]);
    s[1] = (double)card(&w->rng);
    obs[0] = blackjack_state(s);
    return CTW_ENV_RUNNING;
}

static double dealer(bench_rng *g, double shown)
{
    double sum = shown == 1 ? 11 : shown, ace = shown == 1;
    while (sum < 17) draw(g, &sum, &ace);
    return sum;
}

static int32_t blackjack_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward,
                              int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        double *s = w->s[i];
        reward[i] = 0.0;
        state[i] = CTW_ENV_TERMINAL;
        obs[i] = 0.0;
        if (action[i] == 1) {
            draw(&w->rng, &s[0], &s[2]);
            if (s[0] > 21) {
                reward[i] = -1.0;
                continue;
            }
            state[i] = CTW_ENV_RUNNING;
            obs[i] = blackjack_state(s);
        } else {
            double d = dealer(&w->rng, s[1]);
            reward[i] = d > 21 || s[0] > d ? 1.0 : s[0] < d ? -1.0 : 0.0;
        }
    }
    return 0;
}

/* ---- Inverted pendulum: 2 kg on 8 kg, .5 m, 100 ms, force +-50 N with U(-10, 10) N on it ---- */
int world_pendulum(double *s, int64_t action, bench_rng *g)
{
    double u = 50.0 * (double)(action - 1) + 20.0 * bench_rng_u(g) - 10.0, share = 1.0 / 10.0;
    double c = cos(s[0]), n = sin(s[0]);
    double acc =
        (9.8 * n - share * s[1] * s[1] * sin(2.0 * s[0]) / 2.0 - share * c * u) / (4.0 * 0.5 / 3.0 - share * c * c);
    s[1] += 0.1 * acc;
    s[0] += 0.1 * s[1];
    return fabs(s[0]) > 1.57079632679489661923;
}

static int32_t pendulum_reset(void *user, uint64_t lane, double *obs)
{
    world *w = user;
    for (int i = 0; i < 2; i++) w->s[lane][i] = obs[i] = 0.2 * bench_rng_u(&w->rng) - 0.1;
    return CTW_ENV_RUNNING;
}

static int32_t pendulum_step(void *user, uint64_t lanes, const int64_t *action, double *obs, double *reward,
                             int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        int fell = world_pendulum(w->s[i], action[i], &w->rng);
        obs[2 * i] = w->s[i][0];
        obs[2 * i + 1] = w->s[i][1];
        reward[i] = fell ? -1.0 : 0.0;
        state[i] = fell ? CTW_ENV_TERMINAL : CTW_ENV_RUNNING;
    }
    return 0;
}

/* ---- Pendulum-v1 of Gym: swing up with a torque of +-2; observed as angle (0 is up) and its rate; 200 steps ---- */
static int32_t swing_reset(void *user, uint64_t lane, double *obs)
{
    world *w = user;
    w->s[lane][0] = obs[0] = PI * (2.0 * bench_rng_u(&w->rng) - 1.0);
    w->s[lane][1] = obs[1] = 2.0 * bench_rng_u(&w->rng) - 1.0;
    return CTW_ENV_RUNNING;
}

static int32_t swing_step(void *user, uint64_t lanes, const double *action, double *obs, double *reward, int32_t *state)
{
    world *w = user;
    for (uint64_t i = 0; i < lanes; i++) {
        double *s = w->s[i], u = action[i] < -2.0 ? -2.0 : action[i] > 2.0 ? 2.0 : action[i];
        reward[i] = -(s[0] * s[0] + 0.1 * s[1] * s[1] + 0.001 * u * u);
        s[1] += 0.05 * (15.0 * sin(s[0]) + 3.0 * u);
        s[1] = s[1] < -8.0 ? -8.0 : s[1] > 8.0 ? 8.0 : s[1];
        s[0] += 0.05 * s[1];
        s[0] -= 2.0 * PI * floor((s[0] + PI) / (2.0 * PI));
        obs[2 * i] = s[0];
        obs[2 * i + 1] = s[1];
        state[i] = CTW_ENV_RUNNING;
    }
    return 0;
}

ctw_env *world_env(ctw_ctx *ctx, const char *name, uint64_t lanes, world *w)
{
    static const struct {
        const char *name;
        uint64_t dims, actions;
        ctw_env_reset_fn reset;
        ctw_env_step_fn step;
    } worlds[] = {{"mountaincar", 2, 3, car_reset, car_step},
                  {"cliff", 1, 4, cliff_reset, cliff_step},
                  {"grid", 1, 4, grid_reset, grid_step},
                  {"randomwalk", 1, 1, walk_reset, walk_step},
                  {"cartpole", 4, 2, pole_reset, pole_step},
                  {"blackjack", 1, 2, blackjack_reset, blackjack_step},
                  {"pendulum", 2, 3, pendulum_reset, pendulum_step}};
    ctw_env *e;
    if (lanes > 64) bench_die(2, "at most 64 lanes");
    grid_map(w->grid);
    if (strcmp(name, "swingup") == 0) {
        bench_ok(ctw_env_new_real(ctx, 2, 1, lanes, swing_reset, swing_step, w, &e), name);
        return e;
    }
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++)
        if (strcmp(worlds[i].name, name) == 0) {
            bench_ok(ctw_env_new(ctx, worlds[i].dims, worlds[i].actions, lanes, worlds[i].reset, worlds[i].step, NULL,
                                 w, &e),
                     name);
            return e;
        }
    return NULL;
}
