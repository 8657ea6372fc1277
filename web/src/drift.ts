/* SPDX-License-Identifier: Apache-2.0 */
// Reading a drift report: worst first, filtered, in one sentence; and the shape of a distribution.

import { counted } from './format';
import type { Bin, Column, Watch, WatchState } from './types';

const ORDER: readonly WatchState[] = ['drifted', 'moved', 'too few rows', 'undefined', 'same', 'unwatched'];

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
  if (watch.state === 'unwatched') return 'Nothing to compare with';
  if (watch.rows === 0) return 'No predictions in this window';
  if (of('drifted') > 0) return `${of('drifted')} of ${all} drifted`;
  if (of('moved') > 0) return `${of('moved')} of ${all} moved a little`;
  if (of('too few rows') > 0) return 'Too few rows to tell yet';
  return `${all}, all as in training`;
}

/** `alarmed`: columns that the monitor raised an alarm for, whatever this window's rows say. */
export function verdict(watch: Watch, alarmed: number): { head: string; sub: string } {
  const window = watchHeadline(watch);
  const drifted = watch.features.some((c) => c.state === 'drifted');
  if (alarmed === 0 || drifted) return { head: window, sub: '' };
  return { head: `${counted(alarmed, 'column')} raised an alarm`, sub: `in this window: ${window[0]!.toLowerCase()}${window.slice(1)}` };
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

/** Bars side by side, a bin's share as its height: the server has chosen bins that make a true shape. */
export function bars(bins: readonly Bin[]): Bar[] {
  const highest = Math.max(0, ...bins.flatMap((b) => [b.live_share ?? 0, b.reference_share ?? 0]));
  const scale = highest > 0 ? 1 / highest : 0;
  const width = bins.length > 0 ? 1 / bins.length : 0;
  return bins.map((bin, i) => ({
    x: i * width,
    width,
    live: (bin.live_share ?? 0) * scale,
    reference: (bin.reference_share ?? 0) * scale,
    bin,
  }));
}

export function hasReference(column: Column): boolean {
  return column.bins.some((b) => b.reference_share !== null);
}
