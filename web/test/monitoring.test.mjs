/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alertMarks, figure, flatten, inbox, kindsText, loud, matchersOf, mostUrgentFirst, placeOf, raisedOf, severitiesText,
} from '../src/alerts.ts';
import { allTooFew, cellAt, fill, heatRows, heatTicks, mostRestless } from '../src/heat.ts';
import { verdict } from '../src/drift.ts';
import { marksOf } from '../src/pages/quality.tsx';
import { odds } from '../src/format.ts';
import { metricNames, metricTitle, qualitySeries } from '../src/quality.ts';
import { parse } from '../src/route.ts';
import { csv, fileName } from '../src/save.ts';

const plain = (text) => text.replace(/\u00a0/g, ' ');

const alert = (id, rest = {}) => ({
  id, rule: 'drift', model: 'fraud', version: 3, segment: '', column: 'amount', kind: 'drift', severity: 'warning', state: 'firing',
  silenced: false, inhibited_by: null, acknowledged: null, summary: `alert ${id}`, started_ms: id, fired_ms: id, ended_ms: null,
  value: 0.3, limit: 0.2, unit: '', returns: 0, ...rest,
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
  assert.equal(plain(figure(0.31234, 'psi')), 'PSI 0.31');
  assert.equal(plain(figure(7.8123, 'log10')), '10^7.8, by chance 1 in 64 million looks');
  assert.equal(figure(null, 'ms'), '–');
  assert.equal(placeOf(alert(1), 0), '/models/fraud/drift?version=3&feature=amount');
  assert.equal(placeOf(alert(1, { kind: 'decay', column: '' }), 0), '/models/fraud/quality?version=3');
  assert.equal(placeOf(alert(1, { kind: 'latency', column: '' }), 0), '/models/fraud');
  assert.equal(placeOf(alert(1, { model: '' }), 0), null);
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
  assert.deepEqual(parse('/login/abc'), { page: 'used-link' });
  assert.deepEqual(parse('/login/abc/more'), { page: 'missing' });
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

test('heat-map: says that nowhere were rows enough, and where its times stand', () => {
  const few = heat([['a', [null, null], ['too few rows', 'too few rows']], ['b', [null, null], ['unwatched', 'unwatched']]]);
  assert.equal(allTooFew(few), true);
  assert.equal(allTooFew(heat([['a', [null, 0.1], ['too few rows', 'same']]])), false);
  assert.deepEqual(heatTicks(few, 5), [{ at_ms: 0, part: 0 }, { at_ms: 900_000, part: 0.5 }]);
});

test('drift: an alarm of the monitor is the headline where this window has too few rows', () => {
  const watch = (state) => ({ state, rows: 20, features: [{ state }] });
  assert.deepEqual(verdict(watch('too few rows'), 0), { head: 'Too few rows to tell yet', sub: '' });
  assert.deepEqual(verdict(watch('too few rows'), 2),
    { head: '2\u00a0columns raised an alarm', sub: 'in this window: too few rows to tell yet' });
  assert.equal(plain(verdict(watch('drifted'), 2).head), '1 of 1 feature drifted');
});

test('alerts: what fires is summed up by model, the worst severity and the columns told', () => {
  const all = raisedOf([
    alert(1), alert(2, { kind: 'quality' }), alert(3, { kind: 'decay', column: '', severity: 'critical' }), alert(4, { silenced: true }),
    alert(5, { state: 'resolved' }), alert(6, { model: '', kind: 'disk', severity: 'info' }), alert(7, { column: 'hour' }),
  ]);
  assert.deepEqual(Object.keys(all), ['fraud', '']);
  assert.deepEqual({ ...all.fraud }, { count: 4, worst: 'critical', kinds: { drift: 2, quality: 1, decay: 1 }, columns: 2 });
  assert.equal(plain(kindsText(all.fraud)), '2 drift, 1 decay, 1 quality');
  assert.equal(all[''].worst, 'info');
  assert.equal(plain(severitiesText([alert(1), alert(2, { severity: 'critical' }), alert(3)])), '1 critical, 2 warning');
});

test('alerts: marks on charts join what fired together, and leave out what never did', () => {
  const marks = alertMarks([alert(9, { fired_ms: null }), alert(3, { fired_ms: 9000 }), alert(1, { fired_ms: 2000 }), alert(2, { fired_ms: 2500 }),
    alert(4, { fired_ms: 500 })], 'fraud', 1000, 1000);
  assert.deepEqual(marks, [
    { at_ms: 2000, text: '2 alerts, the first: alert 1', kind: 'alert', href: '/alerts?model=fraud&state=all' },
    { at_ms: 9000, text: 'alert 3', kind: 'alert', href: '/alerts/3' },
  ]);
});

test('alerts: what is over is looked at as it was; traffic in a window that has its beginning', () => {
  assert.equal(placeOf(alert(1, { state: 'resolved', ended_ms: 77, segment: 'eu' }), 0), '/models/fraud/drift?version=3&segment=eu&feature=amount&to_ms=77');
  const slow = alert(1, { kind: 'latency', started_ms: 0 });
  assert.equal(placeOf(slow, 60_000), '/models/fraud');
  assert.equal(placeOf(slow, 50 * 60_000), '/models/fraud?minutes=60');
  assert.equal(placeOf(slow, 9e9), '/models/fraud?minutes=1440');
});

test('monitor: evidence reads as odds', () => {
  assert.equal(odds(null), '–');
  assert.equal(odds(4.6), '1 in 39,000');
  assert.equal(plain(odds(7.8)), '1 in 63 million');
  assert.equal(plain(odds(9)), '1 in 1.0 billion');
  assert.equal(odds(0.5), '1 in 3');
  assert.equal(odds(183.4), '1 in 10^183');
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

test('alerts: one that came back is marked where it was raised first, too', () => {
  const back = alert(7, { started_ms: 1000, fired_ms: 900_000, returns: 2 });
  assert.deepEqual(alertMarks([back], 'fraud', 0, 1000).map((m) => [m.at_ms, m.text, m.href]),
    [[1000, 'raised first: alert 7', '/alerts/7'], [900_000, 'back, the 2nd time: alert 7', '/alerts/7']]);
  assert.deepEqual(alertMarks([back], 'fraud', 2000, 1000).map((m) => m.at_ms), [900_000]);
  assert.deepEqual(alertMarks([back], 'fraud', 0, 1_000_000).map((m) => m.text), ['back, the 2nd time: alert 7']);
});
