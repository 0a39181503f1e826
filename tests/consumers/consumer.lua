-- The same host as main.c in LuaJIT: the preprocessed header is the binding.
-- usage: luajit consumer.lua libcybertwin.so header.i
local ffi = require("ffi")
ffi.cdef(assert(io.open(arg[2])):read("*a"))
local lib = ffi.load(arg[1])
local HISTORY, SLOTS, NODES, JOBS = 720, 24, 4, 6

local function ok(status, what)
  if status ~= 0 then error(what .. ": " .. ffi.string(lib.ctw_error_message())) end
end

local function fill(kind, n, value)
  local a = ffi.new(kind .. "[?]", n)
  for i = 0, n - 1 do a[i] = value(i) end
  return a
end

local ctx = ffi.new("ctw_ctx *[1]")
ok(lib.ctw_ctx_new(nil, nil, ctx), "context")
ctx = ctx[0]

local series = fill("double", HISTORY, function(i)
  local h, d = i % 24, math.floor(i / 24) % 7
  return 420 - (h - 13) ^ 2 + 3 * d
end)
local mean = ffi.new("double[?]", SLOTS)
local f = ffi.new("ctw_forecast *[1]")
ok(lib.ctw_forecast_new(ctx, nil, f), "forecast")
ok(lib.ctw_forecast_fit(f[0], series, HISTORY, 1, nil, 0, 0, nil), "fit")
ok(lib.ctw_forecast_predict(f[0], SLOTS, 0.9, nil, 0, mean, nil, nil), "predict")
lib.ctw_forecast_unref(f[0])

local slot = ffi.new("int64_t[?]", JOBS)
local p = ffi.new("ctw_place *[1]")
ok(lib.ctw_place_new(ctx, nil, p), "place")
p = p[0]
ok(lib.ctw_place_set_nodes(p, fill("int64_t", NODES, function(i) return 100 + i end), NODES,
  fill("double", NODES, function() return 8 end), 1, 1), "nodes")
ok(lib.ctw_place_set_node_power(p, fill("double", NODES, function() return 100 end),
  fill("double", NODES, function() return 10 end), NODES, 1), "power")
ok(lib.ctw_place_set_jobs(p, fill("int64_t", JOBS, function(i) return i end), JOBS,
  fill("double", JOBS, function(i) return 2 + i % 3 end), 1, 1, fill("int64_t", JOBS, function(i) return i end),
  fill("int64_t", JOBS, function() return SLOTS end), fill("int64_t", JOBS, function() return 2 end)), "jobs")
ok(lib.ctw_place_set_carbon(p, mean, 1, SLOTS, SLOTS), "carbon")
local sol, r, carbon = ffi.new("ctw_solution *[1]"), ffi.new("ctw_report *[1]"), ffi.new("double[1]")
ok(lib.ctw_place_solve(p, 5.0, nil, sol), "solve")
ok(lib.ctw_place_verify(p, sol[0]), "verify")
ok(lib.ctw_solution_assignment(sol[0], nil, slot, JOBS), "assignment")
ok(lib.ctw_solution_report(sol[0], r), "report")
ok(lib.ctw_report_get_f64(r[0], "carbon_g", carbon), "carbon")
lib.ctw_report_unref(r[0])
lib.ctw_solution_unref(sol[0])
lib.ctw_place_unref(p)

local q, job, slots, order = ffi.new("ctw_queue *[1]"), ffi.new("int64_t[1]"), {}, {}
ok(lib.ctw_queue_new(ctx, nil, q), "queue")
for i = 0, JOBS - 1 do
  ok(lib.ctw_queue_push(q[0], i, 10 * tonumber(slot[i]), 1, i), "push")
  slots[#slots + 1] = tostring(tonumber(slot[i]))
end
for _ = 1, JOBS do
  ok(lib.ctw_queue_pop(q[0], 100, job), "pop")
  order[#order + 1] = tostring(tonumber(job[0]))
end
lib.ctw_queue_unref(q[0])
lib.ctw_ctx_unref(ctx)

print(string.format("forecast %.3f %.3f %.3f", mean[0], mean[12], mean[23]))
print(string.format("carbon %.3f", carbon[0]))
print("slots " .. table.concat(slots, " "))
print("order " .. table.concat(order, " "))
