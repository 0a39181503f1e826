"""A world of one's own for ctw_policy, through ctypes: any object with Gymnasium's reset and step becomes a table of
callbacks (ctw_env_new_real), the library runs the loop and learns a policy with a real action by clipped PPO. The world
is a cart to be held at 0: linear dynamics and a quadratic cost, so that the best policy is known (a linear regulator)
and what was learnt can be judged. Run: python3 own_world.py PATH_TO_libcybertwin.so."""
import ctypes as c
import random
import sys

REAL = c.POINTER(c.c_double)
RESET = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_uint64, REAL)
STEP = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_uint64, REAL, REAL, REAL, c.POINTER(c.c_int32))
RUNNING, TERMINAL, TRUNCATED, FAILED = 0, 1, 2, -1
DT = 0.2


class Cart:
    """Place and speed; the action is a force. 40 steps."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def reset(self):
        self.x, self.v, self.t = self.random.uniform(-1, 1), self.random.uniform(-1, 1), 0
        return (self.x, self.v), {}

    def step(self, action):
        reward = -(self.x**2 + 0.1 * self.v**2 + 0.1 * action**2)
        self.x, self.v, self.t = self.x + DT * self.v, self.v + DT * action, self.t + 1
        return (self.x, self.v), reward, False, self.t == 40, {}


class Callbacks:
    """The table of callbacks around such an object (one lane). Whatever it raises ends the run as CTW_E_BACKEND."""

    def __init__(self, world):
        self.world, self.error = world, None
        self.reset, self.step = RESET(self.on_reset), STEP(self.on_step)  # kept alive as long as the handle is

    def on_reset(self, user, lane, obs):
        try:
            obs[0], obs[1] = self.world.reset()[0]
            return RUNNING
        except Exception as error:
            self.error = error
            return FAILED

    def on_step(self, user, lanes, action, obs, reward, state):
        try:
            (obs[0], obs[1]), reward[0], terminal, truncated, _ = self.world.step(action[0])
            state[0] = TERMINAL if terminal else TRUNCATED if truncated else RUNNING
            return 0
        except Exception as error:
            self.error = error
            return FAILED


class Library:
    def __init__(self, path):
        self.lib = c.CDLL(path)
        self.lib.ctw_error_message.restype = c.c_char_p

    def __call__(self, name, *args):
        if getattr(self.lib, "ctw_" + name)(*args) != 0:
            raise RuntimeError(self.lib.ctw_error_message().decode())

    def options(self, ctx, kind, **options):
        params = c.c_void_p()
        self("params_new", ctx, kind.encode(), c.byref(params))
        for key, value in options.items():
            self("params_set_text", params, key.encode(), str(value).encode())
        return params


def regulator():
    """Gains of the best linear policy, by iterating the Riccati equation with the discount the learner uses."""
    gamma, p = 0.95, [[0.0, 0.0], [0.0, 0.0]]
    for _ in range(500):
        a, b, d = p[0][0], p[0][1], p[1][1]
        # x' = A x + B u with A = [[1, DT], [0, 1]], B = [0, DT]
        bpb, bpa = DT * DT * d, (DT * b, DT * (b * DT + d))
        gain = [gamma * w / (0.1 + gamma * bpb) for w in bpa]
        apa = [[a, a * DT + b], [a * DT + b, (a * DT + b) * DT + b * DT + d]]
        cost = [[1.0, 0.0], [0.0, 0.1]]
        p = [[cost[i][j] + gamma * apa[i][j] - gamma * bpa[i] * gain[j] for j in range(2)] for i in range(2)]
    return gain


def mean_return(act, episodes=200):
    world, total = Cart(seed=1000), 0.0
    for _ in range(episodes):
        state, _ = world.reset()
        done = False
        while not done:
            state, reward, _, done, _ = world.step(act(state))
            total += reward
    return total / episodes


def main():
    call = Library(sys.argv[1])
    ctx, policy, features, env, none = (c.c_void_p() for _ in range(5))
    two = c.c_double * 2
    call("ctx_new", None, None, c.byref(ctx))
    params = call.options(ctx, "features", form="poly", dims=2, order=2)  # 1, x, v, x^2, x v, v^2
    call("features_new", ctx, params, c.byref(features))
    call("features_set_ranges", features, two(-2, -2), two(2, 2), None, c.c_uint64(2))
    call.lib.ctw_params_unref(params)
    params = call.options(ctx, "policy", form="linear", policy="gaussian", algo="ppo", gamma=0.95, **{"lambda": 0.9},
                          sd=0.5, sd_min=0.3, alpha=0.01, alpha_critic=0.3, batch=1600, minibatch=100)
    call("policy_new", ctx, params, c.byref(policy))
    call.lib.ctw_params_unref(params)
    call("policy_set_features", policy, features)
    table = Callbacks(Cart(seed=1))
    call("env_new_real", ctx, c.c_uint64(2), c.c_uint64(1), c.c_uint64(1), table.reset, table.step, None, c.byref(env))

    mean = c.c_double()

    def greedy(state):
        call("policy_normal", policy, two(*state), c.c_uint64(2), c.byref(mean), None, c.c_uint64(1))
        return mean.value

    gain = regulator()
    best = mean_return(lambda s: -(gain[0] * s[0] + gain[1] * s[1]))
    before = mean_return(greedy)
    call("policy_run", policy, env, c.c_int64(3000), c.c_int64(0), c.c_int32(1), None, None)
    after = mean_return(greedy)
    print(f"mean return {before:.2f} before, {after:.2f} after 3000 episodes; the linear regulator earns {best:.2f}")
    for handle, kind in ((env, "env"), (policy, "policy"), (features, "features"), (ctx, "ctx")):
        getattr(call.lib, f"ctw_{kind}_unref")(handle)
    return 0 if after > best - 0.1 * abs(best) else 1


if __name__ == "__main__":
    sys.exit(main())
