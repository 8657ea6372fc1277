-- SPDX-License-Identifier: Apache-2.0
-- wrk script: rotates over the request bodies of a file, one a line, rendered once before the run.
-- BENCH_BODIES names the file, BENCH_PATH the path. Ends with one JSON line for the harness.

local requests = {}
local count = 0
local at = 0

function init(_)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  for body in io.lines(os.getenv("BENCH_BODIES")) do
    count = count + 1
    requests[count] = wrk.format(nil, os.getenv("BENCH_PATH"), nil, body)
  end
end

function request()
  at = at % count + 1
  return requests[at]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "failed": %d, "seconds": %.6f, "p50_us": %.1f, "p99_us": %.1f}\n',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.duration / 1e6, latency:percentile(50), latency:percentile(99)))
end
