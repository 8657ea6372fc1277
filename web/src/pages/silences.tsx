/* SPDX-License-Identifier: Apache-2.0 */
// Silences: what nobody is told of for a while, and why.

import { useState } from 'preact/hooks';
import * as api from '../api';
import { useResource, words } from '../resource';
import { dispatch, useStore } from '../store';
import type { Silence } from '../types';
import { Chip } from '../ui/badge';
import { Choice, Problem } from '../ui/choice';
import { Dialog } from '../ui/dialog';
import { Time } from '../ui/time';

const REFRESH_MS = 10_000;
const HOUR_MS = 3_600_000;
const LASTING = [
  { value: 1, label: '1 h' }, { value: 4, label: '4 h' }, { value: 24, label: '1 day' }, { value: 168, label: '1 week' },
];

/** `matchers` null: they are to be written. */
export function SilenceDialog({ matchers, onClose, onDone }: { matchers: string[] | null; onClose: () => void; onDone: () => void }) {
  const [written, setWritten] = useState('');
  const [why, setWhy] = useState('');
  const [hours, setHours] = useState(4);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const wanted = matchers ?? written.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const send = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    api.silence(wanted, Date.now() + hours * HOUR_MS, why).then(() => {
      onDone();
      onClose();
    }, (failure: unknown) => {
      setProblem(words(failure));
      setBusy(false);
    });
  };
  return (
    <Dialog title={matchers ? 'Silence alerts like this' : 'Silence alerts'} onClose={onClose} busy={busy}>
      <form onSubmit={send}>
        {matchers ? <p class="chips">{matchers.map((m) => <Chip key={m}>{m}</Chip>)}</p> : (
          <label class="field">
            <span>Alerts that match all of these, one a line: <code>rule=slow</code>, <code>model=fraud*</code>, <code>severity!=critical</code></span>
            <textarea class="mono" rows={3} required spellcheck={false} value={written} onInput={(e) => setWritten(e.currentTarget.value)} />
          </label>
        )}
        <Choice label="For how long" options={LASTING} value={hours} onPick={setHours} />
        <label class="field">
          <span>Why</span>
          <input type="text" value={why} maxLength={200} onInput={(e) => setWhy(e.currentTarget.value)} />
        </label>
        {problem !== null && <Problem text={problem} />}
        <div class="actions">
          <button type="button" onClick={onClose} disabled={busy}>Cancel</button>
          <button type="submit" class="primary" disabled={busy}>Silence</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Silences() {
  const changes = useStore((s) => s.alertChanges);
  const list = useResource('silences', api.silences, [changes], REFRESH_MS);
  const [problem, setProblem] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const changed = (): void => {
    setProblem(null);
    list.reload();
    dispatch({ type: 'alert' });
  };
  const end = (silence: Silence): void => {
    api.unsilence(silence.id).then(changed, (failure: unknown) => setProblem(words(failure)));
  };
  return (
    <>
      <header class="page-head model-head">
        <div>
          <h1>Silences</h1>
          <p class="muted">Alerts that match are listed, and nobody is told of them.</p>
        </div>
        <div class="actions"><button type="button" onClick={() => setAdding(true)}>Silence alerts…</button></div>
      </header>
      {problem !== null && <Problem text={problem} />}
      {list.error !== null && <Problem text={list.error} retry={list.reload} />}
      {list.loading && <p class="muted loading">Loading…</p>}
      {list.data?.length === 0 && <p class="lead">No silence holds.</p>}
      {list.data && list.data.length > 0 && (
        <ul class="lines">
          {list.data.map((s) => (
            <li key={s.id}>
              <span class="chips">
                {s.matchers.map((m) => `${m.name}${m.negated ? '!=' : '='}${m.pattern}`).map((text) => <Chip key={text}>{text}</Chip>)}
              </span>
              <span class="muted">{s.from_ms > Date.now() && <>from <Time at={s.from_ms} /> </>}until <Time at={s.until_ms} /> · {s.who}{s.why && ` · ${s.why}`}</span>
              <button type="button" class="link" onClick={() => end(s)}>End it</button>
            </li>
          ))}
        </ul>
      )}
      {adding && <SilenceDialog matchers={null} onClose={() => setAdding(false)} onDone={changed} />}
    </>
  );
}
