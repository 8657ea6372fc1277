/* SPDX-License-Identifier: Apache-2.0 */
// Something fetched, kept fresh: asked for again at intervals, and whenever `deps` change. What was
// shown stays on show until better has come.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export function words(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

export interface Resource<T> {
  data: T | null;
  error: string | null;
  /** True until there is something to show. */
  loading: boolean;
  reload(): void;
  /** Shows what an answer to a change brought, and asks again. */
  replace(data: T): void;
}

interface Held<T> {
  key: string;
  data: T | null;
  error: string | null;
}

/** `key` names what is fetched: another key drops what is shown. `deps` only ask again. */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[] = [],
  everyMs = 0,
): Resource<T> {
  const [held, setHeld] = useState<Held<T>>({ key, data: null, error: null });
  const [asked, setAsked] = useState(0);
  const loader = useRef(load);
  loader.current = load;
  const reload = useCallback(() => setAsked((n) => n + 1), []);
  const replace = useCallback((data: T) => {
    setHeld({ key, data, error: null });
    reload();
  }, [key]);

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const ask = (): void => {
      if (document.hidden && everyMs > 0) {
        timer = window.setTimeout(ask, everyMs);
        return;
      }
      loader.current(abort.signal).then(
        (data) => setHeld({ key, data, error: null }),
        (failure: unknown) => {
          if (abort.signal.aborted) return;
          setHeld((before) => ({ key, data: before.key === key ? before.data : null, error: words(failure) }));
        },
      ).finally(() => {
        if (everyMs > 0 && !abort.signal.aborted) timer = window.setTimeout(ask, everyMs);
      });
    };
    ask();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key, asked, everyMs, ...deps]);

  const fresh = held.key === key;
  return {
    data: fresh ? held.data : null,
    error: fresh ? held.error : null,
    loading: !fresh || (held.data === null && held.error === null),
    reload,
    replace,
  };
}
