/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bars, countByState, hasReference, pick, watchHeadline } from '../src/drift.ts';
import { press } from '../src/keys.ts';
import { engineOf, lastGood, nextRevisionNumber, rollbackChoices, tookMs } from '../src/revisions.ts';
import { modelPath, parse, withQuery } from '../src/route.ts';
import { alone, series, wantsLog } from '../src/traffic.ts';
import { find } from '../src/ui/search.tsx';
import { column, model, point, revision } from './make.mjs';

test('drift order: drifted, moved, too few rows, same; within a verdict the largest PSI first', () => {
  const list = [column('s', 'same', 0.01), column('t', 'too few rows', null), column('m', 'moved', 0.15), column('d1', 'drifted', 0.25), column('d2', 'drifted', 0.9)];
  assert.deepEqual(pick(list, '', '').map((c) => c.name), ['d2', 'd1', 'm', 't', 's']);
  assert.deepEqual(pick(list, ' D', '').map((c) => c.name), ['d2', 'd1']);
  assert.deepEqual(pick(list, '', 'same').map((c) => c.name), ['s']);
  assert.deepEqual(countByState(list)[0], { state: 'drifted', count: 2 });
});

test('drift headline: no rows is said before any verdict', () => {
  const watch = { model: 'm', version: 1, window_minutes: 15, rows: 0, state: 'too few rows', rows_min: 500, features: [column('a', 'too few rows', null)], outputs: [] };
  assert.equal(watchHeadline(watch), 'No predictions in this window');
  assert.equal(watchHeadline({ ...watch, rows: 9 }), 'Too few rows to tell yet');
  assert.match(watchHeadline({ ...watch, rows: 900, features: [column('a', 'drifted', 0.3), column('b', 'same', 0)] }), /^1 of 2.features drifted$/);
});

test('traffic: the latency axis turns logarithmic when peaks would press the median to the floor', () => {
  const plan = (p99_ms) => wantsLog(series(traffic([point(10_000, 1, { p50_ms: 1, p99_ms: 2 }), point(20_000, 1, { p50_ms: 1, p99_ms })], 0), 1));
  assert.equal(plan(20), false);
  assert.equal(plan(40), true);
  assert.equal(wantsLog(series(traffic([], 0), 1)), false);
});

const bin = (from, to, live_share, reference_share) => ({ from, to, label: '', live_share, reference_share });

test('drift bars: side by side, the highest share of both distributions reaches the top', () => {
  const [a, b] = bars([bin(0, 1, 0.2, 0.8), bin(1, 9, 0.4, 0.2)]);
  assert.deepEqual([a.x, b.x, a.width, b.width], [0, 0.5, 0.5, 0.5]);
  assert.deepEqual([a.reference, a.live, b.live], [1, 0.25, 0.5]);
});

test('drift bars: an output without a reference shows what is live alone', () => {
  const [a] = bars([bin(0, 1, 0.2, null)]);
  assert.deepEqual([a.live, a.reference], [1, 0]);
  assert.equal(hasReference(column('score', 'unwatched', null, { bins: [bin(0, 1, 0.2, null)] })), false);
  assert.equal(hasReference(column('amount', 'same', 0.1, { bins: [bin(0, 1, 0.2, 0)] })), true);
});

test('drift bars: no bin, or only empty ones, draw nothing and divide by nothing', () => {
  assert.deepEqual(bars([]), []);
  assert.equal(bars([bin(0, 1, null, 0)])[0].live, 0);
});

const back = (number, version, to, rest = {}) => revision(number, version, { kind: 'rollback', equals: to, ...rest });

test('revisions: two rollbacks after three deploys end at the first, and a third has nowhere to go', () => {
  const list = [revision(1, 1), revision(2, 2), revision(3, 3, { current: true })];
  assert.equal(lastGood(list).revision, 2);
  list.push(back(4, 2, 2));
  assert.equal(lastGood(list).revision, 1);
  list.push(back(5, 1, 1));
  assert.equal(lastGood(list), undefined);
});

test('revisions: a rollback of a rollback stands for the deploy behind it', () => {
  const list = [revision(1, 1), revision(2, 2), back(3, 1, 1), revision(4, 4), back(5, 1, 3)];
  assert.equal(lastGood(list), undefined);
  assert.deepEqual(rollbackChoices(list).map((r) => r.revision), [4, 2]);
});

test('revisions: a failed deploy is no place to go back to, and after an undeploy what was live is', () => {
  const list = [revision(1, 1), revision(2, 2, { state: 'failed' }), revision(3, 3), revision(4, 4, { state: 'failed' })];
  assert.equal(lastGood(list).revision, 1);
  assert.deepEqual(rollbackChoices(list).map((r) => r.revision), [1]);
  list.push(revision(5, 3, { state: 'undeployed', kind: 'undeploy' }));
  assert.equal(lastGood(list).revision, 3);
  assert.deepEqual(rollbackChoices(list).map((r) => r.revision), [3, 1]);
});

