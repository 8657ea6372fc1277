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

/** A time at which an alert fired: one that came back has its first one (as it was raised) and its last. */
interface Firing {
  at_ms: number;
  alert: Alert;
  text: string;
}

function firingsOf(alert: Alert): Firing[] {
  if (alert.fired_ms === null) return [];
  if (alert.returns === 0) return [{ at_ms: alert.fired_ms, alert, text: alert.summary }];
  return [
    { at_ms: alert.started_ms, alert, text: `raised first: ${alert.summary}` },
    { at_ms: alert.fired_ms, alert, text: `back${alert.returns > 1 ? `, the ${ordinal(alert.returns)} time` : ''}: ${alert.summary}` },
  ];
}

function ordinal(n: number): string {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return `${n}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`;
}

/** Alerts as marks on charts, oldest first; what fired within `apart_ms` of each other is one mark. */
export function alertMarks(alerts: readonly Alert[], model: string, from_ms: number, apart_ms: number): Mark[] {
  const fired = alerts.flatMap(firingsOf).filter((f) => f.at_ms >= from_ms).sort((a, b) => a.at_ms - b.at_ms);
  const groups: Firing[][] = [];
  for (const firing of fired) {
    const last = groups[groups.length - 1];
    if (last && firing.at_ms - last[0]!.at_ms <= apart_ms) last.push(firing);
    else groups.push([firing]);
  }
  return groups.map((group) => {
    const first = group[0]!;
    const different = new Set(group.map((f) => f.alert.id)).size;
    return {
      at_ms: first.at_ms,
      text: different === 1 ? group[group.length - 1]!.text : `${different} alerts, the first: ${first.alert.summary}`,
      kind: 'alert',
      href: different === 1 ? `/alerts/${first.alert.id}` : `/alerts?${new URLSearchParams({ model, state: 'all' })}`,
    };
  });
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
