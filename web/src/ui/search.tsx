/* SPDX-License-Identifier: Apache-2.0 */
// Search: type a part of a model's name, Enter goes there.

import { useState } from 'preact/hooks';
import { worstFirst } from '../fleet';
import { go } from '../nav';
import { modelPath } from '../route';
import { useStore } from '../store';
import type { Model } from '../types';
import { WatchBadge } from './badge';
import { Dialog } from './dialog';

const SHOWN = 8;

/** Names that begin with the text come before names that contain it; then aliases. */
export function find(models: readonly Model[], text: string): Model[] {
  const wanted = text.trim().toLowerCase();
  const rank = (m: Model): number => {
    const name = m.name.toLowerCase();
    if (name.startsWith(wanted)) return 0;
    if (name.includes(wanted)) return 1;
    return m.aliases.some((a) => a.name.toLowerCase().includes(wanted)) ? 2 : 3;
  };
  return models.filter((m) => rank(m) < 3).sort((a, b) => rank(a) - rank(b) || worstFirst(a, b)).slice(0, SHOWN);
}

export function Search({ onClose }: { onClose: () => void }) {
  const models = useStore((s) => s.models);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = find(models ?? [], text);
  const chosen = Math.min(at, found.length - 1);
  const open = (model: Model): void => {
    onClose();
    go(modelPath(model.name));
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setAt((chosen + step + found.length) % found.length);
    }
    const model = found[chosen];
    if (event.key === 'Enter' && model) {
      event.preventDefault();
      open(model);
    }
  };
  return (
    <Dialog title="Search models" onClose={onClose} shape="high">
      <input type="text" class="filter wide" autofocus list={undefined} placeholder="Name or alias" aria-label="Name or alias"
        role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant={found[chosen] ? `found-${chosen}` : undefined}
        value={text} onKeyDown={onKey} onInput={(e) => { setText(e.currentTarget.value); setAt(0); }} />
      <ul class="found" id="found" role="listbox" aria-label="Models">
        {found.map((m, i) => (
          <li key={m.name} id={`found-${i}`} role="option" aria-selected={i === chosen}
            onMouseEnter={() => setAt(i)} onClick={() => open(m)}>
            <span>{m.name}{m.deployment && <span class="muted num">@{m.deployment.version}</span>}</span>
            {m.deployment ? <WatchBadge state={m.watch.state} /> : <span class="muted">not deployed</span>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="muted">No model matches.</p>}
    </Dialog>
  );
}
