/* SPDX-License-Identifier: Apache-2.0 */
// A modal dialog on the platform's own <dialog>: focus stays inside, Esc closes, focus returns.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon';

export function Dialog({ title, onClose, busy = false, shape = '', children }: {
  title: string;
  onClose: () => void;
  /** Work is under way: neither Esc nor a click beside it closes. */
  busy?: boolean;
  /** "high" keeps its top where it is while its height changes. */
  shape?: '' | 'wide' | 'high';
  children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const leave = (): void => {
    if (!busy) onClose();
  };
  return (
    <dialog
      ref={box}
      class={shape}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      onMouseDown={(event) => {
        if (event.target === box.current) leave();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" class="plain" aria-label="Close" onClick={leave} disabled={busy}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
