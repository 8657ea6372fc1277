/* SPDX-License-Identifier: Apache-2.0 */
// What others changed, said once in the corner and to screen readers; gone after some seconds.

import { useEffect } from 'preact/hooks';
import type { Toast } from '../state';
import { dispatch, useStore } from '../store';
import { Icon } from './icon';

const SHOWN_MS = 7000;

function ToastLine({ toast }: { toast: Toast }) {
  const gone = (): void => dispatch({ type: 'toast-gone', id: toast.id });
  useEffect(() => {
    const timer = window.setTimeout(gone, SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, []);
  const bad = toast.kind.endsWith('failed');
  return (
    <div class={bad ? 'toast bad' : 'toast'}>
      <Icon name={bad ? 'down' : 'same'} />
      <span>
        {toast.text}
        {toast.who !== '' && <span class="muted"> by {toast.who}</span>}
      </span>
      <button type="button" class="plain" aria-label="Dismiss" onClick={gone}>
        <Icon name="close" />
      </button>
    </div>
  );
}

export function Toasts() {
  const toasts = useStore((s) => s.toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => <ToastLine key={toast.id} toast={toast} />)}
    </div>
  );
}
