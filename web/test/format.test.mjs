/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as f from '../src/format.ts';

/** Reads no-break spaces as spaces. */
const plain = (text) => text.replace(/\u00a0/g, ' ');

function each(format, pairs) {
  for (const [input, wanted] of pairs) assert.equal(plain(format(input)), wanted, `of ${input}`);
}

test('format axis: round numbers keep their digits', () => {
  each(f.axisMillis, [[0, '0'], [0.0025, '2.5 µs'], [0.1, '100 µs'], [1, '1 ms'], [2.5, '2.5 ms'], [250, '250 ms'], [10_000, '10 s']]);
});

test('format ticks: a day is named where it begins and where ticks are days apart; the zone is told', () => {
  const at = (text) => new Date(text).getTime(); /* in Berlin */
  assert.equal(plain(f.tickTime(at('2026-11-23T14:05:10'), 10)), '14:05:10');
  assert.equal(plain(f.tickTime(at('2026-11-23T14:05:00'), 300)), '14:05');
  assert.equal(plain(f.tickTime(at('2026-11-23T00:00:00'), 10_800)), '23 Nov');
  assert.equal(plain(f.tickTime(at('2026-11-23T00:00:00'), 345_600)), '23 Nov');
  assert.equal(f.zone(at('2026-11-23T00:00:00')), 'UTC+1');
  assert.equal(f.zone(at('2026-07-01T00:00:00')), 'UTC+2');
});

test('format millis: two or three digits that mean something, in the fitting unit', () => {
  each(f.millis, [
    [0, '0 ms'], [0.0004, '<1 µs'], [0.0123, '12 µs'], [0.0999, '100 µs'], [0.21, '0.21 ms'], [0.6, '0.60 ms'], [3.44, '3.4 ms'],
    [9.96, '10 ms'], [31.4, '31 ms'], [999.4, '999 ms'], [999.6, '1.00 s'], [1240, '1.24 s'], [10_400, '10 s'], [59_400, '59 s'], [61_000, '1 min'],
    [null, '–'], [undefined, '–'], [NaN, '–'], [Infinity, '–'],
  ]);
});

test('format share: never rounds something to nothing nor nearly all to all', () => {
  each(f.share, [
    [0, '0 %'], [0.00001, '<0.01 %'], [0.0012, '0.12 %'], [0.0421, '4.2 %'], [0.0996, '10 %'], [0.42, '42 %'], [0.996, '>99 %'],
    [0.9999999, '>99 %'], [1, '100 %'], [null, '–'],
  ]);
});

test('format bytes: decimal units, one decimal below ten', () => {
  each(f.bytes, [
    [0, '0 B'], [999, '999 B'], [1000, '1.0 KB'], [347_210, '347 KB'], [999_600, '1.0 MB'], [42_300_000, '42 MB'], [8.1e9, '8.1 GB'],
    [9e15, '9000 TB'],
  ]);
});

test('format duration: the two largest units', () => {
  each(f.duration, [
    [0, '0 s'], [59.9, '59 s'], [60, '1 min'], [3599, '59 min'], [3600, '1 h'], [11_520, '3 h 12 min'], [86_400, '1 d'],
    [446_400, '5 d 4 h'], [-3, '0 s'],
  ]);
});

test('format rate: whole and grouped when large, a decimal when small, never zero for a trickle', () => {
  each(f.rate, [[0, '0 req/s'], [0.01, '<0.1 req/s'], [0.4, '0.4 req/s'], [9.96, '10 req/s'], [2114.4, '2,114 req/s'], [null, '–']]);
});

test('format value: four digits, an exponent only where the number is out of hand', () => {
  each(f.value, [[0, '0'], [41, '41'], [0.123456, '0.1235'], [12_345.6, '12,346'], [1.5e12, '1.50e12'], [2e-7, '2.00e-7'], [-3.5, '-3.5']]);
});

test('format count: one version, two versions', () => {
  assert.equal(plain(f.counted(1, 'version')), '1 version');
  assert.equal(plain(f.counted(0, 'version')), '0 versions');
  assert.equal(plain(f.counted(48_000, 'row')), '48,000 rows');
});

test('format when: the clock today, the day this year, the year before; UTC beside it', () => {
  const now = Date.UTC(2026, 10, 22, 13, 0, 0); /* 14:00 in Berlin, where these tests run */
  assert.equal(plain(f.when(Date.UTC(2026, 10, 22, 12, 2, 11), now)), '13:02:11');
  assert.equal(plain(f.when(Date.UTC(2026, 10, 21, 12, 2, 11), now)), '21 Nov 13:02');
  assert.equal(plain(f.when(Date.UTC(2025, 5, 1, 12, 2, 11), now)), '1 Jun 2025');
  assert.equal(f.utc(Date.UTC(2026, 10, 22, 12, 2, 11)), '2026-11-22 12:02:11 UTC');
});
