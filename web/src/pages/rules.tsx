/* SPDX-License-Identifier: Apache-2.0 */
// The rules in force, and the YAML by which they are changed: by hand, or an item at a time by a form.

import { useState } from 'preact/hooks';
import * as api from '../api';
import { counted, duration } from '../format';
import { useResource, words } from '../resource';
import { compare, condition, draftOf, fieldsOf, NEW_RULE, timing, touched, type Draft } from '../rules';
import {
  appendItem, changedFields, findItem, mistakeOf, newFields, removeItem, replaceItem, type Edit, type Item,
} from '../ruletext';
import { dispatch, useStore } from '../store';
import type { AlertRules, Rule, RulesRead } from '../types';
import { Chip, SeverityBadge } from '../ui/badge';
import { Problem } from '../ui/choice';
import { Icon } from '../ui/icon';
import { Time } from '../ui/time';
import { Notifiers } from './notifiers';
import { ApplyDialog, Editor, type Mark } from './rule_editor';
import { RuleForm } from './rule_form';

const REFRESH_MS = 10_000;
const COUNTED_MAX = 1000;
const BY_HAND = 'The YAML is written in a way that the form does not change. Change it by hand, below.';

/** What is not in force yet, and the text that it was made from. */
interface Unapplied {
  base: string;
  text: string;
}

/** Kept while another page is looked at. */
let kept: Unapplied | null = null;

const unix = (text: string): string => text.replace(/\r\n?/g, '\n');

/* ---- The table ---- */

function Row({ rule, firing, more, onChange, onRemove }: {
  rule: Rule; firing: number; more: boolean; onChange: (() => void) | null; onRemove: (() => void) | null;
}) {
  return (
    <tr class="row">
      <th scope="row">
        <strong>{rule.name}</strong>
        {rule.builtin && <span class="sub">built-in</span>}
      </th>
      <td data-label="Raised by">
        {condition(rule)}
        <span class="sub num">{timing(rule)}</span>
      </td>
      <td data-label="About">
        {rule.model === '' ? <span class="muted">all</span> : rule.model}
        {rule.column !== '' && <span class="sub">{rule.on === 'metric' ? 'metric' : 'columns'} {rule.column}</span>}
        {rule.segment !== '' && <span class="sub">segment {rule.segment}</span>}
      </td>
      <td data-label="Severity"><SeverityBadge severity={rule.severity} /></td>
      <td data-label="Tells">
        {rule.notify.length === 0 ? <span class="muted">nobody</span> : <span class="chips">{rule.notify.map((n) => <Chip key={n}>{n}</Chip>)}</span>}
      </td>
      <td data-label="Firing" class="num">
        {firing === 0 ? <span class="muted">{more ? '–' : '0'}</span>
          : <a class="bad-text" href={`/alerts?rule=${encodeURIComponent(rule.name)}`} aria-label={`${firing} firing of ${rule.name}`}><Icon name="drifted" /> {firing}{more && '+'}</a>}
      </td>
      <td class="row-action">
        {onChange && <button type="button" class="link" aria-label={`Change ${rule.name}`} onClick={onChange}>Change</button>}
        {onRemove && <button type="button" class="link" aria-label={`Remove ${rule.name}`} onClick={onRemove}>Remove</button>}
      </td>
    </tr>
  );
}

function Table({ rules, onChange, onRemove }: {
  rules: readonly Rule[]; onChange: ((rule: Rule) => void) | null; onRemove: ((rule: Rule) => void) | null;
}) {
  const changes = useStore((s) => s.alertChanges);
  const list = useResource('firing of rules', (signal) => api.alerts('firing', COUNTED_MAX, signal), [changes], REFRESH_MS);
  const firing = (name: string): number => (list.data?.alerts ?? []).filter((a) => a.rule === name).length;
  return (
    <table class="stack rules">
      <thead>
        <tr>
          <th scope="col">Rule</th><th scope="col">Raised by</th><th scope="col">About</th><th scope="col">Severity</th>
          <th scope="col">Tells</th><th scope="col">Firing</th><th scope="col"><span class="visually-hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        {rules.map((r) => (
          <Row key={r.name} rule={r} firing={firing(r.name)} more={list.data?.more ?? true} onChange={onChange && (() => onChange(r))}
            onRemove={onRemove && !r.builtin ? () => onRemove(r) : null} />
        ))}
      </tbody>
    </table>
  );
}

