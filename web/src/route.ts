/* SPDX-License-Identifier: Apache-2.0 */
// Addresses: every page, tab and filter has one, so that what one sees can be sent to another.

export const TABS = ['live', 'drift', 'quality', 'versions', 'events'] as const;
export type Tab = (typeof TABS)[number];

export const ALERT_TABS = ['inbox', 'rules', 'silences'] as const;
export type AlertTab = (typeof ALERT_TABS)[number];

export type Route =
  | { page: 'fleet' }
  | { page: 'model'; name: string; tab: Tab }
  | { page: 'events' }
  | { page: 'alerts'; id: number | null; tab: AlertTab }
  /** A sign-in link that did not sign in: the server answers those that do. */
  | { page: 'used-link' }
  | { page: 'missing' };

export function parse(path: string): Route {
  let parts: string[];
  try {
    parts = path.split('/').filter((part) => part !== '').map(decodeURIComponent);
  } catch {
    return { page: 'missing' }; /* a broken percent-escape */
  }
  const [head, name, tab, more] = parts;
  if (head === undefined) return { page: 'fleet' };
  if (head === 'login' && name !== undefined && tab === undefined) return { page: 'used-link' };
  if (head === 'events' && name === undefined) return { page: 'events' };
  if (head === 'alerts' && tab === undefined) {
    if (name === undefined) return { page: 'alerts', id: null, tab: 'inbox' };
    if (name === 'rules' || name === 'silences') return { page: 'alerts', id: null, tab: name };
    if (/^[1-9][0-9]*$/.test(name)) return { page: 'alerts', id: Number(name), tab: 'inbox' };
  }
  if (head !== 'models' || more !== undefined) return { page: 'missing' };
  if (name === undefined) return { page: 'fleet' };
  const wanted = tab ?? 'live';
  return (TABS as readonly string[]).includes(wanted)
    ? { page: 'model', name, tab: wanted as Tab }
    : { page: 'missing' };
}

export function modelPath(name: string, tab: Tab = 'live'): string {
  const base = `/models/${encodeURIComponent(name)}`;
  return tab === 'live' ? base : `${base}/${tab}`;
}

export function alertsPath(tab: AlertTab): string {
  return tab === 'inbox' ? '/alerts' : `/alerts/${tab}`;
}

/** The alerts of one model. */
export function alertsOf(model: string): string {
  return `/alerts?model=${encodeURIComponent(model)}`;
}

export function alertPath(id: number): string {
  return `/alerts/${id}`;
}

/** The query with some values changed; an empty value drops its name. */
export function withQuery(search: string, changes: Record<string, string>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
