/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, LiveStream, SILENCE_MS } from '../src/stream.ts';

/** A world with a clock that is moved by hand. */
function world() {
  const w = { now: 0, timers: new Map(), sources: [], log: [], answers: true, next: 1 };
  w.connect = () => {
    const source = { listeners: {}, closed: false, addEventListener(type, act) { this.listeners[type] = act; }, close() { this.closed = true; } };
    w.sources.push(source);
    return source;
  };
  w.probe = () => (w.answers ? Promise.resolve() : Promise.reject(new Error('down')));
  w.after = (ms, act) => { w.timers.set(w.next, { at: w.now + ms, act }); return w.next++; };
  w.cancel = (id) => w.timers.delete(id);
  w.random = () => 1;
  w.advance = async (ms) => {
    w.now += ms;
    for (const [id, timer] of [...w.timers]) {
      if (timer.at <= w.now && w.timers.delete(id)) timer.act();
    }
    await new Promise((done) => setImmediate(done));
  };
  w.stream = new LiveStream('/stream', {
    open: () => w.log.push('open'), broken: () => w.log.push('broken'), tick: (t) => w.log.push(`tick ${t.at_ms}`), change: (e) => w.log.push(`change ${e.id}`),
  }, w);
  w.say = (type, data = '{}') => w.sources.at(-1).listeners[type]({ data });
  return w;
}

test('stream: hands on ticks and changes', () => {
  const w = world();
  w.stream.start();
  w.say('open');
  w.say('tick', '{"at_ms":5,"models":[]}');
  w.say('change', '{"id":7}');
  assert.deepEqual(w.log, ['open', 'tick 5', 'change 7']);
});

test('stream: an error closes it, and a new one is opened after a wait', async () => {
  const w = world();
  w.stream.start();
  w.say('error');
  assert.ok(w.sources[0].closed);
  assert.deepEqual(w.log, ['broken']);
  assert.equal(w.sources.length, 1);
  await w.advance(backoffMs(0, 1));
  assert.equal(w.sources.length, 2);
});

test('stream: while the server does not answer, waits grow and no connection is tried', async () => {
  const w = world();
  w.answers = false;
  w.stream.start();
  w.say('error');
  for (let attempt = 0; attempt < 8; attempt += 1) await w.advance(backoffMs(attempt, 1));
  assert.equal(w.sources.length, 1);
  w.answers = true;
  await w.advance(backoffMs(8, 1) - 1);
  assert.equal(w.sources.length, 1);
  await w.advance(1);
  assert.equal(w.sources.length, 2);
});

test('stream: silence counts as broken', async () => {
  const w = world();
  w.stream.start();
  w.say('open');
  await w.advance(SILENCE_MS - 1);
  w.say('tick', '{"at_ms":1,"models":[]}');
  await w.advance(SILENCE_MS - 1);
  assert.ok(!w.sources[0].closed);
  await w.advance(1);
  assert.ok(w.sources[0].closed);
  assert.equal(w.log.at(-1), 'broken');
});

test('stream: once stopped it stays stopped, and what an old connection says is not heard', async () => {
  const w = world();
  w.stream.start();
  w.stream.stop();
  w.say('tick', '{"at_ms":1,"models":[]}');
  w.say('error');
  await w.advance(60_000);
  assert.deepEqual(w.log, []);
  assert.equal(w.sources.length, 1);
  w.stream.start();
  assert.equal(w.sources.length, 2);
});

test('stream backoff: doubles to ten seconds, spread by half', () => {
  assert.equal(backoffMs(0, 1), 400);
  assert.equal(backoffMs(1, 1), 800);
  assert.equal(backoffMs(1, 0), 400);
  assert.equal(backoffMs(50, 1), 10_000);
});
