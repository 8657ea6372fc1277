/* SPDX-License-Identifier: Apache-2.0 */
// The address bar as state: links are plain anchors, followed here without loading a page.

import { useEffect, useState } from 'preact/hooks';
import { parse, withQuery, type Route } from './route';

const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of [...listeners]) listener();
}

export function go(path: string): void {
  if (path !== location.pathname + location.search) history.pushState(null, '', path);
  window.scrollTo(0, 0);
  changed();
}

/** Filters replace the address: going back leaves the page rather than undoing letters. */
export function setQuery(changes: Record<string, string>): void {
  history.replaceState(history.state, '', location.pathname + withQuery(location.search, changes));
  changed();
}

/** Opens what lies over the page: going back closes it, as closing it goes back. */
export function openQuery(changes: Record<string, string>): void {
  history.pushState({ opened: true }, '', location.pathname + withQuery(location.search, changes));
  changed();
}

export function closeQuery(changes: Record<string, string>): void {
  if ((history.state as { opened?: boolean } | null)?.opened) history.back();
  else setQuery(changes);
}

export function useLocation(): { route: Route; query: URLSearchParams } {
  const [, render] = useState<object>({});
  useEffect(() => {
    const listener = (): void => render({});
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return { route: parse(location.pathname), query: new URLSearchParams(location.search) };
}

function onClick(event: MouseEvent): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!plain || event.defaultPrevented || link === null || link.target !== '' || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || link.hash !== '') return;
  if (['missing', 'used-link'].includes(parse(link.pathname).page)) return; /* not a page of ours: the API, say */
  event.preventDefault();
  go(link.pathname + link.search);
}

export function startNavigation(): void {
  document.addEventListener('click', onClick);
  window.addEventListener('popstate', changed);
}
