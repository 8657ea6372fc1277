/* SPDX-License-Identifier: Apache-2.0 */
// Made-up drift over time, quality and alerts, for the stand-in server.

import { hash01 } from './shapes.mjs';

const HOUR = 3_600_000;

const stepOf = (hours) => (hours <= 6 ? 5 : hours <= 24 ? 15 : hours <= 168 ? 120 : 480);

export function heatmapJson(model, version, hours, now) {
  const step_minutes = stepOf(hours);
  const step_ms = step_minutes * 60_000;
  const to = Math.floor(now / step_ms) * step_ms;
  const times = Array.from({ length: Math.floor((hours * HOUR) / step_ms) }, (_, i) => to - (Math.floor((hours * HOUR) / step_ms) - 1 - i) * step_ms);
  const columns = model.features.map(([name, target, categories]) => {
    const psi = times.map((at, i) => {
      const grown = target === null ? 0 : target * Math.max(0.15, Math.min(1, (i - times.length * 0.55) / (times.length * 0.2)));
      return Number(Math.max(0, grown + 0.02 * hash01(`${name}${at}`)).toFixed(4));
    });
    const state = psi.map((x) => (target === null ? 'too few rows' : x >= 0.2 ? 'drifted' : x >= 0.1 ? 'moved' : 'same'));
    return { name, kind: categories ? 'category' : 'numeric', output: false, psi: target === null ? psi.map(() => null) : psi, state, missing_share: psi.map(() => 0.01) };
  });
  return { model: model.name, version, segment: '', step_minutes, from_ms: times[0] ?? now, times, columns, rows: times.map((at) => Math.round(900 + 300 * hash01(at))) };
}

export function driftJson(model, version, now) {
  const findings = model.features.map(([name, target]) => ({
    column: name, output: false, segment: '', kind: 'distribution', state: target === null ? 'too few rows' : target >= 0.16 ? 'drifted' : 'same',
    reason: `PSI ${target ?? 0} over the reference`, evidence_log10: target === null ? null : Number((target * 38).toFixed(2)), threshold_log10: 4.64,
    psi: target, since_ms: target >= 0.16 ? now - 3 * HOUR : null, rows: 31_000,
    influence: target >= 0.16 ? Number((target * (hash01(name) - 0.3)).toFixed(4)) : null, influence_why: target >= 0.16 ? null : 'only drifted columns are re-scored',
  })).sort((a, b) => (b.psi ?? 0) - (a.psi ?? 0));
  const drifted = findings.some((f) => f.state === 'drifted');
  return {
    model: model.name, version, state: model.rows === null ? 'unwatched' : drifted ? 'drifted' : 'same', statement: 'at most 1 false alarm a month',
    false_alarms_per_month: 1, tolerance: 0.02, since_ms: now - 60 * HOUR, looks: 3589, findings, domain_classifier: null,
  };
}

export function qualityJson(model, version, hours, now) {
  const step_minutes = stepOf(hours);
  if (model.name !== 'fraud') {
    return { model: model.name, version, task: 'auto', window: { rows: 0, logged: 0, labelled: 0, coverage: null, lag_p50_s: null, metrics: {}, estimated: {} },
      decay: { state: 'too few labels', why: null, loss: null, baseline: null, now: null, evidence_log10: null, threshold_log10: null }, series: [] };
  }
  const step_ms = step_minutes * 60_000;
  const count = Math.floor((hours * HOUR) / step_ms);
  const series = Array.from({ length: count }, (_, i) => {
    const at_ms = Math.floor(now / step_ms) * step_ms - (count - 1 - i) * step_ms;
    const late = Math.max(0, (i - count * 0.6) / count);
    const auc = 0.93 - 0.12 * late + 0.012 * (hash01(at_ms) - 0.5);
    const labelled = i > count * 0.9 ? 0 : Math.round(700 * (1 - i / count));
    return { at_ms, rows: 1000, logged: 1000, labelled, coverage: labelled / 1000, metrics: labelled ? { roc_auc: auc, accuracy: auc - 0.05, log_loss: 0.2 + 0.4 * late } : {}, estimated: { roc_auc: auc + 0.01, accuracy: auc - 0.04 } };
  });
  return { model: model.name, version, task: 'binary',
    window: { rows: count * 1000, logged: count * 1000, labelled: count * 420, coverage: 0.42, lag_p50_s: 5400,
      metrics: { roc_auc: 0.907, accuracy: 0.861, log_loss: 0.248 }, estimated: { roc_auc: 0.915, accuracy: 0.874 } },
    decay: { state: 'decayed', why: 'error rate 0.139 since 09:40, 0.116 at first', loss: 'error rate', baseline: 0.116, now: 0.139, evidence_log10: 5.2, threshold_log10: 4.64 }, series };
}

