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
 * A point tells of the step that ends at its time. Where no point is (the server keeps them in memory, so
 * before its start there are none) nothing is known, and nothing is drawn; the axis covers the
 * window all the same. The last point is of a step that still runs: its rate is over the time so far, and until half
 * of the step is over it is left out, since it would look like a fall.
 */
export function series(traffic: Traffic, minutes: number): Series {
  const step_ms = Math.max(1, traffic.step_s) * 1000;
  const out: Series = {
    at_s: [], rate: [], failures: [], p50: [], p90: [], p99: [], queue: [], inference: [],
    requests: 0, failed: 0,
  };
  const to_ms = traffic.from_ms + minutes * 60_000;
  const points = traffic.points.filter((p) => p.at_ms >= traffic.from_ms);
  const end_ms = points[points.length - 1]?.at_ms ?? traffic.from_ms;
  if ((points[0]?.at_ms ?? to_ms) - traffic.from_ms > step_ms) blank(out, traffic.from_ms);
  points.forEach((point, i) => {
    const before = points[i - 1];
    if (before && point.at_ms - before.at_ms > 2.5 * step_ms) blank(out, before.at_ms + step_ms);
    const took_ms = before && i === points.length - 1 ? Math.min(step_ms, point.at_ms - before.at_ms) : step_ms;
    out.requests += point.requests;
    out.failed += point.failures;
    if (took_ms >= step_ms / 2) add(out, point, took_ms > 0.9 * step_ms ? step_ms / 1000 : took_ms / 1000);
  });
  if (to_ms - end_ms > 2.5 * step_ms) blank(out, to_ms);
  return out;
}

function blank(out: Series, at_ms: number): void {
  out.at_s.push(at_ms / 1000);
  for (const values of [out.rate, out.failures, out.p50, out.p90, out.p99, out.queue, out.inference]) values.push(null);
}

function add(out: Series, point: TrafficPoint, step_s: number): void {
  out.at_s.push(point.at_ms / 1000);
  out.rate.push(point.requests / step_s);
  out.failures.push(point.failures / step_s);
  out.p50.push(point.p50_ms);
  out.p90.push(point.p90_ms);
  out.p99.push(point.p99_ms);
  out.queue.push(point.queue_p50_ms);
  out.inference.push(point.inference_p50_ms);
}

/** Values with nothing on either side: no line leads to them, so they need a dot. */
export function alone(values: readonly (number | null | undefined)[]): number[] {
  const none = (i: number): boolean => values[i] === null || values[i] === undefined;
  return values.flatMap((_, i) => (!none(i) && none(i - 1) && none(i + 1) ? [i] : []));
}

/** Beyond this ratio of the highest p99 to the middle p50 a linear axis would press all but peaks to the floor. */
const LOG_RATIO = 25;

export function wantsLog(s: Series): boolean {
  const p50 = s.p50.filter((v) => v !== null && v > 0).sort((a, b) => a! - b!);
  const middle = p50[p50.length >> 1] ?? 0;
  const highest = s.p99.reduce<number>((most, v) => Math.max(most, v ?? 0), 0);
  return middle !== null && middle > 0 && highest / middle > LOG_RATIO;
}