/* ---- An item of the text ---- */

/** The rule as the text has it now, and its lines; no item: it is built-in, or new. */
interface Target {
  read: RulesRead;
  rule: Rule | null;
  item: Item | null;
}

async function targetOf(text: string, name: string | null): Promise<Target> {
  const read = await api.checkRules(text);
  const rule = read.rules.find((r) => r.name === name) ?? null;
  if (name !== null && rule === null) throw new Error(`The YAML below has no rule ${name} any more.`);
  return { read, rule, item: rule && !rule.builtin ? findItem(text, rule.line) : null };
}

/** What the server makes of the edit, if that concerns these rules alone. */
async function checked(edit: Edit | null, before: RulesRead, now: AlertRules, names: (string | undefined)[]): Promise<RulesRead> {
  if (edit === null) throw new Error(BY_HAND);
  const read = await api.checkRules(edit.text);
  const changed = touched(compare(before.rules, read.rules, now.measures));
  if (changed.length === 0) throw new Error('This changes nothing.');
  if (changed.some((name) => !names.includes(name))) throw new Error(BY_HAND);
  return read;
}

const ofUser = (read: RulesRead): Rule[] => read.rules.filter((r) => !r.builtin);

function startOf({ rule, item }: Target): Draft {
  return rule ? draftOf(rule, item?.groups?.has('notify') ?? false) : NEW_RULE;
}

function fieldsFor({ rule, item }: Target, draft: Draft, now: AlertRules): string[] {
  const after = fieldsOf(draft, now.measures);
  if (!rule || !item?.groups) return newFields(after);
  return changedFields(item.groups, fieldsOf(draftOf(rule, item.groups.has('notify')), now.measures), after);
}

function editFor(text: string, target: Target, draft: Draft, now: AlertRules): Edit | null {
  const fields = fieldsFor(target, draft, now);
  if (target.item) return replaceItem(text, target.item, fields);
  return appendItem(text, Math.max(0, ...ofUser(target.read).map((r) => r.line)), fields);
}

/* ---- The page ---- */

function Standing({ now, mayChange }: { now: AlertRules; mayChange: boolean | null }) {
  return (
    <>
      {now.error !== null && <Problem text={`Your rules are not in force, the built-in ones are: ${now.error}`} />}
      {now.trouble !== null && <Problem text={`The last evaluation failed: ${now.trouble}`} />}
      {mayChange === false && <p class="muted">You may read the rules. To change them, sign in with the scope <code>admin</code>.</p>}
    </>
  );
}

type Open = { what: 'form'; target: Target } | { what: 'apply'; read: RulesRead; text: string };