/* ---- Alerts ---- */

export class Alerts {
  constructor(now) {
    const base = { version: 3, segment: '', silenced: false, inhibited_by: null, acknowledged: null, ended_ms: null, returns: 0 };
    const firing = { ...base, state: 'firing' };
    this.silences = [];
    this.list = [
      { ...firing, id: 4, rule: 'drift', model: 'fraud', column: 'amount', kind: 'drift', severity: 'warning', summary: 'fraud@3: amount drifts (PSI 0.41), far beyond chance', started_ms: now - 3 * HOUR, fired_ms: now - 3 * HOUR,
        value: 11.8, limit: 4.64, unit: 'log10', evidence: { test: 'e-detector', reference: [120, 180, 240, 300], live: [20, 60, 310, 580], evidence_log10: 11.8, threshold_log10: 4.64 } },
      { ...firing, id: 3, rule: 'error-rate', model: 'delivery-eta', column: '', kind: 'error_rate', severity: 'critical', summary: 'delivery-eta@3: 2.3 % of requests fail', returns: 1, started_ms: now - 600_000, fired_ms: now - 540_000,
        value: 0.023, limit: 0.01, unit: 'share', evidence: { requests: 14_400, failures: 331, window_s: 300 } },
      { ...firing, id: 2, rule: 'decay', model: 'fraud', column: '', kind: 'decay', severity: 'critical', summary: 'fraud@3 got worse than at first', started_ms: now - 2 * HOUR, fired_ms: now - 2 * HOUR,
        acknowledged: { who: 'ana', at_ms: now - HOUR, note: 'retraining' }, value: 0.139, limit: 0.116, unit: 'share', evidence: { loss: 'error rate', baseline: 0.116, now: 0.139 } },
      { ...base, id: 1, rule: 'latency', model: 'ranker', version: 1, column: '', kind: 'latency', severity: 'warning', state: 'resolved', summary: 'ranker@1: p99 is 214 ms', started_ms: now - 9 * HOUR, fired_ms: now - 9 * HOUR,
        ended_ms: now - 8 * HOUR, value: 214, limit: 200, unit: 'ms', evidence: { p99_ms: 214, requests: 88_000 } },
    ];
  }

  /** Undefined: the path is another's. */
  answer(method, path, query, body) {
    const one = /^\/api\/v1\/alerts\/(\d+)(\/acknowledge)?$/.exec(path);
    const alert = one && this.list.find((a) => a.id === Number(one[1]));
    const state = query.get('state') ?? 'active';
    if (path === '/api/v1/alerts') {
      const open = (a) => a.state !== 'resolved';
      const model = query.get('model') ?? '';
      const kept = this.list.filter((a) => (model === '' || a.model === model) && (state === 'all' || (state === 'resolved' ? !open(a) : open(a))));
      return { alerts: kept.map(({ evidence, ...rest }) => rest), more: false };
    }
    if (path === '/api/v1/silences' && method === 'GET') return { silences: this.silences };
    if (path === '/api/v1/silences') return this.silence(body);
    if (path.startsWith('/api/v1/silences/')) {
      this.silences = [];
      for (const a of this.list) a.silenced = false;
      return null;
    }
    if (path === '/api/v1/deliveries') return { deliveries: [
      { id: 2, notifier: 'pager', kind: 'webhook', alerts: [3], firing: 1, resolved: 0, state: 'failed', status: 503, attempts: 14, error: 'answered 503', created_ms: Date.now() - 500_000, took_ms: 31 },
      { id: 1, notifier: 'team-chat', kind: 'slack', alerts: [4], firing: 1, resolved: 0, state: 'sent', status: 200, attempts: 1, error: '', created_ms: Date.now() - 3 * HOUR, took_ms: 210 },
    ] };
    if (!alert) return undefined;
    if (one[2]) alert.acknowledged = { who: 'local', at_ms: Date.now(), note: body.note ?? '' };
    return alert;
  }

  silence(body) {
    const matches = (a) => body.matchers.every((m) => String(a[m.split('=')[0]]) === m.split('=')[1]);
    for (const a of this.list) a.silenced ||= matches(a);
    const matchers = body.matchers.map((m) => {
      const [, name, not, pattern] = /^(\w+)(!?)=(.*)$/.exec(m);
      return { name, pattern, negated: not !== '' };
    });
    const silence = { ...body, id: this.silences.length + 1, who: 'local', matchers };
    this.silences.push(silence);
    return silence;
  }
}
