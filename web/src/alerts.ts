/* SPDX-License-Identifier: Apache-2.0 */
// Reading alerts: the most urgent first, and their figures as people read them.

import { bytes, count, millis, NONE, odds, psi, rate, share, utc, value } from './format';
import { withQuery } from './route';
import { WINDOWS } from './traffic';
import type { Alert, Mark, Severity } from './types';

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

/** What fires for a model, silenced and inhibited alerts left out. */
export interface Raised {
  count: number;
  worst: Severity;
  /** Alerts of each kind: drift, quality, decay, latency, … */
  kinds: Record<string, number>;
  /** Different columns that drift or quality alerts are about. */
  columns: number;
}

/** By model; those of the server itself are under ''. */
export function raisedOf(alerts: readonly Alert[]): Record<string, Raised> {
  const all: Record<string, Raised> = {};
  const columns = new Map<string, Set<string>>();
  for (const a of alerts) {
    if (a.state !== 'firing' || a.silenced || a.inhibited_by) continue;
    const r = (all[a.model] ??= { count: 0, worst: 'info', kinds: {}, columns: 0 });
    r.count += 1;
    r.kinds[a.kind] = (r.kinds[a.kind] ?? 0) + 1;
    if (SEVERITIES.indexOf(a.severity) < SEVERITIES.indexOf(r.worst)) r.worst = a.severity;
    if (!['drift', 'quality'].includes(a.kind)) continue;
    columns.set(a.model, (columns.get(a.model) ?? new Set()).add(a.column));
    r.columns = columns.get(a.model)!.size;
  }
  return all;
}

/** "9 drift, 2 quality": the most of a kind first. */
export function kindsText(raised: Raised): string {
  return Object.entries(raised.kinds).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([kind, n]) => `${n}\u00a0${kind.replace(/_/g, ' ')}`).join(', ');
}

/** "1 critical, 10 warning". */
export function severitiesText(alerts: readonly Alert[]): string {
  return SEVERITIES.map((s) => [s, alerts.filter((a) => a.severity === s).length] as const)
    .filter(([, n]) => n > 0).map(([s, n]) => `${n}\u00a0${s}`).join(', ');
}

/** Alerts as marks on charts, oldest first; what fired within `apart_ms` of each other is one mark. */
export function alertMarks(alerts: readonly Alert[], model: string, from_ms: number, apart_ms: number): Mark[] {
  const fired = alerts.filter((a) => (a.fired_ms ?? 0) >= from_ms).sort((a, b) => a.fired_ms! - b.fired_ms!);
  const groups: Alert[][] = [];
  for (const alert of fired) {
    const last = groups[groups.length - 1];
    if (last && alert.fired_ms! - last[0]!.fired_ms! <= apart_ms) last.push(alert);
    else groups.push([alert]);
  }
  return groups.map((group) => ({
    at_ms: group[0]!.fired_ms!,
    text: group.length === 1 ? group[0]!.summary : `${group.length} alerts, the first: ${group[0]!.summary}`,
    kind: 'alert',
    href: group.length === 1 ? `/alerts/${group[0]!.id}` : `/alerts?${new URLSearchParams({ model, state: 'all' })}`,
  }));
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
    case 'psi':
      return `PSI\u00a0${psi(x)}`;
    case 'log10': /* as exactly as it is told elsewhere, and in words */
      return `10^${x.toFixed(1)}${x > 0 ? `, by chance ${odds(x)} looks` : ''}`;
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

/** Where what the alert tells of can be seen: its version, segment and column; if it is over, as it was then. */
export function placeOf(alert: Alert, now_ms: number): string | null {
  if (alert.model === '') return null;
  const base = `/models/${encodeURIComponent(alert.model)}`;
  const version = alert.version ? { version: String(alert.version) } : {};
  if (['drift', 'quality'].includes(alert.kind)) {
    return `${base}/drift${withQuery('', {
      ...version, segment: alert.segment, feature: alert.column, to_ms: alert.ended_ms ? String(alert.ended_ms) : '',
    })}`;
  }
  if (['decay', 'metric', 'coverage'].includes(alert.kind)) return `${base}/quality${withQuery('', version)}`;
  const ago = (now_ms - alert.started_ms) / 60_000;
  const window = WINDOWS.find((w) => w.minutes >= 15 && w.minutes > ago) ?? WINDOWS[WINDOWS.length - 1]!;
  return `${base}${withQuery('', { minutes: window.minutes === 15 ? '' : String(window.minutes) })}`;
}

/** Names and values of a JSON object, nested ones by their path; what is too long is cut. */
export function flatten(evidence: unknown, path = ''): [string, string][] {
  if (typeof evidence !== 'object' || evidence === null) return [[path, cut(String(evidence))]];
  if (Array.isArray(evidence) && evidence.every((x) => typeof x !== 'object' || x === null)) {
    return [[path, cut(evidence.join(' '))]];
  }
  return Object.entries(evidence).flatMap(([key, inner]): [string, string][] => {
    const place = path === '' ? key : `${path}.${key}`;
    if (key.endsWith('at_ms') || key.endsWith('since_ms')) {
      if (typeof inner === 'number' && inner > 0) return [[place, `${inner} (${utc(inner)})`]];
    }
    return flatten(inner, place);
  });
}

function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
