/* SPDX-License-Identifier: Apache-2.0 */
// The heat-map: which rows to show, where a point of it lies, and its data as a table.

import type { Cell, HeatColumn, Heatmap, WatchState } from './types';

export const WORST_SHOWN = 25;

const WEIGHT: Record<WatchState, number> = {
  drifted: 1000, moved: 100, same: 0, 'too few rows': 0, undefined: 0, unwatched: 0,
};

/** How much a column asks to be looked at: recent steps count more. */
export function restlessness(column: HeatColumn): number {
  const steps = column.psi.length;
  return column.psi.reduce<number>((sum, psi, i) => {
    const state = column.state[i] ?? 'unwatched';
    return sum + (WEIGHT[state] + Math.min(psi ?? 0, 10)) * ((i + 1) / steps);
  }, 0);
}

export function mostRestless(heatmap: Heatmap, text: string): HeatColumn[] {
  const wanted = text.trim().toLowerCase();
  return heatmap.columns
    .filter((c) => c.name.toLowerCase().includes(wanted) && c.state.some((s) => s !== 'unwatched'))
    .map((column) => ({ column, weight: restlessness(column) }))
    .sort((a, b) => b.weight - a.weight || (a.column.name < b.column.name ? -1 : 1))
    .map((entry) => entry.column);
}

export function cellAt(heatmap: Heatmap, column: HeatColumn | undefined, step: number): Cell | null {
  const at_ms = heatmap.times[step];
  if (column === undefined || at_ms === undefined) return null;
  return {
    column: column.name,
    at_ms,
    psi: column.psi[step] ?? null,
    state: column.state[step] ?? 'unwatched',
    missing_share: column.missing_share[step] ?? null,
    rows: heatmap.rows[step] ?? 0,
  };
}

/** There were rows, and nowhere enough of them. */
export function allTooFew(heatmap: Heatmap): boolean {
  return heatmap.columns.every((c) => c.state.every((s) => s === 'too few rows' || s === 'unwatched'));
}

/** Times to write below, and where along the axis (0..1) they stand. */
export function heatTicks(heatmap: Heatmap, wanted: number): { at_ms: number; part: number }[] {
  const steps = heatmap.times.length;
  const n = Math.min(wanted, steps);
  return Array.from({ length: n }, (_, i) => Math.floor((i * steps) / n)).map((at) => ({ at_ms: heatmap.times[at]!, part: at / steps }));
}

/** How high a cell is filled, 0 to 1: PSI 0.4 and more fill it. Height tells what colour tells. */
export function fill(psi: number | null): number {
  return psi === null ? 0 : Math.min(1, 0.14 + (0.86 * Math.max(0, psi)) / 0.4);
}

export function heatRows(heatmap: Heatmap): (string | number | null)[][] {
  return [
    ['column', 'from', 'rows', 'state', 'psi', 'missing_share'],
    ...heatmap.columns.flatMap((c) => heatmap.times.map((at, i) => [
      c.name, new Date(at).toISOString(), heatmap.rows[i] ?? null, c.state[i] ?? '', c.psi[i] ?? null, c.missing_share[i] ?? null,
    ])),
  ];
}
