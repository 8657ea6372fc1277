/* SPDX-License-Identifier: Apache-2.0 */
import { SHORTCUTS } from '../keys';
import { Dialog } from './dialog';

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys">
        {SHORTCUTS.map((s) => (
          <div key={s.label}>
            <dt>{s.keys.map((k) => <kbd key={k}>{k}</kbd>)}</dt>
            <dd>{s.label}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">All that is shown here comes from the server's public API: <a href="/api/v1/openapi.json">its description</a>.</p>
    </Dialog>
  );
}
