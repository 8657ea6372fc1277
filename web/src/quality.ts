/* SPDX-License-Identifier: Apache-2.0 */
// Quality over time: which metric to show, and its columns for the chart.

import type { Metrics, Quality } from './types';

/** The one that says most, first. */
const FIRST = ['roc_auc', 'accuracy', 'rmse', 'mae', 'ndcg', 'f1', 'log_loss'];

/** Names that any step or the whole window knows, the telling ones first. */
export function metricNames(quality: Quality): string[] {
  const names = new Set<string>();
  const add = (metrics: Metrics | null | undefined): void => {
    for (const [name, x] of Object.entries(metrics ?? {})) if (typeof x === 'number') names.add(name);
  };
  add(quality.window.metrics);
  add(quality.window.estimated);
  for (const point of quality.series) add(point.metrics);
  const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

export interface QualitySeries {
  at_s: number[];
  realised: (number | null)[];
  estimated: (number | null)[];
  coverage: (number | null)[];
  rows: (number | null)[];
}

export function qualitySeries(quality: Quality, metric: string): QualitySeries {
  const out: QualitySeries = { at_s: [], realised: [], estimated: [], coverage: [], rows: [] };
  for (const p of quality.series) {
    out.at_s.push(p.at_ms / 1000);
    out.realised.push(p.metrics[metric] ?? null);
    out.estimated.push(p.estimated[metric] ?? null);
    out.coverage.push(p.coverage);
    out.rows.push(p.rows);
  }
  return out;
}

/** "roc_auc" → "ROC AUC". */
export function metricTitle(name: string): string {
  const known: Record<string, string> = {
    roc_auc: 'ROC AUC', f1: 'F1', rmse: 'RMSE', mae: 'MAE', mape: 'MAPE', r2: 'R²', log_loss: 'log loss', ece: 'ECE', ndcg: 'NDCG',
    brier: 'Brier score', mcc: 'MCC',
  };
  return known[name] ?? name.replace(/_/g, ' ');
}