function Loaded({ now, mayChange, replace }: { now: AlertRules; mayChange: boolean | null; replace: (now: AlertRules) => void }) {
  const [unapplied, setUnapplied] = useState(kept);
  const [open, setOpen] = useState<Open | null>(null);
  const [mark, setMark] = useState<Mark | null>(null);
  const [said, setSaid] = useState<{ good: boolean; text: string } | null>(null);
  const stored = unix(now.yaml);
  const text = unapplied?.text ?? stored;
  const keep = (next: string | null): void => {
    kept = next === null || next === stored ? null : { base: unapplied?.base ?? stored, text: next };
    setUnapplied(kept);
    setMark(null);
    setSaid(null);
  };
  const fail = (failure: unknown): void => {
    const mistake = mistakeOf(words(failure));
    setSaid({ good: false, text: words(failure) });
    if (mistake) setMark({ line: mistake.line, mistake });
  };
  const check = (): void => {
    setMark(null);
    api.checkRules(text).then((read) => setSaid({
      good: true, text: `Fine: ${counted(read.rules.length, 'rule')}, ${counted(read.notifiers.length, 'notifier')}`,
    }), fail);
  };
  const review = (): void => {
    setMark(null);
    setSaid(null);
    api.checkRules(text).then((read) => setOpen({ what: 'apply', read, text }), fail);
  };
  const change = (name: string | null): void => {
    setSaid(null);
    targetOf(text, name).then((target) => {
      const foreign = target.rule && !target.rule.builtin && !target.item?.groups;
      if (!foreign) return setOpen({ what: 'form', target });
      setMark({ line: target.rule!.line, mistake: null });
      setSaid({ good: false, text: BY_HAND });
    }).catch(fail);
  };
  const take = (edit: Edit, read: RulesRead): void => {
    keep(edit.text);
    setOpen({ what: 'apply', read, text: edit.text });
  };
  const remove = async (name: string): Promise<void> => {
    const target = await targetOf(text, name);
    const edit = target.item && removeItem(text, target.item, ofUser(target.read).length === 1);
    take(edit!, await checked(edit, target.read, now, [name]));
  };
  const send = async (target: Target, draft: Draft): Promise<void> => {
    const edit = editFor(text, target, { ...draft, name: draft.name.trim() }, now);
    take(edit!, await checked(edit, target.read, now, [draft.name.trim(), target.rule?.name]));
  };
  const apply = (yaml: string): Promise<void> => api.applyRules(yaml).then((applied) => {
    replace(applied); /* the next edit is of this text, however slow the next answer is */
    keep(null);
    setSaid({ good: true, text: 'In force.' });
    setOpen(null);
    dispatch({ type: 'alert' });
  });
  const others = unapplied !== null && unapplied.base !== stored;
  return (
    <>
      <header class="page-head model-head">
        <div>
          <h1>Rules</h1>
          <p class="muted num">
            {counted(now.rules.length, 'rule')} in force, evaluated every {duration(now.every_ms / 1000)}
            {now.changed_ms > 0 && <> · changed by {now.who}, <Time at={now.changed_ms} /></>}
          </p>
        </div>
        {mayChange && <div class="actions"><button type="button" class="primary" onClick={() => change(null)}>New rule…</button></div>}
      </header>
      <Standing now={now} mayChange={mayChange} />
      {said && !said.good && !mark && <Problem text={said.text} />}
      <Table rules={now.rules} onChange={mayChange ? (r) => change(r.name) : null}
        onRemove={mayChange ? (r) => void remove(r.name).catch(fail) : null} />
      <section>
        <h2>Your rules, as YAML</h2>
        <p class="muted" id="yaml-help">
          {mayChange ? 'They stand before the built-in ones. Tab indents; Esc and then Tab moves on.' : 'They stand before the built-in ones.'}
        </p>
        {others && <p class="problem" role="alert">{now.who} put other rules in force since you began: yours would replace them.</p>}
        <Editor text={text} readOnly={mayChange !== true} mark={mark} onText={keep} />
        <div class="bar wrap editor-foot">
          {mayChange && (
            <>
              <button type="button" class="primary" disabled={unapplied === null} onClick={review}>Apply…</button>
              <button type="button" onClick={check}>Check</button>
              {unapplied !== null && <button type="button" class="quiet" onClick={() => keep(null)}>Discard changes</button>}
            </>
          )}
          <span role="status" class={said?.good ? 'good-text' : 'bad-text'}>
            {said && (said.good || mark) ? said.text : unapplied !== null && <span class="muted">Not in force yet.</span>}
          </span>
        </div>
        <details>
          <summary>The built-in rules, as YAML</summary>
          <pre class="yaml">{now.defaults}</pre>
        </details>
      </section>
      <Notifiers list={now.notifiers} mayTest={mayChange === true} />
      {open?.what === 'form' && (
        <RuleForm title={open.target.rule ? `Change ${open.target.rule.name}` : 'New rule'} start={startOf(open.target)}
          fixedName={open.target.rule?.builtin ?? false} measures={now.measures} notifiers={open.target.read.notifiers}
          fields={(draft) => fieldsFor(open.target, draft, now)} onSend={(draft) => send(open.target, draft)} onClose={() => setOpen(null)} />
      )}
      {open?.what === 'apply' && (
        <ApplyDialog now={now} before={stored} text={open.text} read={open.read} onApply={() => apply(open.text)} onClose={() => setOpen(null)} />
      )}
    </>
  );
}

export function Rules() {
  const changes = useStore((s) => s.changes['']);
  const found = useResource('alert rules', api.alertRules, [changes], REFRESH_MS);
  const allowed = useResource('may change rules', api.mayChangeRules);
  if (found.error !== null && !found.data) return <Problem text={found.error} retry={found.reload} />;
  if (!found.data) return <p class="muted loading">Loading…</p>;
  return <Loaded now={found.data} mayChange={allowed.data} replace={found.replace} />;
}
