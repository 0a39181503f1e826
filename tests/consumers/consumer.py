"""The same host as main.c in Python, ctypes only: no header, no compiler. usage: consumer.py libcybertwin.so"""
import ctypes as C
import sys

HISTORY, SLOTS, NODES, JOBS = 720, 24, 4, 6
lib = C.CDLL(sys.argv[1])
lib.ctw_error_message.restype = C.c_char_p


def call(name, *args):
    """Calls a fallible function; Python floats become doubles, ints int64."""
    wrap = {int: C.c_int64, float: C.c_double}
    fn = getattr(lib, name)
    fn.restype = C.c_int32
    if fn(*[wrap[type(a)](a) if type(a) in wrap else a for a in args]):
        raise RuntimeError(f"{name}: {lib.ctw_error_message().decode()}")


def new(name, *args):
    handle = C.c_void_p()
    call(name, *args, C.byref(handle))
    return handle


def doubles(values):
    values = list(values)
    return (C.c_double * len(values))(*values)


def ints(values):
    values = list(values)
    return (C.c_int64 * len(values))(*values)


def unref(kind, handle):
    getattr(lib, f"ctw_{kind}_unref")(handle)


def forecast(ctx):
    series = doubles(420.0 - (h % 24 - 13) ** 2 + 3.0 * (h // 24 % 7) for h in range(HISTORY))
    mean = doubles([0.0] * SLOTS)
    f = new("ctw_forecast_new", ctx, None)
    call("ctw_forecast_fit", f, series, HISTORY, 1, None, 0, 0, None)
    call("ctw_forecast_predict", f, SLOTS, 0.9, None, 0, mean, None, None)
    unref("forecast", f)
    return mean


def place(ctx, mean):
    slot, carbon = ints([0] * JOBS), C.c_double()
    p = new("ctw_place_new", ctx, None)
    call("ctw_place_set_nodes", p, ints(100 + i for i in range(NODES)), NODES, doubles([8.0] * NODES), 1, 1)
    call("ctw_place_set_node_power", p, doubles([100.0] * NODES), doubles([10.0] * NODES), NODES, 1)
    call("ctw_place_set_jobs", p, ints(range(JOBS)), JOBS, doubles(2.0 + i % 3 for i in range(JOBS)), 1, 1,
         ints(range(JOBS)), ints([SLOTS] * JOBS), ints([2] * JOBS))
    call("ctw_place_set_carbon", p, mean, 1, SLOTS, SLOTS)
    sol = new("ctw_place_solve", p, 5.0, None)
    call("ctw_place_verify", p, sol)
    call("ctw_solution_assignment", sol, None, slot, JOBS)
    r = new("ctw_solution_report", sol)
    call("ctw_report_get_f64", r, b"carbon_g", C.byref(carbon))
    unref("report", r)
    unref("solution", sol)
    unref("place", p)
    return slot, carbon.value


def queue(ctx, slot):
    q, job, order = new("ctw_queue_new", ctx, None), C.c_int64(), []
    for i in range(JOBS):
        call("ctw_queue_push", q, i, 10.0 * slot[i], 1.0, float(i))
    for _ in range(JOBS):
        call("ctw_queue_pop", q, 100.0, C.byref(job))
        order.append(job.value)
    unref("queue", q)
    return order


ctx = new("ctw_ctx_new", None, None)
mean = forecast(ctx)
slot, carbon = place(ctx, mean)
order = queue(ctx, slot)
print(f"forecast {mean[0]:.3f} {mean[12]:.3f} {mean[23]:.3f}")
print(f"carbon {carbon:.3f}")
print("slots", *slot)
print("order", *order)
unref("ctx", ctx)
