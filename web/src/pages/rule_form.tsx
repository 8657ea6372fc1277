/* SPDX-License-Identifier: Apache-2.0 */
// A rule as a small form. It makes one item of the user's YAML, and shows it.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { words } from '../resource';
import { isAction, LIMIT_HINTS, spoken, takesColumn, takesLimit, type Draft } from '../rules';
import { itemLines, mistakeOf } from '../ruletext';
import { useStore } from '../store';
import type { Measure, Notifier, Severity } from '../types';
import { Problem } from '../ui/choice';
import { Dialog } from '../ui/dialog';

const SEVERITIES: Severity[] = ['info', 'warning', 'critical'];
/** Of these, too little is what is bad. */
const SCARCE = ['metric', 'coverage', 'disk'];

type Change = (part: Partial<Draft>) => void;

function Text({ label, value, onText, ...more }: {
  label: ComponentChildren; value: string; onText: (text: string) => void; placeholder?: string; required?: boolean; readOnly?: boolean; list?: string;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <input type="text" value={value} maxLength={200} spellcheck={false} autocomplete="off" {...more} onInput={(e) => onText(e.currentTarget.value)} />
    </label>
  );
}

function Select<T extends string>({ label, value, options, onPick }: {
  label: string; value: T; options: readonly T[]; onPick: (value: T) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(e) => onPick(e.currentTarget.value as T)}>
        {options.map((o) => <option key={o} value={o}>{spoken(o)}</option>)}
      </select>
    </label>
  );
}

function What({ draft, measures, change }: { draft: Draft; measures: readonly Measure[]; change: Change }) {
  const kinds = [...new Set(measures.map((m) => m.on))];
  const own = measures.filter((m) => m.on === draft.on);
  const m = own.find((one) => one.measure === draft.measure);
  const pick = (next: Measure | undefined): void => {
    if (!next) return;
    change({
      on: next.on, measure: next.measure, limit: next.unit === m?.unit && takesLimit(next) ? draft.limit : '',
      side: next.on === draft.on ? draft.side : SCARCE.includes(next.on) ? 'below' : 'above',
      window: next.windowed ? draft.window || '5m' : '', column: takesColumn(next.on) ? draft.column : '',
    });
  };
  return (
    <>
      <Select label="On" value={draft.on} options={kinds} onPick={(on) => pick(measures.find((one) => one.on === on))} />
      {own.length > 1 && (
        <Select label="Measure" value={draft.measure} options={own.map((one) => one.measure)}
          onPick={(measure) => pick(own.find((one) => one.measure === measure))} />
      )}
      {m && takesLimit(m) && (
        <>
          <Select label="Raised" value={draft.side} options={['above', 'below'] as const} onPick={(side) => change({ side })} />
          <Text label={m.verdict ? 'Threshold (none: its own test decides)' : 'Threshold'} value={draft.limit} required={!m.verdict}
            placeholder={`such as ${LIMIT_HINTS[m.unit] ?? ''}`} onText={(limit) => change({ limit })} />
        </>
      )}
      {m && !takesLimit(m) && <p class="muted whole">No threshold: a test of its own decides.</p>}
      {m?.windowed && <Text label="Window (10s to 10m)" value={draft.window} placeholder="5m" onText={(window) => change({ window })} />}
    </>
  );
}

function Whom({ draft, notifiers, change }: { draft: Draft; notifiers: readonly Notifier[]; change: Change }) {
  const names = notifiers.map((n) => n.name).filter((name) => !isAction(name));
  const toggle = (name: string): void => {
    const now = draft.notify ?? [];
    change({ notify: now.includes(name) ? now.filter((n) => n !== name) : [...now, name] });
  };
  return (
    <fieldset class="whole">
      <legend>Tell</legend>
      <label><input type="checkbox" checked={draft.notify === null} onChange={() => change({ notify: draft.notify === null ? [] : null })} />whom all rules tell</label>
      {draft.notify !== null && names.map((name) => (
        <label key={name}><input type="checkbox" checked={draft.notify!.includes(name)} onChange={() => toggle(name)} />{name}</label>
      ))}
      {draft.notify?.length === 0 && <span class="muted">nobody</span>}
    </fieldset>
  );
}

export function RuleForm({ title, start, fixedName, measures, notifiers, fields, onSend, onClose }: {
  title: string;
  start: Draft;
  /** A built-in rule is changed by one of the same name. */
  fixedName: boolean;
  measures: readonly Measure[];
  notifiers: readonly Notifier[];
  /** The fields that the item would have. */
  fields: (draft: Draft) => string[];
  onSend: (draft: Draft) => Promise<void>;
  onClose: () => void;
}) {
  const models = useStore((s) => s.models);
  const [draft, setDraft] = useState(start);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const change: Change = (part) => {
    setDraft((d) => ({ ...d, ...part }));
    setProblem(null);
  };
  const send = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    onSend(draft).catch((failure: unknown) => {
      setProblem(mistakeOf(words(failure))?.text ?? words(failure));
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} onClose={onClose} busy={busy} shape="wide">
      <form onSubmit={send}>
        <div class="fields">
          <Text label="Name" value={draft.name} required readOnly={fixedName} onText={(name) => change({ name })} />
          <Select label="Severity" value={draft.severity} options={SEVERITIES} onPick={(severity) => change({ severity })} />
          <What draft={draft} measures={measures} change={change} />
          <Text label="Must hold for" value={draft.for} placeholder="0s" onText={(text) => change({ for: text })} />
          <Text label="Models" value={draft.model} placeholder="all, or a pattern: fraud*" list="rule-models" onText={(model) => change({ model })} />
          <datalist id="rule-models">{(models ?? []).map((m) => <option key={m.name} value={m.name} />)}</datalist>
          {takesColumn(draft.on) && (
            <Text label={draft.on === 'metric' ? 'Metric' : 'Columns'} value={draft.column}
              placeholder={draft.on === 'metric' ? 'such as accuracy' : 'all, or a pattern: amount*'} onText={(column) => change({ column })} />
          )}
          <Whom draft={draft} notifiers={notifiers} change={change} />
        </div>
        <pre class="yaml" aria-label="As YAML">{itemLines(fields(draft), 0).join('\n')}</pre>
        {problem !== null && <Problem text={problem} />}
        <div class="actions">
          <button type="button" onClick={onClose} disabled={busy}>Cancel</button>
          <button type="submit" class="primary" disabled={busy}>Review…</button>
        </div>
      </form>
    </Dialog>
  );
}
