/* SPDX-License-Identifier: Apache-2.0 */
// Reading a drift report: worst first, filtered, in one sentence; and the shape of a distribution.

import { counted } from './format';
import type { Bin, Column, Watch, WatchState } from './types';

const ORDER: readonly WatchState[] = ['drifted', 'moved', 'too few rows', 'same', 'unwatched'];

export function worstColumnFirst(a: Column, b: Column): number {
  return (
    ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
    (b.psi ?? -1) - (a.psi ?? -1) ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}

/** `text` matches names; `state` empty = all. */
export function pick(columns: readonly Column[], text: string, state: string): Column[] {
  const wanted = text.trim().toLowerCase();
  return columns
    .filter((c) => (state === '' || c.state === state) && c.name.toLowerCase().includes(wanted))
    .sort(worstColumnFirst);
}

export function countByState(columns: readonly Column[]): { state: WatchState; count: number }[] {
  return ORDER.map((state) => ({ state, count: columns.filter((c) => c.state === state).length })).filter(
    (entry) => entry.count > 0,
  );
}

export function watchHeadline(watch: Watch): string {
  const of = (state: WatchState): number => watch.features.filter((c) => c.state === state).length;
  const all = counted(watch.features.length, 'feature');
  if (watch.rows === 0) return 'No predictions in this window';
  if (of('drifted') > 0) return `${of('drifted')} of ${all} drifted`;
  if (of('moved') > 0) return `${of('moved')} of ${all} moved a little`;
  if (of('too few rows') > 0) return 'Too few rows to tell yet';
  if (watch.state === 'unwatched') return 'Nothing to compare with';
  return `${all}, all as in training`;
}

/* ---- Shapes ---- */

/** One bar: where it stands (0..1) and how high both distributions are there (0..1 of the highest). */
export interface Bar {
  x: number;
  width: number;
  live: number;
  reference: number;
  bin: Bin;
}

/** Beyond this ratio of widths a true scale would squeeze most bins into a hair. */
const WIDTH_RATIO_MAX = 60;
/** A bin is drawn at most this many times as wide as the middle one: long tails are cut, not lost. */
const WIDEST = 4;

/** What each bin spans, in the feature's own unit; null where some bin has no width to speak of. */
function spans(bins: readonly Bin[]): number[] | null {
  const closed = bins.flatMap((b) => (b.from !== null && b.to !== null ? [b.to - b.from] : [])).sort((a, b) => a - b);
  const least = closed[0];
  const middle = closed[closed.length >> 1];
  if (least === undefined || middle === undefined || !(least > 0)) return null;
  if (closed[closed.length - 1]! / least > WIDTH_RATIO_MAX) return null;
  return bins.map((b) => (b.from !== null && b.to !== null ? b.to - b.from : middle));
}

/**
 * Numeric bins stand on a true scale, their height the share for each unit of the value, since bins
 * cut at quantiles would otherwise all look alike. Categories, and bins too unequal for that, stand side
 * by side with their share as height.
 */
export function bars(bins: readonly Bin[]): Bar[] {
  const span = spans(bins) ?? bins.map(() => 1);
  const middle = [...span].sort((a, b) => a - b)[span.length >> 1] ?? 1;
  const drawn = span.map((s) => Math.min(s, WIDEST * middle));
  const whole = drawn.reduce((sum, w) => sum + w, 0);
  const height = (share: number | null, i: number): number => (share ?? 0) / span[i]!;
  const highest = Math.max(0, ...bins.flatMap((b, i) => [height(b.live_share, i), height(b.reference_share, i)]));
  const scale = highest > 0 ? 1 / highest : 0;
  let x = 0;
  return bins.map((bin, i) => {
    const bar: Bar = {
      x,
      width: drawn[i]! / whole,
      live: height(bin.live_share, i) * scale,
      reference: height(bin.reference_share, i) * scale,
      bin,
    };
    x += bar.width;
    return bar;
  });
}
