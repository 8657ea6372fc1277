/* SPDX-License-Identifier: Apache-2.0 */
// Alert rules as people read them, as a form holds them, and as the fields of their YAML.

import { duration } from './format';
import type { Measure, Rule, Severity } from './types';

/** What the form holds: texts as they would stand in the YAML; an empty one leaves its field out. */
export interface Draft {
  name: string;
  on: string;
  measure: string;
  side: 'above' | 'below';
  limit: string;
  window: string;
  for: string;
  model: string;
  column: string;
  severity: Severity;
  /** Null: whom `notify` at the top of the YAML names. */
  notify: string[] | null;
}

export const NEW_RULE: Draft = {
  name: '', on: 'latency', measure: 'p99', side: 'above', limit: '', window: '5m', for: '1m', model: '', column: '',
  severity: 'warning', notify: null,
};

export const LIMIT_HINTS: Record<string, string> = {
  ms: '200ms or 1.5s', share: '5% or 0.05', per_s: '10/s or 2/min', bytes: '500MB or 10GB', psi: '0.2', log10: '5, for 10^5', '': '0.2',
};

/* ---- As read ---- */

/** "error_rate" → "error rate". */
export const spoken = (name: string): string => name.replace(/_/g, ' ');

/** Whether a threshold may be given; what has a test of its own takes one in its place, if it is a quantity. */
export const takesLimit = (m: Measure): boolean => !m.verdict || m.on === 'drift' || m.on === 'quality';

export const takesColumn = (on: string): boolean => on === 'drift' || on === 'quality' || on === 'metric';

/** A kind that can be measured in one way only needs no word for it. */
const ONLY = ['psi', 'any', 'evidence', 'value', 'share', 'stopped', 'lag'];

/** A threshold is not rounded: "99.95 %". */
function exact(x: number, unit: string): string {
  if (unit === 'psi') return `PSI\u00a0${x}`;
  if (unit === 'log10') return `10^${x}`;
  return quantity(x, unit).replace(/^[\d.]+(?:e-?\d+)?(?=[A-Za-z%])/, '$&\u00a0');
}

export function condition(rule: Rule): string {
  const what = [spoken(rule.on), ONLY.includes(rule.measure) ? '' : spoken(rule.measure)].filter((w) => w !== '').join(' ');
  if (rule.above !== undefined) return `${what} above ${exact(rule.above, rule.unit ?? '')}`;
  if (rule.below !== undefined) return `${what} below ${exact(rule.below, rule.unit ?? '')}`;
  return what;
}

/** "over 5 min, for 1 min" */
export function timing(rule: Rule): string {
  const parts = [
    rule.window_s ? `over ${duration(rule.window_s)}` : '',
    rule.for_ms > 0 ? `for ${duration(rule.for_ms / 1000)}` : '',
    rule.above === undefined && rule.below === undefined ? 'by its own test' : '',
  ];
  return parts.filter((p) => p !== '').join(', ');
}

/* ---- As YAML ---- */

