/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, condition, draftOf, fieldsOf, NEW_RULE, period, quantity, scalar, timing, touched } from '../src/rules.ts';
import {
  appendItem, changedFields, changedLines, findItem, itemLines, mistakeOf, newFields, removeItem, replaceItem, spanOf,
} from '../src/ruletext.ts';

const plain = (text) => text.replace(/\u00a0/g, ' ');

const MEASURES = [
  { on: 'drift', measure: 'psi', unit: 'psi', windowed: false, verdict: true },
  { on: 'quality', measure: 'any', unit: 'share', windowed: false, verdict: true },
  { on: 'decay', measure: 'evidence', unit: '', windowed: false, verdict: true },
  { on: 'metric', measure: 'value', unit: '', windowed: false, verdict: false },
  { on: 'latency', measure: 'p99', unit: 'ms', windowed: true, verdict: false },
  { on: 'error_rate', measure: 'share', unit: 'share', windowed: true, verdict: false },
  { on: 'disk', measure: 'free', unit: 'share', windowed: false, verdict: false },
];

const rule = (name, rest = {}) => ({
  name, on: 'latency', measure: 'p99', model: '', column: '', segment: '', above: 200, unit: 'ms', window_s: 300, for_ms: 60_000,
  keep_firing_for_ms: 0, severity: 'warning', builtin: false, line: 2, labels: {}, notify: [], ...rest,
});

const TEXT = `# ours
notify: [ops]
rules:
  - name: fraud-slow
    on: latency      # of the gateway
    above: 200ms
    labels: {team: risk}

  # second
  - {name: room, on: disk, below: 5%, labels: {team: "a, b"}, notify: [ops, pager]}
  - name: last
    on: drift
    action:
      webhook: "https://h"
inhibit: []
`;

test('rules: a rule reads as a sentence, with units', () => {
  assert.equal(plain(condition(rule('a'))), 'latency p99 above 200 ms');
  assert.equal(plain(condition(rule('a', { on: 'error_rate', measure: 'share', above: 0.05, unit: 'share' }))), 'error rate above 5 %');
  assert.equal(plain(condition(rule('a', { above: 1e-7 }))), 'latency p99 above 1e-7 ms');
  assert.equal(plain(timing(rule('a'))), 'over 5 min, for 1 min');
  const drift = rule('d', { on: 'drift', measure: 'psi', above: undefined, window_s: 0, for_ms: 0 });
  assert.equal(condition(drift), 'drift');
  assert.equal(timing(drift), 'by its own test');
});

test('rules: quantities become the shortest YAML that is read back as the same number', () => {
  assert.deepEqual([0, 250, 1500, 60_000, 7_200_000, 0.5].map(period), ['0s', '250ms', '1500ms', '1m', '2h', '0.5ms']);
  assert.deepEqual([5 / 100, 7 / 100, 99.9 / 100, 1].map((x) => quantity(x, 'share')), ['5%', '7%', '99.9%', '100%']);
  for (const part of [1 / 3, 0.1 + 0.2, 1e-9]) {
    const text = quantity(part, 'share');
    assert.equal(text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text), part);
  }
  assert.equal(quantity(2e9, 'bytes'), '2GB');
  assert.equal(quantity(1_500, 'bytes'), '1500B');
  assert.equal(quantity(10, 'per_s'), '10/s');
});

test('rules: texts are quoted where YAML would read them as something else', () => {
  assert.deepEqual(['fraud', 'mean radius', '5%', 'a@2', 'fraud-*'].map(scalar), ['fraud', 'mean radius', '5%', 'a@2', 'fraud-*']);
  assert.deepEqual(['*', 'a: b', 'a #b', '"x"', '[a]', '-', 'ende ', 'ü', '{}', "it's"].map(scalar),
    ['"*"', '"a: b"', '"a #b"', '"\\"x\\""', '"[a]"', '"-"', '"ende "', '"ü"', '"{}"', '"it\'s"']);
});

test('rules: the form becomes one item, without what has no meaning there', () => {
  const draft = { ...NEW_RULE, name: 'p', limit: '200ms', model: '*', column: 'x', notify: ['ops'] };
  assert.deepEqual(itemLines(newFields(fieldsOf(draft, MEASURES)), 2), [
    '  - name: p', '    on: latency', '    measure: p99', '    above: 200ms', '    window: 5m', '    for: 1m', '    model: "*"',
    '    severity: warning', '    notify: [ops]',
  ]);
  const decay = { ...draft, on: 'decay', measure: 'evidence', notify: [] };
  assert.deepEqual([...fieldsOf(decay, MEASURES).keys()], ['name', 'on', 'measure', 'for', 'model', 'severity', 'notify']);
  assert.equal(fieldsOf(decay, MEASURES).get('notify'), '[]');
  const quality = { ...draft, on: 'quality', measure: 'any', limit: '5%', notify: null };
  assert.deepEqual([...fieldsOf(quality, MEASURES).keys()], ['name', 'on', 'measure', 'above', 'for', 'model', 'column', 'severity']);
});

test('rules: what differs is told by field; the place in the text is no difference', () => {
  const before = [rule('slow', { builtin: true }), rule('gone'), rule('same')];
  const after = [rule('slow', { above: 500, line: 9, labels: { team: 'x' } }), rule('same', { line: 99 }), rule('new')];
  const changes = compare(before, after, MEASURES);
  assert.deepEqual(touched(changes), ['new', 'gone', 'slow']);
  assert.deepEqual(changes.changed[0].fields, [
    { name: 'above', before: '200ms', after: '500ms' }, { name: 'written by', before: 'Slipway', after: 'you' },
    { name: 'labels', before: '', after: 'team: x' },
  ]);
});