test('revisions: going back to one that a rollback had left puts it where the current one was', () => {
  const list = [revision(1, 1), revision(2, 2), back(3, 1, 1), back(4, 2, 2)];
  assert.equal(lastGood(list), undefined);
  assert.deepEqual(rollbackChoices(list).map((r) => r.revision), [1]);
  assert.equal(nextRevisionNumber(list), 5);
  assert.equal(nextRevisionNumber([]), 1);
});

test('revisions: the engine of a version is that of the last time it was live', () => {
  const list = [
    revision(4, 1, { engine: 'auto' }), revision(3, 1, { engine: 'native', state: 'failed' }), revision(2, 1, { engine: 'onnxruntime' }),
    revision(1, 1, { engine: 'native' }),
  ];
  assert.equal(engineOf({ version: 1 }, list).engine, 'onnxruntime');
  assert.equal(engineOf({ version: 2 }, list), undefined);
});

test('revisions: how long it took is told, or read off the two times', () => {
  assert.equal(tookMs(revision(1, 1, { took_ms: 31.4 })), 31.4);
  assert.equal(tookMs(revision(1, 1, { took_ms: undefined, created_ms: 100, live_ms: 131 })), 31);
  assert.equal(tookMs(revision(1, 1, { took_ms: undefined, state: 'failed', live_ms: 0 })), null);
});

const traffic = (points, from_ms) => ({ model: 'm', step_s: 10, from_ms, points, marks: [] });

test('traffic: points keep their own times, and counts become rates', () => {
  const s = series(traffic([point(10_003, 50), point(20_005, 20, { failures: 10 }), point(60_000, 0, { p50_ms: null })], 3), 1);
  assert.deepEqual(s.at_s, [10.003, 20.005, 30.005, 60]);
  assert.deepEqual(s.rate, [5, 2, null, 0]);
  assert.deepEqual(s.failures, [0, 1, null, 0]);
  assert.deepEqual(s.p50, [1, 1, null, null]);
  assert.deepEqual([s.requests, s.failed], [70, 10]);
});

test('traffic: the step that still runs is no fall: its rate is over the time so far, or not shown yet', () => {
  const begun = series(traffic([point(10_000, 50), point(20_000, 50), point(21_000, 5, { failures: 1 })], 3), 1);
  assert.deepEqual(begun.rate, [5, 5, null]);
  assert.deepEqual([begun.requests, begun.failed], [105, 1]);
  assert.deepEqual(series(traffic([point(10_000, 50), point(20_000, 50), point(26_000, 30)], 3), 0.3).rate, [5, 5, 5]);
});

test('traffic: the axis covers the window even where nothing is known', () => {
  assert.deepEqual(series(traffic([], 0), 1).at_s, [0, 60]);
  assert.deepEqual(series(traffic([point(40_000, 1), point(50_000, 1)], 0), 1).at_s, [0, 40, 50]);
  assert.deepEqual(series(traffic([point(10_000, 1), point(20_000, 1)], 0), 1).at_s, [10, 20, 60]);
});

test('traffic: a value without neighbours is found, so that it gets a dot', () => {
  assert.deepEqual(alone([null, 1, null, 2, 3, null, 4]), [1, 6]);
  assert.deepEqual(alone([]), []);
});

test('routes: every page has its address, and names survive the round trip', () => {
  assert.deepEqual(parse('/'), { page: 'fleet' });
  assert.deepEqual(parse('/events'), { page: 'events' });
  assert.deepEqual(parse('/models/fraud'), { page: 'model', name: 'fraud', tab: 'live' });
  assert.deepEqual(parse(modelPath('a b/c', 'drift')), { page: 'model', name: 'a b/c', tab: 'drift' });
  for (const path of ['/nope', '/models/a/nope', '/models/a/drift/b', '/models/%E0%A4%A', '/events/x']) assert.equal(parse(path).page, 'missing');
});

test('routes: a query value is set, changed, and dropped when empty', () => {
  assert.equal(withQuery('', { q: 'a b' }), '?q=a+b');
  assert.equal(withQuery('?q=x&state=same', { q: '' }), '?state=same');
  assert.equal(withQuery('?q=x', { q: '' }), '');
});

test('keys: g then m within a while goes to the fleet, later it does not', () => {
  const g = press({ g_ms: 0 }, 'g', 100);
  assert.equal(g.action, null);
  assert.equal(press(g.chord, 'm', 900).action, 'fleet');
  assert.equal(press(g.chord, 'e', 900).action, 'events');
  assert.equal(press(g.chord, 'm', 9000).action, null);
  assert.equal(press({ g_ms: 0 }, 'm', 100).action, null);
  assert.equal(press({ g_ms: 0 }, '/', 100).action, 'search');
});

test('search: names that begin with the text come first, aliases last', () => {
  const list = [model('x-fraud'), model('fraud'), model('other', { aliases: [{ name: 'fraud-old', version: 1 }] }), model('none')];
  assert.deepEqual(find(list, 'FRAUD').map((m) => m.name), ['fraud', 'x-fraud', 'other']);
});
