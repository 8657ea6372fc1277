/* SPDX-License-Identifier: Apache-2.0 */
// From the API's traffic points to the columns that charts draw.

import type { Traffic, TrafficPoint } from './types';

type Values = (number | null)[];

/** Columns of equal length over one regular time axis, in seconds. */
export interface Series {
  at_s: number[];
  rate: Values;
  failures: Values;
  p50: Values;
  p90: Values;
  p99: Values;
  queue: Values;
  inference: Values;
  requests: number;
  failed: number;
}

export const WINDOWS: readonly { minutes: number; label: string }[] = [
  { minutes: 5, label: '5 min' },
  { minutes: 15, label: '15 min' },
  { minutes: 60, label: '1 h' },
  { minutes: 360, label: '6 h' },
  { minutes: 1440, label: '24 h' },
];

/** How often a window is worth asking for again. */
export function refreshMs(minutes: number): number {
  if (minutes <= 5) return 2000;
  return minutes <= 60 ? 5000 : 20_000;
}

/**
 * Lays the points on a regular grid: a step without a point had no request. The step that is still
 * running is left out, since half a step reads as a fall.
 */
export function series(traffic: Traffic, now_ms: number): Series {
  const step_ms = Math.max(1, traffic.step_s) * 1000;
  const byStep = new Map<number, TrafficPoint>();
  let first = Math.ceil(traffic.from_ms / step_ms);
  for (const point of traffic.points) {
    const step = Math.floor(point.at_ms / step_ms);
    byStep.set(step, point);
    first = Math.min(first, step);
  }
  const last = Math.floor(now_ms / step_ms) - 1;
  const out: Series = {
    at_s: [], rate: [], failures: [], p50: [], p90: [], p99: [], queue: [], inference: [],
    requests: 0, failed: 0,
  };
  for (let step = first; step <= last; step += 1) {
    const point = byStep.get(step);
    const requests = point?.requests ?? 0;
    const failures = point?.failures ?? 0;
    out.at_s.push((step * step_ms) / 1000);
    out.rate.push(requests / (step_ms / 1000));
    out.failures.push(failures / (step_ms / 1000));
    out.p50.push(point?.p50_ms ?? null);
    out.p90.push(point?.p90_ms ?? null);
    out.p99.push(point?.p99_ms ?? null);
    out.queue.push(point?.queue_p50_ms ?? null);
    out.inference.push(point?.inference_p50_ms ?? null);
    out.requests += requests;
    out.failed += failures;
  }
  return out;
}
