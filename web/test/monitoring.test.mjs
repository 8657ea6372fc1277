/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figure, flatten, inbox, loud, matchersOf, mostUrgentFirst, placeOf } from '../src/alerts.ts';
import { cellAt, fill, heatRows, mostRestless } from '../src/heat.ts';
import { marksOf } from '../src/pages/quality.tsx';
import { odds } from '../src/pages/monitor.tsx';
import { metricNames, metricTitle, qualitySeries } from '../src/quality.ts';
import { parse } from '../src/route.ts';
import { csv, fileName } from '../src/save.ts';

const plain = (text) => text.replace(/\u00a0/g, ' ');

const alert = (id, rest = {}) => ({
  id, rule: 'drift', model: 'fraud', version: 3, segment: '', column: 'amount', kind: 'drift', severity: 'warning', state: 'firing',
  silenced: false, inhibited_by: null, acknowledged: null, summary: `alert ${id}`, started_ms: id, fired_ms: id, ended_ms: null,
  value: 0.3, limit: 0.2, unit: '', ...rest,
});

test('alerts: what needs somebody is first, then what somebody has seen, then what is over', () => {
  const list = [
    alert(1, { state: 'resolved' }), alert(2, { silenced: true }), alert(3), alert(4, { severity: 'critical' }),
    alert(5, { acknowledged: { who: 'ana', at_ms: 1, note: '' } }), alert(6, { state: 'pending' }), alert(7),
  ];
  assert.deepEqual(list.sort(mostUrgentFirst).map((a) => a.id), [4, 7, 3, 5, 2, 6, 1]);
  assert.equal(loud(list), 4);
});

test('alerts: the headline names the one, counts several, and tells seen from quiet', () => {
  assert.equal(inbox([]), 'All is quiet');
  assert.equal(inbox([alert(1)]), 'alert 1');
  assert.equal(inbox([alert(1), alert(2)]), '2 alerts need somebody');
  assert.equal(inbox([alert(1, { acknowledged: { who: 'ana', at_ms: 1, note: '' } })]), 'Somebody is on it');
});

test('alerts: figures have their unit, and link to where they can be seen', () => {
  assert.equal(plain(figure(214, 'ms')), '214 ms');
  assert.equal(plain(figure(0.023, 'share')), '2.3 %');
  assert.equal(figure(null, 'ms'), '–');
  assert.equal(placeOf(alert(1)), '/models/fraud/drift?feature=amount');
  assert.equal(placeOf(alert(1, { kind: 'decay', column: '' })), '/models/fraud/quality');
  assert.equal(placeOf(alert(1, { kind: 'latency', column: '' })), '/models/fraud');
  assert.equal(placeOf(alert(1, { model: '' })), null);
  assert.deepEqual(matchersOf(alert(1)), ['rule=drift', 'model=fraud', 'column=amount']);
});

test('alerts: evidence is laid flat by its path', () => {
  assert.deepEqual(flatten({ a: 1, b: { c: [1, 2, 3], d: null } }), [['a', '1'], ['b.c', '1 2 3'], ['b.d', 'null']]);
});

test('address: alerts have one each', () => {
  assert.deepEqual(parse('/alerts'), { page: 'alerts', id: null, tab: 'inbox' });
  assert.deepEqual(parse('/alerts/17'), { page: 'alerts', id: 17, tab: 'inbox' });
  assert.deepEqual(parse('/alerts/rules'), { page: 'alerts', id: null, tab: 'rules' });
  assert.deepEqual(parse('/alerts/silences'), { page: 'alerts', id: null, tab: 'silences' });
  assert.deepEqual(parse('/alerts/x'), { page: 'missing' });
  assert.deepEqual(parse('/alerts/17/more'), { page: 'missing' });
  assert.deepEqual(parse('/models/fraud/quality'), { page: 'model', name: 'fraud', tab: 'quality' });
});

const heat = (columns) => ({
  model: 'm', version: 1, step_minutes: 15, from_ms: 0, times: [0, 900_000], rows: [10, 20],
  columns: columns.map(([name, psi, state]) => ({ name, kind: 'numeric', output: false, psi, state, missing_share: [0, 0.5] })),
});

test('heat-map: what drifts lately comes before what drifted once, and names filter it', () => {
  const map = heat([
    ['calm', [0, 0], ['same', 'same']], ['past', [0.5, 0], ['drifted', 'same']], ['now', [0, 0.5], ['same', 'drifted']],
    ['few', [null, null], ['too few rows', 'too few rows']],
  ]);
  assert.deepEqual(mostRestless(map, '').map((c) => c.name), ['now', 'past', 'calm', 'few']);
  assert.deepEqual(mostRestless(map, ' PA').map((c) => c.name), ['past']);
});

test('heat-map: a point tells its cell; beside the map there is none', () => {
  const map = heat([['a', [0.1, null], ['moved', 'too few rows']]]);
  assert.deepEqual(cellAt(map, map.columns[0], 1), { column: 'a', at_ms: 900_000, psi: null, state: 'too few rows', missing_share: 0.5, rows: 20 });
  assert.equal(cellAt(map, undefined, 0), null);
  assert.equal(cellAt(map, map.columns[0], 2), null);
  assert.equal(fill(null), 0);
  assert.equal(fill(7), 1);
  assert.ok(fill(0.1) < fill(0.2));
  assert.equal(heatRows(map).length, 3);
});

test('monitor: evidence reads as odds', () => {
  assert.equal(odds(null), '–');
  assert.equal(odds(4.6), '1 in 40,000');
  assert.equal(odds(11.8), '1 in 10^11');
});

test('quality: the metric that says most is first; unknown values are gaps', () => {
  const report = {
    window: { metrics: { zeta: 1, accuracy: 0.9, roc_auc: null }, estimated: { roc_auc: 0.9 } },
    series: [{ at_ms: 1000, rows: 4, coverage: 0.5, metrics: { accuracy: 0.5 }, estimated: {} }, { at_ms: 2000, rows: 0, coverage: null, metrics: {}, estimated: { accuracy: 1 } }],
  };
  assert.deepEqual(metricNames(report), ['roc_auc', 'accuracy', 'zeta']);
  assert.deepEqual(qualitySeries(report, 'accuracy'), {
    at_s: [1, 2], realised: [0.5, null], estimated: [null, 1], coverage: [0.5, null], rows: [4, 0],
  });
  assert.equal(metricTitle('roc_auc'), 'ROC AUC');
  assert.equal(metricTitle('mean_error'), 'mean error');
});

test('marks: deploys and alerts, no log-ins', () => {
  const event = (kind) => ({ id: 1, at_ms: 1, kind, model: 'm', who: 'x', text: kind, data: {} });
  assert.deepEqual(marksOf(['deployment.live', 'token.created', 'alert.firing'].map(event)).map((m) => m.kind), ['deployment.live', 'alert.firing']);
});

test('files: CSV keeps commas, quotes and gaps apart; names are safe', () => {
  assert.equal(csv([['a,b', 1, null], ['say "x"', NaN, 'ok']]), '"a,b",1,\r\n"say ""x""",,ok\r\n');
  assert.equal(fileName('fraud@3', 'mean area/x'), 'fraud_3-mean_area_x');
});
