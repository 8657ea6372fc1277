/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reduce, START } from '../src/state.ts';
import { model, point } from './make.mjs';

const event = (id, rest = {}) => ({ id, at_ms: id, kind: 'deployment.live', model: 'm', who: 'ana', text: `event ${id}`, data: {}, ...rest });
const run = (...messages) => messages.reduce(reduce, START);
const change = (e, quiet = false) => ({ type: 'change', event: e, quiet });
const tick = (at_ms, requests) => ({ type: 'tick', tick: { at_ms, models: [model('m', { traffic: { requests } })] } });

test('state tick: replaces the models, moves the clock and grows the history', () => {
  const state = run(tick(1000, 10), tick(2000, 30));
  assert.equal(state.models.length, 1);
  assert.equal(state.now_ms, 2000);
  assert.deepEqual(state.history.m.rate, [20]);
});

test('state tick: a model that is gone takes its history along', () => {
  const state = run(tick(1000, 10), { type: 'tick', tick: { at_ms: 2000, models: [] } });
  assert.deepEqual(state.history, {});
});

test('state change: shows a toast, lists the event first and tells the model\'s page', () => {
  const state = run(change(event(1)), change(event(2)));
  assert.deepEqual(state.events.map((e) => e.id), [2, 1]);
  assert.deepEqual(state.toasts.map((t) => t.text), ['event 1', 'event 2']);
  assert.equal(state.changes.m, 2);
});

test('state change: the same event told twice counts once', () => {
  const state = run(change(event(1)), change(event(1)));
  assert.equal(state.events.length, 1);
  assert.equal(state.changes.m, 1);
});

test('state change: quiet events make no toast, and at most three toasts show', () => {
  assert.equal(run(change(event(1), true)).toasts.length, 0);
  assert.equal(run(change(event(1, { kind: 'deployment.loading' }))).toasts.length, 0);
  assert.deepEqual(run(...[1, 2, 3, 4].map((i) => change(event(i)))).toasts.map((t) => t.id), ['2', '3', '4']);
  assert.equal(run(change(event(1)), { type: 'toast-gone', id: '1' }).toasts.length, 0);
});

test('state connection: after a reconnect every model is asked for anew and sparklines begin afresh', () => {
  const before = run({ type: 'connection', connection: 'live' }, tick(1000, 1), tick(2000, 2), { type: 'connection', connection: 'reconnecting' });
  assert.deepEqual(before.history.m.rate, [1]);
  const after = reduce(before, { type: 'connection', connection: 'live' });
  assert.equal(after.changes.m, 1);
  assert.deepEqual(after.history, {});
});

test('state connection: the first connection asks for nothing again', () => {
  const state = run(tick(1000, 1), { type: 'connection', connection: 'live' });
  assert.equal(state.changes.m, undefined);
  assert.equal(reduce(state, { type: 'connection', connection: 'live' }), state);
});

test('state seed: fills the past once', () => {
  const once = run(tick(5000, 1), { type: 'seed', model: 'm', points: [point(3000, 4)] });
  assert.deepEqual(once.history.m.rate, [4]);
  assert.equal(reduce(once, { type: 'seed', model: 'm', points: [point(3000, 4)] }), once);
  assert.equal(reduce(START, { type: 'seed', model: 'm', points: [] }), START);
});

test('state: an hour of ticks, events and alerts keeps no more than two minutes and the newest events', () => {
  const model = (requests) => ({ name: 'fraud', traffic: { requests, p99_ms: 1 } });
  let state = START;
  for (let s = 0; s < 3600; s += 1) {
    state = reduce(state, { type: 'tick', tick: { at_ms: s * 1000, models: [model(s * 5)] } });
    state = reduce(state, { type: 'change', quiet: false, event: { id: s, at_ms: s, kind: 'alias.set', model: 'fraud', who: '', text: 't' } });
    state = reduce(state, { type: 'alert' });
  }
  assert.ok(JSON.stringify(state).length < 30_000);
  assert.equal(state.history.fraud.rate.length, 120);
  assert.ok(state.events.length <= 200 && state.toasts.length <= 3);
});
