/* SPDX-License-Identifier: Apache-2.0 */
// Every change of state, with who and when; new ones come in at the top by themselves.

import { useEffect, useState } from 'preact/hooks';
import * as api from '../api';
import { setQuery } from '../nav';
import { useResource } from '../resource';
import { modelPath } from '../route';
import { useStore } from '../store';
import type { Event } from '../types';
import { EventBadge } from '../ui/badge';
import { Choice, Filter, Problem } from '../ui/choice';
import { Time } from '../ui/time';

const PAGE = 50;

/** What has come by the stream, before what was fetched; each event once, newest first. */
export function merge(live: readonly Event[], fetched: readonly Event[]): Event[] {
  const seen = new Set(fetched.map((e) => String(e.id)));
  return [...live.filter((e) => !seen.has(String(e.id))), ...fetched].sort((a, b) => b.at_ms - a.at_ms || idOrder(b, a));
}

function idOrder(a: Event, b: Event): number {
  return typeof a.id === 'number' && typeof b.id === 'number' ? a.id - b.id : 0;
}

function matches(event: Event, text: string, family: string): boolean {
  if (family !== '' && !event.kind.startsWith(family)) return false;
  const wanted = text.trim().toLowerCase();
  return wanted === '' || `${event.kind} ${event.model} ${event.who} ${event.text}`.toLowerCase().includes(wanted);
}

function Row({ event, linked }: { event: Event; linked: boolean }) {
  return (
    <tr class="row">
      <td data-label="When" class="num"><Time at={event.at_ms} /></td>
      <td data-label="Kind" class="nowrap"><EventBadge event={event} /></td>
      <td data-label="What" class="event-text">{event.text}</td>
      {linked && <td data-label="Model">{event.model !== '' && <a href={modelPath(event.model)}>{event.model}</a>}</td>}
      <td data-label="Who">{event.who}</td>
    </tr>
  );
}

export function EventTable({ model, query }: { model: string; query: URLSearchParams }) {
  const live = useStore((s) => s.events);
  const connection = useStore((s) => s.connection);
  const first = useResource(`events ${model}`, (signal) => api.events(model, '', PAGE, signal), [connection === 'live']);
  const [older, setOlder] = useState<{ events: Event[]; more: boolean } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => setOlder(null), [model]);

  const text = query.get('q') ?? '';
  const family = query.get('kind') ?? '';
  const fetched = [...(first.data?.events ?? []), ...(older?.events ?? [])];
  const all = merge(live.filter((e) => model === '' || e.model === model), dedupe(fetched));
  const families = [...new Set(all.map((e) => e.kind.split('.')[0]!))].sort();
  const shown = all.filter((e) => matches(e, text, family));
  const more = older ? older.more : first.data?.more ?? false;

  const loadOlder = (): void => {
    const last = fetched[fetched.length - 1];
    if (!last) return;
    api.events(model, String(last.id), PAGE).then(
      (page) => setOlder((before) => ({ events: [...(before?.events ?? []), ...page.events], more: page.more })),
      (failure: unknown) => setProblem(failure instanceof Error ? failure.message : String(failure)),
    );
  };

  return (
    <>
      <div class="bar wrap">
        <Filter label="Filter events" value={text} onInput={(q) => setQuery({ q })} />
        {families.length > 1 && (
          <Choice
            label="Kind"
            options={[{ value: '', label: 'all' }, ...families.map((f) => ({ value: f, label: f }))]}
            value={family}
            onPick={(kind) => setQuery({ kind })}
          />
        )}
      </div>
      {first.error !== null && <Problem text={first.error} retry={first.reload} />}
      {problem !== null && <Problem text={problem} />}
      {first.loading && <p class="muted loading">Loading…</p>}
      {first.data && shown.length === 0 && (
        <p class="lead">{all.length === 0 ? 'Nothing has happened yet.' : 'No event matches.'}</p>
      )}
      {shown.length > 0 && (
        <table class="stack events">
          <thead>
            <tr>
              <th scope="col">When</th><th scope="col">Kind</th><th scope="col">What</th>
              {model === '' && <th scope="col">Model</th>}
              <th scope="col">Who</th>
            </tr>
          </thead>
          <tbody>{shown.map((e) => <Row key={e.id} event={e} linked={model === ''} />)}</tbody>
        </table>
      )}
      {more && <p><button type="button" onClick={loadOlder}>Load older events</button></p>}
    </>
  );
}

function dedupe(events: readonly Event[]): Event[] {
  const seen = new Set<string>();
  return events.filter((e) => !seen.has(String(e.id)) && seen.add(String(e.id)));
}

export function Events({ query }: { query: URLSearchParams }) {
  return (
    <main id="main" tabIndex={-1} class="page">
      <header class="page-head"><h1>Events</h1><p class="muted">Every change, with who and when.</p></header>
      <EventTable model="" query={query} />
    </main>
  );
}
