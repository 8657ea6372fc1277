/* SPDX-License-Identifier: Apache-2.0 */
// Alerts: what needs somebody, the numbers that raised it, and the two ways to calm it.

import { useEffect, useState } from 'preact/hooks';
import { figure, flatten, inbox, loud, matchersOf, mostUrgentFirst, placeOf, raisedOf, severitiesText } from '../alerts';
import * as api from '../api';
import { count, counted, duration } from '../format';
import { go, setQuery } from '../nav';
import { useResource, words } from '../resource';
import { alertPath, alertsPath, modelPath } from '../route';
import { dispatch, useStore } from '../store';
import type { AlertTab } from '../route';
import type { Alert } from '../types';
import { Badge, SeverityBadge } from '../ui/badge';
import { Choice, Filter, Problem } from '../ui/choice';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Time } from '../ui/time';
import { Deliveries } from './notifiers';
import { Rules } from './rules';
import { SilenceDialog, Silences } from './silences';

const REFRESH_MS = 10_000;
const LISTED = 100;
/** Of one rule, or to count: as many as the server gives. */
const LISTED_MAX = 1000;

/** Keeps the number in the page's head, and what each model's row and page say, wherever one is. */
export function useFiring(): void {
  const changes = useStore((s) => s.alertChanges);
  const firing = useResource('firing', (signal) => api.alerts('firing', LISTED_MAX, signal), [changes], 60_000);
  useEffect(() => {
    const alerts = firing.data?.alerts;
    if (alerts) dispatch({ type: 'firing', count: loud(alerts), raised: raisedOf(alerts) });
  }, [firing.data]);
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

function AcknowledgeDialog({ alert, onClose, onDone }: { alert: Alert; onClose: () => void; onDone: () => void }) {
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    api.acknowledge(alert.id, note).then(() => {
      onDone();
      onClose();
    }, (failure: unknown) => {
      setProblem(words(failure));
      setBusy(false);
    });
  };
  return (
    <Dialog title="Acknowledge this alert" onClose={onClose} busy={busy}>
      <form onSubmit={send}>
        <p>It keeps firing, and nobody is told of it again until it ends.</p>
        <label class="field">
          <span>Note</span>
          <input type="text" value={note} maxLength={200} onInput={(e) => setNote(e.currentTarget.value)} />
        </label>
        {problem !== null && <Problem text={problem} />}
        <div class="actions">
          <button type="button" onClick={onClose} disabled={busy}>Cancel</button>
          <button type="submit" class="primary" disabled={busy}>Acknowledge</button>
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

function Evidence({ rows }: { rows: [string, string][] }) {
  return (
    <table class="plain-table evidence">
      <tbody>{rows.map(([name, text]) => <tr key={name}><th scope="row">{name}</th><td class="num">{text}</td></tr>)}</tbody>
    </table>
  );
}

function One({ id }: { id: number }) {
  const changes = useStore((s) => s.alertChanges);
  const found = useResource(`alert ${id}`, (signal) => api.alert(id, signal), [changes], REFRESH_MS);
  const [calm, setCalm] = useState<'acknowledge' | 'silence' | null>(null);
  const done = (): void => {
    found.reload();
    dispatch({ type: 'alert' });
  };
  const alert = found.data;
  if (found.error !== null && !alert) {
    return (
      <>
        <header class="page-head"><p><a href="/alerts">Alerts</a></p><h1>Alert {id}</h1></header>
        <Problem text={found.error} retry={found.reload} />
      </>
    );
  }
  if (!alert) return <p class="muted loading">Loading…</p>;
  const place = placeOf(alert, Date.now());
  const numbers = flatten(alert.evidence ?? {});
  const first = numbers.filter(([name]) => !name.startsWith('data.') || name.startsWith('data.result.'));
  const rest = numbers.filter((entry) => !first.includes(entry));
  return (
    <>
      <header class="page-head model-head">
        <div>
          <p><a href="/alerts">Alerts</a></p>
          <h1>{alert.summary}</h1>
          <p class="muted">
            {alert.rule}
            {alert.model !== '' && <> · <a href={modelPath(alert.model)}>{alert.model}{alert.version ? `@${alert.version}` : ''}</a></>}
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
        <Evidence rows={first} />
        {rest.length > 0 && (
          <details>
            <summary>The {counted(rest.length, 'number')} they were computed from</summary>
            <Evidence rows={rest} />
          </details>
        )}
      </section>
      <section><h2>Who was told</h2><Deliveries alert={id} /></section>
      {calm === 'acknowledge' && <AcknowledgeDialog alert={alert} onClose={() => setCalm(null)} onDone={done} />}
      {calm === 'silence' && <SilenceDialog matchers={matchersOf(alert)} onClose={() => setCalm(null)} onDone={done} />}
    </>
  );
}

/* ---- All of them ---- */

function matches(alert: Alert, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return wanted === '' || `${alert.summary} ${alert.rule} ${alert.model} ${alert.column}`.toLowerCase().includes(wanted);
}

function Inbox({ query }: { query: URLSearchParams }) {
  const state = query.get('state') ?? 'active';
  const text = query.get('q') ?? '';
  const rule = query.get('rule') ?? '';
  const model = query.get('model') ?? '';
  const limit = rule === '' ? LISTED : LISTED_MAX;
  const changes = useStore((s) => s.alertChanges);
  const list = useResource(`alerts ${state} ${limit} ${model}`, (signal) => api.alerts(state, limit, signal, model), [changes], REFRESH_MS);
  const all = (list.data?.alerts ?? []).filter((a) => rule === '' || a.rule === rule);
  const shown = all.filter((a) => matches(a, text)).sort(mostUrgentFirst);
  return (
    <>
      <header class="page-head">
        <h1>{list.data && state === 'active' && rule === '' && model === '' ? inbox(all) : 'Alerts'}</h1>
        {list.data && (
          <p class="muted num">
            {all.length === 0 ? counted(0, 'alert') : `${count(all.length)} in the list: ${severitiesText(all)}`}{list.data.more && ', and older ones'}
          </p>
        )}
      </header>
      <div class="bar wrap">
        <Filter label="Filter alerts" value={text} onInput={(q) => setQuery({ q })} />
        <Choice
          label="State"
          options={[{ value: 'active', label: 'open' }, { value: 'resolved', label: 'resolved' }, { value: 'all', label: 'all' }]}
          value={state}
          onPick={(s) => setQuery({ state: s === 'active' ? '' : s })}
        />
        {model !== '' && (
          <button type="button" class="chip-button" onClick={() => setQuery({ model: '' })}>of {model} <Icon name="close" /></button>
        )}
        {rule !== '' && (
          <button type="button" class="chip-button" onClick={() => setQuery({ rule: '' })}>of rule {rule} <Icon name="close" /></button>
        )}
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
    </>
  );
}

const TABS: [AlertTab, string][] = [['inbox', 'Inbox'], ['rules', 'Rules'], ['silences', 'Silences']];

export function Alerts({ id, tab, query }: { id: number | null; tab: AlertTab; query: URLSearchParams }) {
  if (id !== null) return <main id="main" tabIndex={-1} class="page"><One key={id} id={id} /></main>;
  return (
    <main id="main" tabIndex={-1} class="page">
      <nav class="tabs" aria-label="Alerts">
        {TABS.map(([name, label]) => (
          <a key={name} href={alertsPath(name)} aria-current={name === tab ? 'page' : undefined}>{label}</a>
        ))}
      </nav>
      {tab === 'inbox' && <Inbox query={query} />}
      {tab === 'rules' && <Rules />}
      {tab === 'silences' && <Silences />}
    </main>
  );
}