test('rules: of an action\'s name no notifier is made', () => {
  assert.deepEqual(draftOf(rule('a', { notify: ['ops', 'rule a'] }), true).notify, ['ops']);
  assert.equal(draftOf(rule('a', { notify: ['ops'] }), false).notify, null);
});

test('rule text: an item is found by its line, with its fields, in either style', () => {
  const block = findItem(TEXT, 4);
  assert.deepEqual([block.from, block.to, block.dash], [3, 7, 2]);
  assert.deepEqual([...block.groups.keys()], ['name', 'on', 'above', 'labels']);
  const flow = findItem(TEXT, 10);
  assert.deepEqual([flow.from, flow.to], [9, 10]);
  assert.deepEqual([...flow.groups].map(([, lines]) => lines[0]),
    ['name: room', 'on: disk', 'below: 5%', 'labels: {team: "a, b"}', 'notify: [ops, pager]']);
  const last = findItem(TEXT, 11);
  assert.deepEqual([last.from, last.to], [10, 14]);
  assert.deepEqual(last.groups.get('action'), ['action:', '  webhook: "https://h"']);
  assert.equal(findItem(TEXT, 3), null);
  assert.equal(findItem(TEXT, 99), null);
});

test('rule text: what is not understood is not changed', () => {
  assert.equal(findItem('rules:\n  - &a\n    name: x\n', 3), null);
  assert.equal(findItem('rules:\n  - {name: x, on: drift} # why\n', 2).groups, null);
  assert.equal(findItem('rules:\n  - <<: *base\n    name: x\n', 2).groups, null);
  assert.equal(findItem('rules:\n  - {name: x}, y\n', 2).groups, null);
  assert.equal(findItem('rules: [{name: x}]\n', 1), null);
  assert.equal(appendItem('rules: [{name: x}]\n', 1, ['name: y']), null);
  assert.equal(appendItem('rules: [{name: x}]\n', 0, ['name: y']), null);
});

test('rule text: a changed field changes its line alone; what the form does not know stays', () => {
  const item = findItem(TEXT, 4);
  const was = fieldsOf(draftOf(rule('fraud-slow'), false), MEASURES);
  const now = fieldsOf({ ...draftOf(rule('fraud-slow'), false), limit: '300ms', model: 'fraud*' }, MEASURES);
  const edit = replaceItem(TEXT, item, changedFields(item.groups, was, now));
  assert.deepEqual(changedLines(TEXT, edit.text),
    ['-     above: 200ms', '+     above: 300ms', '+     model: fraud*']);
  assert.match(edit.text, /# of the gateway/);
  const noted = findItem('rules:\n  - name: a\n    above: 5%  # half\n    # and so\n    on: disk\n', 2);
  assert.deepEqual(changedFields(noted.groups, new Map(), new Map([['name', 'a'], ['above', '7%'], ['on', 'disk']])),
    ['name: a', 'above: 7%  # half', '# and so', 'on: disk']);
  const cleared = fieldsOf({ ...draftOf(rule('fraud-slow'), false), on: 'drift', measure: 'psi', limit: '' }, MEASURES);
  assert.deepEqual(changedFields(item.groups, was, cleared), ['name: fraud-slow', 'on: drift      # of the gateway', 'labels: {team: risk}', 'measure: psi']);
});

test('rule text: items are added behind the last, or as the first, and nothing else moves', () => {
  const fields = ['name: new', 'on: drift'];
  const behind = appendItem(TEXT, 11, fields);
  assert.equal(behind.text, TEXT.replace('inhibit', '  - name: new\n    on: drift\ninhibit'));
  assert.equal(behind.line, 15);
  assert.deepEqual(appendItem('', 0, fields), { text: 'rules:\n  - name: new\n    on: drift\n', line: 2 });
  assert.deepEqual(appendItem('notify: [a]\n', 0, fields), { text: 'notify: [a]\nrules:\n  - name: new\n    on: drift\n', line: 3 });
  assert.equal(appendItem('rules: [] # none\nquiet: []\n', 0, fields).text, 'rules: # none\n  - name: new\n    on: drift\nquiet: []\n');
  assert.equal(appendItem('rules:\n- name: a\n  on: drift\n', 2, fields).text, 'rules:\n- name: a\n  on: drift\n- name: new\n  on: drift\n');
});

test('rule text: items are taken out, the list with its last', () => {
  assert.equal(removeItem(TEXT, findItem(TEXT, 10), false).text, TEXT.replace(/ {2}- \{name: room.*\n/, ''));
  const one = 'notify: []\nrules:\n  - name: new\n    on: drift\n';
  assert.equal(removeItem(one, findItem(one, 3), true).text, 'notify: []\n');
  const noted = 'rules: # ours\n  - name: new\n    on: drift\n';
  assert.equal(removeItem(noted, findItem(noted, 2), true).text, 'rules: [] # ours\n');
});

test('rule text: a mistake has a place, and the place a span', () => {
  assert.deepEqual(mistakeOf("line 4, column 12: above: 'x' is no\nduration"), { line: 4, column: 12, text: "above: 'x' is no\nduration" });
  assert.equal(mistakeOf('the rules are larger than 256 KiB'), null);
  assert.deepEqual(spanOf('ab\ncde\n', 2), [3, 6]);
  assert.deepEqual(spanOf('ab\ncde', 9), [3, 6]);
});
