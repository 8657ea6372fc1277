/* SPDX-License-Identifier: Apache-2.0 */
// Reading alerts: the most urgent first, and their figures as people read them.

import { bytes, count, millis, NONE, rate, share, value } from './format';
import type { Alert, Severity } from './types';

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];
const STATES = ['firing', 'pending', 'resolved'];

/** What still needs somebody comes first: firing and neither silenced nor acknowledged. */
export function mostUrgentFirst(a: Alert, b: Alert): number {
  return (
    Number(!needsSomebody(a)) - Number(!needsSomebody(b)) ||
    STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    b.started_ms - a.started_ms ||
    b.id - a.id
  );
}

export function needsSomebody(alert: Alert): boolean {
  return alert.state === 'firing' && !alert.silenced && !alert.inhibited_by && alert.acknowledged === null;
}

/** Loud: firing, whether or not somebody has seen it. */
export function loud(alerts: readonly Alert[]): number {
  return alerts.filter((a) => a.state === 'firing' && !a.silenced && !a.inhibited_by).length;
}

export function inbox(alerts: readonly Alert[]): string {
  const open = alerts.filter(needsSomebody);
  if (open.length === 1) return open[0]!.summary;
  if (open.length > 1) return `${open.length} alerts need somebody`;
  return loud(alerts) > 0 ? 'Somebody is on it' : 'All is quiet';
}

/** "0.31, above 0.2" in the alert's unit. */
export function figure(x: number | null, unit: string): string {
  if (x === null) return NONE;
  switch (unit) {
    case 'ms':
      return millis(x);
    case 'share':
      return share(x);
    case 'per_s':
      return rate(x);
    case 'bytes':
      return bytes(x);
    case 'rows':
      return count(x);
    default:
      return unit === '' ? value(x) : `${value(x)}\u00a0${unit}`;
  }
}

/** What a silence must match to cover just this alert. */
export function matchersOf(alert: Alert): string[] {
  const parts: [string, string][] = [['rule', alert.rule], ['model', alert.model], ['column', alert.column], ['segment', alert.segment]];
  return parts.filter(([, text]) => text !== '').map(([name, text]) => `${name}=${text}`);
}

/** Where what the alert tells of can be seen. */
export function placeOf(alert: Alert): string | null {
  if (alert.model === '') return null;
  const base = `/models/${encodeURIComponent(alert.model)}`;
  if (['drift', 'quality'].includes(alert.kind)) {
    const query = alert.column === '' ? '' : `?feature=${encodeURIComponent(alert.column)}`;
    return `${base}/drift${query}`;
  }
  return ['decay', 'metric', 'coverage'].includes(alert.kind) ? `${base}/quality` : base;
}

/** Names and values of a JSON object, nested ones by their path; what is too long is cut. */
export function flatten(evidence: unknown, path = ''): [string, string][] {
  if (typeof evidence !== 'object' || evidence === null) return [[path, cut(String(evidence))]];
  if (Array.isArray(evidence) && evidence.every((x) => typeof x !== 'object' || x === null)) {
    return [[path, cut(evidence.join(' '))]];
  }
  return Object.entries(evidence).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`));
}

function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