const PERIODS: [string, number][] = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]];
const SIZES: [string, number][] = [['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['KB', 1e3]];

function inUnits(x: number, units: [string, number][], least: string): string {
  const unit = x === 0 ? undefined : units.find(([, size]) => x % size === 0);
  return unit ? `${x / unit[1]}${unit[0]}` : `${x}${least}`;
}

/** 120000 → 2m */
export const period = (ms: number): string => (ms === 0 ? '0s' : inUnits(ms, PERIODS, 'ms'));

/** The fewest digits of a percentage that are read back as just this share. */
function percent(part: number): string {
  for (let digits = 1; digits < 17; digits += 1) {
    const text = Number((part * 100).toPrecision(digits));
    if (text / 100 === part) return `${text}%`;
  }
  return String(part);
}

export function quantity(x: number, unit: string): string {
  switch (unit) {
    case 'ms':
      return period(x);
    case 'share':
      return percent(x);
    case 'per_s':
      return `${x}/s`;
    case 'bytes':
      return inUnits(x, SIZES, 'B');
    default:
      return String(x);
  }
}

/** Plain where YAML reads it as it stands, else in double quotes (JSON's are YAML's too). */
export function scalar(text: string): string {
  return /^[A-Za-z0-9_](?:[\w ./@%+*?-]*[\w./@%+*?-])?$/.test(text) ? text : JSON.stringify(text);
}

export function draftOf(rule: Rule, ownNotify: boolean): Draft {
  const limit = rule.above ?? rule.below;
  return {
    name: rule.name, on: rule.on, measure: rule.measure, side: rule.below === undefined ? 'above' : 'below',
    limit: limit === undefined ? '' : quantity(limit, rule.unit ?? ''),
    window: rule.window_s ? period(rule.window_s * 1000) : '', for: rule.for_ms > 0 ? period(rule.for_ms) : '',
    model: rule.model, column: rule.column, severity: rule.severity,
    /* An action is of one rule alone, and is no notifier that others may name. */
    notify: ownNotify ? rule.notify.filter((name) => !isAction(name)) : null,
  };
}

/** The reader calls what a rule's `action` makes "rule NAME"; notifiers have no blanks in their names. */
export const isAction = (notifier: string): boolean => notifier.startsWith('rule ');

/** Fields in the order in which the documentation has them. */
export function fieldsOf(draft: Draft, measures: readonly Measure[]): Map<string, string> {
  const m = measures.find((one) => one.on === draft.on && one.measure === draft.measure);
  const fields: [string, string][] = [['name', draft.name], ['on', draft.on], ['measure', draft.measure]];
  if (!m || takesLimit(m)) fields.push([draft.side, draft.limit]);
  if (m?.windowed) fields.push(['window', draft.window]);
  fields.push(['for', draft.for], ['model', draft.model]);
  if (takesColumn(draft.on)) fields.push(['column', draft.column]);
  fields.push(['severity', draft.severity]);
  const kept = new Map(fields.filter(([, text]) => text.trim() !== '').map(([key, text]) => [key, scalar(text.trim())]));
  if (draft.notify !== null) kept.set('notify', `[${draft.notify.map(scalar).join(', ')}]`);
  return kept;
}

/* ---- What differs ---- */

/** All that the server tells of a rule, by the names of the YAML. */
function told(rule: Rule, measures: readonly Measure[]): Map<string, string> {
  const all = fieldsOf(draftOf(rule, false), measures);
  const labels = Object.entries(rule.labels).map(([name, text]) => `${name}: ${text}`);
  const more: [string, string][] = [
    ['segment', rule.segment], ['keep_firing_for', rule.keep_firing_for_ms > 0 ? period(rule.keep_firing_for_ms) : ''],
    ['labels', labels.join(', ')], ['notify', rule.notify.join(', ')], ['written by', rule.builtin ? 'Slipway' : 'you'],
  ];
  for (const [key, text] of more) if (text !== '') all.set(key, text);
  return all;
}

export interface Changes {
  added: Rule[];
  removed: Rule[];
  changed: { rule: Rule; fields: { name: string; before: string; after: string }[] }[];
}

export function compare(before: readonly Rule[], after: readonly Rule[], measures: readonly Measure[]): Changes {
  const changes: Changes = { added: [], removed: before.filter((b) => !after.some((a) => a.name === b.name)), changed: [] };
  for (const rule of after) {
    const old = before.find((b) => b.name === rule.name);
    if (!old) {
      changes.added.push(rule);
      continue;
    }
    const [was, is] = [told(old, measures), told(rule, measures)];
    const fields = [...new Set([...was.keys(), ...is.keys()])]
      .map((name) => ({ name, before: was.get(name) ?? '', after: is.get(name) ?? '' }))
      .filter((f) => f.before !== f.after);
    if (fields.length > 0) changes.changed.push({ rule, fields });
  }
  return changes;
}

/** Names of all rules that differ. */
export function touched(changes: Changes): string[] {
  return [...changes.added, ...changes.removed, ...changes.changed.map((c) => c.rule)].map((r) => r.name);
}
