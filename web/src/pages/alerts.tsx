/* SPDX-License-Identifier: Apache-2.0 */
// Alerts: what needs somebody, the numbers that raised it, and the two ways to calm it.

import { useEffect, useState } from 'preact/hooks';
import { figure, flatten, inbox, loud, matchersOf, mostUrgentFirst, placeOf } from '../alerts';
import * as api from '../api';
import { counted, duration } from '../format';
import { go, setQuery } from '../nav';
import { useResource } from '../resource';
import { alertPath } from '../route';
import { dispatch, useStore } from '../store';
import type { Alert, Silence } from '../types';
import { Badge, Chip, SeverityBadge } from '../ui/badge';
import { Choice, Filter, Problem } from '../ui/choice';
import { Dialog } from '../ui/dialog';
import { Time } from '../ui/time';

const REFRESH_MS = 10_000;
const SILENCES = [
  { value: 1, label: '1 h' }, { value: 4, label: '4 h' }, { value: 24, label: '1 day' }, { value: 168, label: '1 week' },
];
const HOUR_MS = 3_600_000;

function words(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** Keeps the number in the page's head, wherever one is. */
export function useFiring(): void {
  const changes = useStore((s) => s.alertChanges);
  const firing = useResource('firing', (signal) => api.alerts('firing', '', '', signal), [changes], 60_000);
  const count = firing.data ? loud(firing.data.alerts) : null;
  useEffect(() => {
    if (count !== null) dispatch({ type: 'firing', count });
  }, [count]);
}

function State({ alert }: { alert: Alert }) {
  if (alert.state === 'resolved') return <Badge icon="same" tone="good">resolved</Badge>;
  if (alert.state === 'pending') return <Badge icon="waiting" tone="quiet">pending</Badge>;
  if (alert.silenced) return <Badge icon="power" tone="quiet">silenced</Badge>;
  if (alert.inhibited_by) return <Badge icon="power" tone="quiet">held back by {alert.inhibited_by}</Badge>;
  if (alert.acknowledged) return <Badge icon="same" tone="accent">seen by {alert.acknowledged.who}</Badge>;
  return <Badge icon="drifted" tone="bad">firing</Badge>;
}

function Lasting({ alert }: { alert: Alert }) {
  const now = useStore((s) => s.now_ms) || Date.now();
  const began = alert.fired_ms ?? alert.started_ms;
  return <span class="num">{duration(((alert.ended_ms ?? now) - began) / 1000)}</span>;
}

function Row({ alert }: { alert: Alert }) {
  return (
    <tr class="row">
      <td data-label="Severity"><SeverityBadge severity={alert.severity} /></td>
      <th scope="row" class="event-text">
        <a class="cover" href={alertPath(alert.id)}>{alert.summary}</a>
        <span class="sub">{alert.rule}</span>
      </th>
      <td data-label="State"><State alert={alert} /></td>
      <td data-label="Since" class="num"><Time at={alert.fired_ms ?? alert.started_ms} /></td>
      <td data-label="For"><Lasting alert={alert} /></td>
    </tr>
  );
}

/* ---- One alert ---- */

type Calm = 'acknowledge' | 'silence';

function CalmDialog({ alert, calm, onClose, onDone }: { alert: Alert; calm: Calm; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState('');
  const [hours, setHours] = useState(4);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    const sent: Promise<unknown> = calm === 'acknowledge'
      ? api.acknowledge(alert.id, text)
      : api.silence(matchersOf(alert), Date.now() + hours * HOUR_MS, text);
    sent.then(() => {
      onDone();
      onClose();
    }, (failure: unknown) => {
      setProblem(words(failure));
      setBusy(false);
    });
  };
  return (
    <Dialog title={calm === 'acknowledge' ? 'Acknowledge this alert' : 'Silence alerts like this'} onClose={onClose} busy={busy}>
      <form onSubmit={send}>
        {calm === 'acknowledge' ? (
          <p>It keeps firing, and nobody is told of it again until it ends.</p>
        ) : (
          <>
            <p class="chips">{matchersOf(alert).map((m) => <Chip key={m}>{m}</Chip>)}</p>
            <Choice label="For how long" options={SILENCES} value={hours} onPick={setHours} />
          </>
        )}
        <label class="field">
          <span>{calm === 'acknowledge' ? 'Note' : 'Why'}</span>
          <input type="text" value={text} maxLength={200} onInput={(e) => setText(e.currentTarget.value)} />
        </label>
        {problem !== null && <Problem text={problem} />}
        <div class="actions">
          <button type="button" onClick={onClose} disabled={busy}>Cancel</button>
          <button type="submit" class="primary" disabled={busy}>{calm === 'acknowledge' ? 'Acknowledge' : 'Silence'}</button>
        </div>
      </form>
    </Dialog>
  );
}

function Facts({ alert }: { alert: Alert }) {
  const facts: [string, preact.ComponentChildren][] = [
    ['State', <State alert={alert} />],
    ['Severity', <SeverityBadge severity={alert.severity} />],
    ['Measured', <span class="num">{figure(alert.value, alert.unit)}</span>],
    ['Limit', <span class="num">{figure(alert.limit, alert.unit)}</span>],
    ['Since', <Time at={alert.started_ms} />],
    ['For', <Lasting alert={alert} />],
  ];
  return <dl class="facts">{facts.map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}</dl>;
}

function Deliveries({ id }: { id: number }) {
  const changes = useStore((s) => s.alertChanges);
  const list = useResource(`deliveries ${id}`, (signal) => api.deliveries(id, signal), [changes], REFRESH_MS);
  if (list.error !== null) return <Problem text={list.error} retry={list.reload} />;
  if (!list.data || list.data.length === 0) return <p class="muted">Nobody was told: no rule names a notifier for it. See <code>slipway rules --help</code></p>;
  return (
    <table class="plain-table stack">
      <thead><tr><th scope="col">When</th><th scope="col">To</th><th scope="col">Outcome</th><th scope="col" class="right">Attempts</th></tr></thead>
      <tbody>
        {list.data.map((d, i) => (
          <tr key={i}>
            <td data-label="When" class="num"><Time at={d.at_ms} /></td>
            <td data-label="To">{d.notifier}</td>
            <td data-label="Outcome">{d.status}{d.error && <span class="sub bad-text">{d.error}</span>}</td>
            <td data-label="Attempts" class="num right">{d.attempts}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function One({ id }: { id: number }) {
  const changes = useStore((s) => s.alertChanges);
  const found = useResource(`alert ${id}`, (signal) => api.alert(id, signal), [changes], REFRESH_MS);
  const [calm, setCalm] = useState<Calm | null>(null);
  const alert = found.data;
  if (found.error !== null && !alert) return <Problem text={found.error} retry={found.reload} />;
  if (!alert) return <p class="muted loading">Loading…</p>;
  const place = placeOf(alert);
  return (
    <>
      <header class="page-head model-head">
        <div>
          <p><a href="/alerts">Alerts</a></p>
          <h1>{alert.summary}</h1>
          <p class="muted">
            {alert.rule}{alert.model !== '' && ` · ${alert.model}${alert.version ? `@${alert.version}` : ''}`}
            {alert.acknowledged && ` · ${alert.acknowledged.who}: ${alert.acknowledged.note || 'seen'}`}
          </p>
        </div>
        <div class="actions">
          {place && <button type="button" onClick={() => go(place)}>Look at it</button>}
          {alert.state !== 'resolved' && <button type="button" onClick={() => setCalm('silence')}>Silence</button>}
          {alert.state === 'firing' && !alert.acknowledged && (
            <button type="button" class="primary" onClick={() => setCalm('acknowledge')}>Acknowledge</button>
          )}
        </div>
      </header>
      <Facts alert={alert} />
      <section>
        <h2>The numbers that raised it</h2>
        <p class="muted">Computed anew from these alone, by <code>slipway explain {id}</code></p>
        <table class="plain-table evidence">
          <tbody>
            {flatten(alert.evidence ?? {}).map(([name, text]) => (
              <tr key={name}><th scope="row">{name}</th><td class="num">{text}</td></tr>
            ))}
          </tbody>
        </table>
      </section>
      <section><h2>Who was told</h2><Deliveries id={id} /></section>
      {calm && (
        <CalmDialog alert={alert} calm={calm} onClose={() => setCalm(null)} onDone={() => {
          found.reload();
          dispatch({ type: 'alert' });
        }} />
      )}
    </>
  );
}

/* ---- All of them ---- */

function Silences() {
  const changes = useStore((s) => s.alertChanges);
  const list = useResource('silences', api.silences, [changes], REFRESH_MS);
  const [problem, setProblem] = useState<string | null>(null);
  const end = (silence: Silence): void => {
    api.unsilence(silence.id).then(() => {
      list.reload();
      dispatch({ type: 'alert' });
    }, (failure: unknown) => setProblem(words(failure)));
  };
  if (!list.data || list.data.length === 0) return null;
  return (
    <section>
      <h2>Silences</h2>
      {problem !== null && <Problem text={problem} />}
      <ul class="lines">
        {list.data.map((s) => (
          <li key={s.id}>
            <span class="chips">{s.matchers.map((m) => <Chip key={m}>{m}</Chip>)}</span>
            <span class="muted">until <Time at={s.until_ms} /> · {s.who}{s.why && ` · ${s.why}`}</span>
            <button type="button" class="link" onClick={() => end(s)}>End it</button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function matches(alert: Alert, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return wanted === '' || `${alert.summary} ${alert.rule} ${alert.model} ${alert.column}`.toLowerCase().includes(wanted);
}

function Inbox({ query }: { query: URLSearchParams }) {
  const state = query.get('state') ?? 'active';
  const text = query.get('q') ?? '';
  const changes = useStore((s) => s.alertChanges);
  const list = useResource(`alerts ${state}`, (signal) => api.alerts(state, '', '', signal), [changes], REFRESH_MS);
  const all = list.data?.alerts ?? [];
  const shown = all.filter((a) => matches(a, text)).sort(mostUrgentFirst);
  return (
    <>
      <header class="page-head">
        <h1>{list.data && state === 'active' ? inbox(all) : 'Alerts'}</h1>
        {list.data && <p class="muted num">{counted(all.length, 'alert')}{list.data.more && ', and older ones'}</p>}
      </header>
      <div class="bar wrap">
        <Filter label="Filter alerts" value={text} onInput={(q) => setQuery({ q })} />
        <Choice
          label="State"
          options={[{ value: 'active', label: 'open' }, { value: 'resolved', label: 'resolved' }, { value: 'all', label: 'all' }]}
          value={state}
          onPick={(s) => setQuery({ state: s === 'active' ? '' : s })}
        />
      </div>
      {list.error !== null && <Problem text={list.error} retry={list.reload} />}
      {list.loading && <p class="muted loading">Loading…</p>}
      {list.data && shown.length === 0 && (
        <p class="lead">{all.length > 0 ? 'No alert matches.' : 'No alert. Rules watch drift, data quality, decay, latency, errors and traffic by themselves.'}</p>
      )}
      {shown.length > 0 && (
        <table class="stack alerts">
          <thead>
            <tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Since</th><th scope="col">For</th></tr>
          </thead>
          <tbody>{shown.map((a) => <Row key={a.id} alert={a} />)}</tbody>
        </table>
      )}
      <Silences />
    </>
  );
}

export function Alerts({ id, query }: { id: number | null; query: URLSearchParams }) {
  return (
    <main id="main" tabIndex={-1} class="page">
      {id === null ? <Inbox query={query} /> : <One key={id} id={id} />}
    </main>
  );
}
