/* SPDX-License-Identifier: Apache-2.0 */
// Pointing an alias at a version, or taking it away.

import { useState } from 'preact/hooks';
import * as api from '../api';
import { versionSpec } from '../format';
import type { Model } from '../types';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';

export function AliasDialog({ model, version, onClose, onDone }: {
  model: Model;
  version: number;
  onClose: () => void;
  onDone: () => void;
}) {
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const existing = model.aliases.find((a) => a.name === name);
  const target = versionSpec(model.name, version);

  const run = (work: Promise<unknown>, then: () => void): void => {
    setBusy(true);
    setError(null);
    work.then(
      () => {
        setBusy(false);
        onDone();
        then();
      },
      (failure: unknown) => {
        setBusy(false);
        setError(failure instanceof Error ? failure.message : String(failure));
      },
    );
  };

  return (
    <Dialog title={`Aliases of ${model.name}`} onClose={onClose} busy={busy}>
      <form onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '' && !busy) run(api.setAlias(model.name, name.trim(), version), onClose);
      }}>
        <label class="field">
          <span>Point at {target}</span>
          <input type="text" value={name} placeholder="champion" required autofocus list="alias-names"
            autocomplete="off" spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <datalist id="alias-names">{model.aliases.map((a) => <option key={a.name} value={a.name} />)}</datalist>
        {existing && existing.version !== version && (
          <p class="num">Moves <strong>{existing.name}</strong>: {versionSpec(model.name, existing.version)} <Icon name="arrow" /> {target}</p>
        )}
        {model.aliases.length > 0 && (
          <ul class="lines">
            {model.aliases.map((a) => (
              <li key={a.name}>
                <span>{a.name}</span>
                <span class="muted num">{versionSpec(model.name, a.version)}</span>
                <button type="button" class="link" disabled={busy}
                  onClick={() => run(api.removeAlias(model.name, a.name), () => undefined)}>
                  Remove<span class="visually-hidden"> {a.name}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        {error !== null && <div class="refused" role="alert"><pre>{error}</pre></div>}
        <div class="actions">
          <button type="button" onClick={onClose} disabled={busy}>Cancel</button>
          <button type="submit" class="primary" disabled={busy} aria-busy={busy}>{existing ? 'Move alias' : 'Set alias'}</button>
        </div>
      </form>
    </Dialog>
  );
}
