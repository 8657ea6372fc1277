/* SPDX-License-Identifier: Apache-2.0 */
// The user's YAML as text, with the line of a mistake, and what applying it would change.

import { useEffect, useRef, useState } from 'preact/hooks';
import { counted } from '../format';
import { words } from '../resource';
import { compare, condition, timing } from '../rules';
import { changedLines, spanOf, type Mistake } from '../ruletext';
import type { AlertRules, Rule, RulesRead } from '../types';
import { Problem } from '../ui/choice';
import { Dialog } from '../ui/dialog';

const ROWS_MIN = 8;
const SHOWN_AT_ONCE = 12;

/** A line to select; another object selects it again. */
export interface Mark {
  line: number;
  mistake: Mistake | null;
}

/** Tab indents; after Esc it moves on, so that the keyboard is not caught here. */
function onKeyDown(event: KeyboardEvent, leaving: { current: boolean }): void {
  const box = event.currentTarget as HTMLTextAreaElement;
  const indent = event.key === 'Tab' && !event.shiftKey && !event.ctrlKey && !event.altKey && !box.readOnly && !leaving.current;
  leaving.current = event.key === 'Escape';
  if (!indent) return;
  event.preventDefault();
  box.setRangeText('  ', box.selectionStart, box.selectionEnd, 'end');
  box.dispatchEvent(new Event('input', { bubbles: true }));
}

export function Editor({ text, readOnly, mark, onText }: {
  text: string; readOnly: boolean; mark: Mark | null; onText: (text: string) => void;
}) {
  const box = useRef<HTMLTextAreaElement>(null);
  const leaving = useRef(false);
  const rows = Math.max(ROWS_MIN, text.split('\n').length);
  useEffect(() => {
    if (!mark || !box.current) return;
    box.current.focus();
    box.current.setSelectionRange(...spanOf(box.current.value, mark.line));
    document.getElementById(`yaml-line-${mark.line}`)?.scrollIntoView({ block: 'center' });
  }, [mark]);
  return (
    <div class="editor">
      <ol aria-hidden="true">
        {Array.from({ length: rows }, (_, i) => <li key={i} id={`yaml-line-${i + 1}`} class={mark?.mistake && mark.line === i + 1 ? 'wrong' : ''}>{i + 1}</li>)}
      </ol>
      <textarea ref={box} rows={rows} value={text} readOnly={readOnly} spellcheck={false} autocomplete="off" wrap="off"
        aria-label="Rules as YAML" aria-describedby="yaml-help" onInput={(e) => onText(e.currentTarget.value)}
        onKeyDown={(e) => onKeyDown(e, leaving)} />
    </div>
  );
}

function Named({ title, rules }: { title: string; rules: readonly Rule[] }) {
  if (rules.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>{rules.map((r) => <li key={r.name}><strong>{r.name}</strong> <span class="muted">{[condition(r), timing(r)].filter((t) => t !== '').join(', ')}</span></li>)}</ul>
    </>
  );
}

export function ApplyDialog({ now, before, text, read, onApply, onClose }: {
  now: AlertRules; before: string; text: string; read: RulesRead; onApply: () => Promise<void>; onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const changes = compare(now.rules, read.rules, now.measures);
  const lines = changedLines(before, text);
  const none = changes.added.length + changes.removed.length + changes.changed.length === 0;
  const send = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    onApply().catch((failure: unknown) => {
      setProblem(words(failure));
      setBusy(false);
    });
  };
  return (
    <Dialog title="Put these rules in force?" onClose={onClose} busy={busy} shape="wide">
      <form onSubmit={send} class="changes">
        {none && <p>No rule changes.</p>}
        <Named title="Added" rules={changes.added} />
        {changes.changed.length > 0 && (
          <>
            <h3>Changed</h3>
            <ul>
              {changes.changed.map(({ rule, fields }) => (
                <li key={rule.name}>
                  <strong>{rule.name}</strong>
                  {fields.map((f) => <span key={f.name} class="sub">{f.name}: {f.before || 'none'} → {f.after || 'none'}</span>)}
                </li>
              ))}
            </ul>
          </>
        )}
        <Named title="Removed" rules={changes.removed} />
        <details open={lines.length > 0 && lines.length <= SHOWN_AT_ONCE}>
          <summary>{lines.length === 0 ? 'The text is the same' : `${counted(lines.length, 'changed line')} of YAML`}</summary>
          <pre class="yaml">{lines.join('\n')}</pre>
        </details>
        {problem !== null && <Problem text={problem} />}
        <div class="actions">
          <button type="button" onClick={onClose} disabled={busy}>Not yet</button>
          <button type="submit" class="primary" disabled={busy}>Put in force</button>
        </div>
      </form>
    </Dialog>
  );
}
