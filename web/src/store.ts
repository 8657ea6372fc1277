/* SPDX-License-Identifier: Apache-2.0 */
// The one store, and the hook by which components see a part of it.

import { useEffect, useState } from 'preact/hooks';
import { reduce, START, type Message, type State } from './state';

let current: State = START;
const listeners = new Set<() => void>();

export function get(): State {
  return current;
}

export function dispatch(message: Message): void {
  const next = reduce(current, message);
  if (next === current) return;
  current = next;
  for (const listener of [...listeners]) listener();
}

/** Renders again when what `select` picks is another value (compared by identity). */
export function useStore<T>(select: (state: State) => T): T {
  const [, render] = useState<object>({});
  const picked = select(current);
  useEffect(() => {
    let seen = select(current);
    const listener = (): void => {
      const now = select(current);
      if (Object.is(now, seen)) return;
      seen = now;
      render({});
    };
    listeners.add(listener);
    if (!Object.is(seen, picked)) render({}); /* it changed between render and effect */
    return () => {
      listeners.delete(listener);
    };
  }, [select]);
  return picked;
}
