// The same host as main.c in Node with koffi. usage: node consumer.js libcybertwin.so
const koffi = require('koffi');
const [HISTORY, SLOTS, NODES, JOBS] = [720, 24, 4, 6];
const lib = koffi.load(process.argv[2]);
const message = lib.func('const char *ctw_error_message()');

// Declares a fallible function and returns a caller that throws its message.
function fallible(prototype) {
  const fn = lib.func(`int32_t ${prototype}`);
  return (...args) => { if (fn(...args) !== 0) throw new Error(message()); };
}
const made = (make, ...args) => { const out = [null]; make(...args, out); return out[0]; };
const unref = (kind, handle) => lib.func(`void ctw_${kind}_unref(void *h)`)(handle);
const doubles = (n, value) => Float64Array.from({ length: n }, (_, i) => value(i));
const ints = (n, value) => BigInt64Array.from({ length: n }, (_, i) => BigInt(value(i)));

const ctx = made(fallible('ctw_ctx_new(void *a, void *u, _Out_ void **out)'), null, null);

const f = made(fallible('ctw_forecast_new(void *ctx, void *params, _Out_ void **out)'), ctx, null);
const mean = new Float64Array(SLOTS);
const series = doubles(HISTORY, i => 420 - (i % 24 - 13) ** 2 + 3 * (Math.floor(i / 24) % 7));
fallible('ctw_forecast_fit(void *f, double *x, uint64_t n, int64_t s, double *e, uint64_t k, uint64_t es, void *c)')(
  f, series, HISTORY, 1, null, 0, 0, null);
fallible('ctw_forecast_predict(void *f, uint64_t h, double c, double *e, uint64_t es, double *m, double *l, double *u)')(
  f, SLOTS, 0.9, null, 0, mean, null, null);
unref('forecast', f);

const p = made(fallible('ctw_place_new(void *ctx, void *params, _Out_ void **out)'), ctx, null);
fallible('ctw_place_set_nodes(void *p, int64_t *id, uint64_t n, double *c, uint64_t r, uint64_t s)')(
  p, ints(NODES, i => 100 + i), NODES, doubles(NODES, () => 8), 1, 1);
fallible('ctw_place_set_node_power(void *p, double *idle, double *unit, uint64_t n, uint64_t s)')(
  p, doubles(NODES, () => 100), doubles(NODES, () => 10), NODES, 1);
fallible('ctw_place_set_jobs(void *p, int64_t *id, uint64_t n, double *d, uint64_t r, uint64_t s, ' +
  'int64_t *rel, int64_t *dead, int64_t *dur)')(p, ints(JOBS, i => i), JOBS, doubles(JOBS, i => 2 + i % 3), 1, 1,
  ints(JOBS, i => i), ints(JOBS, () => SLOTS), ints(JOBS, () => 2));
fallible('ctw_place_set_carbon(void *p, double *ci, uint64_t regions, uint64_t slots, uint64_t s)')(
  p, mean, 1, SLOTS, SLOTS);
const sol = made(fallible('ctw_place_solve(void *p, double deadline, void *cancel, _Out_ void **out)'), p, 5, null);
fallible('ctw_place_verify(void *p, void *s)')(p, sol);
const slot = new BigInt64Array(JOBS);
fallible('ctw_solution_assignment(void *s, int64_t *node, int64_t *slot, uint64_t n)')(sol, null, slot, JOBS);
const report = made(fallible('ctw_solution_report(void *s, _Out_ void **out)'), sol);
const carbon = [0];
fallible('ctw_report_get_f64(void *r, const char *key, _Out_ double *out)')(report, 'carbon_g', carbon);
unref('report', report);
unref('solution', sol);
unref('place', p);

const q = made(fallible('ctw_queue_new(void *ctx, void *params, _Out_ void **out)'), ctx, null);
const push = fallible('ctw_queue_push(void *q, int64_t job, double predicted, double weight, double now)');
const pop = fallible('ctw_queue_pop(void *q, double now, _Out_ int64_t *job)');
slot.forEach((s, i) => push(q, i, 10 * Number(s), 1, i));
const order = Array.from({ length: JOBS }, () => { const job = [0]; pop(q, 100, job); return job[0]; });
unref('queue', q);
unref('ctx', ctx);

console.log(`forecast ${mean[0].toFixed(3)} ${mean[12].toFixed(3)} ${mean[23].toFixed(3)}`);
console.log(`carbon ${carbon[0].toFixed(3)}`);
console.log(`slots ${Array.from(slot).join(' ')}`);
console.log(`order ${order.join(' ')}`);
