"""An environment with Gymnasium's reset/step, learnt by ctw_agent through ctypes: the cliff of Sutton and Barto (2018,
example 6.6). Run: python3 cliff.py PATH_TO_libcybertwin.so. Needs nothing but the standard library; any object with the
same reset and step, e.g. gymnasium.make("CliffWalking-v0"), can take the environment's place."""
import ctypes as c
import sys


class Cliff:
    """48 cells, 4 moves; -1 a step, -100 and back to the start for the cliff, done at the goal."""

    def reset(self):
        self.cell = 36
        return self.cell, {}

    def step(self, action):
        y, x = divmod(self.cell, 12)
        dy, dx = ((-1, 0), (0, 1), (1, 0), (0, -1))[action]
        y, x = min(max(y + dy, 0), 3), min(max(x + dx, 0), 11)
        fell = y == 3 and 0 < x < 11
        self.cell = 36 if fell else 12 * y + x
        return self.cell, -100.0 if fell else -1.0, self.cell == 47, False, {}


class Agent:
    """The calls of cybertwin/agent.h that a loop needs."""

    def __init__(self, path, **options):
        self.lib = lib = c.CDLL(path)
        lib.ctw_error_message.restype = c.c_char_p
        lib.ctw_agent_unref.argtypes = lib.ctw_ctx_unref.argtypes = lib.ctw_params_unref.argtypes = [c.c_void_p]
        lib.ctw_agent_unref.restype = lib.ctw_ctx_unref.restype = lib.ctw_params_unref.restype = None
        real = c.POINTER(c.c_double)
        lib.ctw_agent_act.argtypes = [c.c_void_p, real, c.c_uint64, c.c_void_p, c.POINTER(c.c_int64)]
        lib.ctw_agent_greedy.argtypes = lib.ctw_agent_act.argtypes + [real]
        lib.ctw_agent_learn.argtypes = [c.c_void_p, c.c_double, real, c.c_uint64, c.c_void_p, c.c_int32]
        lib.ctw_agent_end_episode.argtypes = [c.c_void_p]
        self.ctx, params, self.agent = c.c_void_p(), c.c_void_p(), c.c_void_p()
        self.okay(lib.ctw_ctx_new(None, None, c.byref(self.ctx)))
        self.okay(lib.ctw_params_new(self.ctx, b"agent", c.byref(params)))
        for key, value in options.items():
            self.okay(lib.ctw_params_set_text(params, key.encode(), str(value).encode()))
        self.okay(lib.ctw_agent_new(self.ctx, params, c.byref(self.agent)))
        lib.ctw_params_unref(params)

    def okay(self, status):
        if status != 0:
            raise RuntimeError(self.lib.ctw_error_message().decode())

    def act(self, state, explore=True):
        action, phi = c.c_int64(), c.c_double(state)
        args = [self.agent, c.byref(phi), 1, None, c.byref(action)]
        self.okay(self.lib.ctw_agent_act(*args) if explore else self.lib.ctw_agent_greedy(*args, None))
        return action.value

    def learn(self, reward, state, terminal):
        self.okay(self.lib.ctw_agent_learn(self.agent, reward, c.byref(c.c_double(state)), 1, None, terminal))

    def cut(self):
        self.okay(self.lib.ctw_agent_end_episode(self.agent))

    def close(self):
        self.lib.ctw_agent_unref(self.agent)
        self.lib.ctw_ctx_unref(self.ctx)


def episode(env, agent, learn, limit=1000):
    state, _ = env.reset()
    total = 0.0
    for _ in range(limit):
        action = agent.act(state, explore=learn)
        state, reward, terminal, truncated, _ = env.step(action)
        total += reward
        if learn:
            agent.learn(reward, state, terminal)
        if terminal or truncated:
            return total
    if learn:
        agent.cut()
    return total


def main():
    env = Cliff()
    agent = Agent(sys.argv[1], states=48, actions=4, algo="q", alpha=0.5, gamma=1, epsilon=0.1, ties="random")
    for _ in range(500):
        episode(env, agent, learn=True)
    best = episode(env, agent, learn=False)
    agent.close()
    print(f"greedy return {best:g}, the shortest safe path is -13")
    return 0 if best == -13 else 1


if __name__ == "__main__":
    sys.exit(main())
