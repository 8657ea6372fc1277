/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calm, deployed, extend, headline, HISTORY_POINTS, resting, seed } from '../src/fleet.ts';
import { outline } from '../src/ui/spark.tsx';
import { model, point } from './make.mjs';

test('fleet order: down, failing, drifted, moved, waiting, then well by name', () => {
  const list = [
    model('well-b'), model('well-a'), model('waiting', { watch: { state: 'too few rows' } }), model('moved', { watch: { state: 'moved', moved: 1 } }),
    model('drifted', { watch: { state: 'drifted', drifted: 1 } }), model('failing', { traffic: { error_share: 0.02 } }),
    model('down', { deployment: { state: 'down' } }), model('idle', { deployment: null }),
  ];
  assert.deepEqual(deployed(list).map((m) => m.name), ['down', 'failing', 'drifted', 'moved', 'waiting', 'well-a', 'well-b']);
  assert.deepEqual(resting(list).map((m) => m.name), ['idle']);
});

test('fleet order: of two that drifted, the one with more drifted features is first', () => {
  const list = [model('a', { watch: { state: 'drifted', drifted: 1 } }), model('b', { watch: { state: 'drifted', drifted: 7 } })];
  assert.deepEqual(deployed(list).map((m) => m.name), ['b', 'a']);
});

test('fleet headline: names the one that needs a look, counts several, says when all is well', () => {
  const bad = model('fraud', { watch: { state: 'drifted', drifted: 3 } });
  assert.equal(headline([]), 'Nothing is deployed yet');
  assert.equal(headline([model('a')]), 'a is well');
  assert.equal(headline([model('a'), model('b')]), 'All 2 deployments are well');
  assert.equal(headline([model('a'), bad]).replace(/\u00a0/g, ' '), 'fraud has drifted in 3 features');
  assert.equal(headline([bad, model('b', { deployment: { state: 'down' } })]), '2 of 2 deployments need a look');
});

const raised = (count, worst) => ({ count, worst, kinds: { drift: count }, columns: count });

test('fleet: what raised an alert is not well, whatever its last minutes say', () => {
  const list = [model('calm'), model('moved', { watch: { state: 'moved', moved: 1 } }), model('told', { watch: { state: 'too few rows' } })];
  const all = { told: raised(11, 'warning'), calm: raised(1, 'info') };
  assert.deepEqual(deployed(list, all).map((m) => m.name), ['told', 'moved', 'calm']);
  assert.equal(headline(list, all).replace(/\u00a0/g, ' '), 'told raised 11 alerts');
  assert.equal(headline(list, { '': raised(1, 'critical') }).replace(/\u00a0/g, ' '), 'The server raised 1 alert');
  const worse = [model('drifted', { watch: { state: 'drifted', drifted: 9 } }), model('decayed')];
  assert.deepEqual(deployed(worse, { decayed: raised(1, 'critical') }).map((m) => m.name), ['decayed', 'drifted']);
});

const at = (requests, p99_ms = 2) => model('m', { traffic: { requests, p99_ms } });

test('history: a rate is the growth between two ticks; the first tick has none', () => {
  let h = extend(undefined, at(100), 1000);
  assert.deepEqual(h.rate, []);
  h = extend(h, at(150), 2000);
  assert.deepEqual(h.rate, [50]);
  h = extend(h, at(350), 4010); /* a tick was missed: both seconds get the mean */
  assert.deepEqual(h.rate, [50, 100, 100]);
});

test('history: ticks out of step with the second do not make a spike', () => {
  let h = extend(undefined, at(100), 1900);
  h = extend(h, at(150), 2000);
  assert.deepEqual(h.rate, []);
  h = extend(h, at(200), 3000);
  assert.deepEqual(h.rate, [50]);
});

test('history: a server that began anew leaves a gap, not a negative rate', () => {
  const h = extend(extend(undefined, at(1000), 1000), at(3), 2000);
  assert.deepEqual(h.rate, [null]);
});

test('history: keeps two minutes', () => {
  let h = extend(undefined, at(0), 0);
  for (let i = 1; i <= 300; i += 1) h = extend(h, at(i * 10), i * 1000);
  assert.equal(h.rate.length, HISTORY_POINTS);
  assert.equal(h.p99.length, HISTORY_POINTS);
});

test('history: the past goes before the ticks, its p99 the worst of a minute, as ticks have it', () => {
  const h = seed(extend(extend(undefined, at(0), 0), at(7), 1000), [point(-3000, 1, { p99_ms: null }), point(-2000, 1, { p99_ms: 10 }), point(-1000, 3, { p99_ms: 2 })]);
  assert.deepEqual(h.rate, [1, 1, 3, 7]);
  assert.deepEqual(h.p99, [null, 10, 10, 2]);
});

test('sparkline: calm is a trailing mean that leaves gaps alone', () => {
  assert.deepEqual(calm([0, 10, null, 5], 2), [0, 5, null, 5]);
});

test('sparkline: a gap breaks the line, and no value makes none', () => {
  assert.equal(outline([]).line, '');
  assert.equal(outline([null, null]).line, '');
  assert.equal(outline([1, 2, null, 3, 4]).line.split('M').length - 1, 2);
  assert.doesNotMatch(outline([0, 0, 0]).line, /NaN/);
});
