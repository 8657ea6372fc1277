/* SPDX-License-Identifier: Apache-2.0 */
// Who is told: the notifiers in force, whether they take a message, and what they were sent.

import { useState } from 'preact/hooks';
import * as api from '../api';
import { millis } from '../format';
import { useResource, words } from '../resource';
import { isAction } from '../rules';
import { useStore } from '../store';
import type { Delivery, Notifier } from '../types';
import { Badge } from '../ui/badge';
import { Problem } from '../ui/choice';
import { Time } from '../ui/time';

const REFRESH_MS = 10_000;
const LISTED = 20;
const EXAMPLE = 'notifiers: {ops: {slack: "${SLACK_URL}"}}';

function Outcome({ delivery }: { delivery: Delivery }) {
  const answered = delivery.status > 0 ? `answered ${delivery.status}` : '';
  return (
    <>
      {delivery.state === 'sent' && <Badge icon="same" tone="good">sent</Badge>}
      {delivery.state === 'queued' && <Badge icon="waiting" tone="quiet">queued</Badge>}
      {delivery.state === 'failed' && <Badge icon="down" tone="bad">failed</Badge>}
      {delivery.error !== '' ? <span class="sub bad-text">{delivery.error}</span>
        : <span class="sub num">{[answered, delivery.state === 'sent' ? millis(delivery.took_ms) : ''].filter((t) => t !== '').join(' in ')}</span>}
    </>
  );
}

const about = (d: Delivery): string =>
  [d.firing > 0 ? `${d.firing} firing` : '', d.resolved > 0 ? `${d.resolved} resolved` : ''].filter((t) => t !== '').join(', ') || 'a test';

/** `alert` 0: the last ones of all alerts. `asked` changes when they should be asked for again. */
export function Deliveries({ alert, asked = 0 }: { alert: number; asked?: number }) {
  const changes = useStore((s) => s.alertChanges);
  const list = useResource(`deliveries ${alert}`, (signal) => api.deliveries(alert, LISTED, signal), [changes, asked], REFRESH_MS);
  if (list.error !== null) return <Problem text={list.error} retry={list.reload} />;
  if (!list.data) return <p class="muted loading">Loading…</p>;
  if (list.data.length === 0) {
    return <p class="muted">{alert > 0 ? 'Nobody was told: its rule names no notifier.' : 'Nothing was sent yet.'}</p>;
  }
  return (
    <table class="plain-table stack">
      <thead>
        <tr><th scope="col">When</th><th scope="col">To</th><th scope="col">About</th><th scope="col">Outcome</th><th scope="col" class="right">Attempts</th></tr>
      </thead>
      <tbody>
        {list.data.map((d) => (
          <tr key={d.id}>
            <td data-label="When" class="num"><Time at={d.created_ms} /></td>
            <td data-label="To">{d.notifier}</td>
            <td data-label="About" class="num">{about(d)}</td>
            <td data-label="Outcome" class="event-text"><Outcome delivery={d} /></td>
            <td data-label="Attempts" class="num right">{d.attempts}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Tested({ name, onTested }: { name: string; onTested: () => void }) {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<{ good: boolean; text: string } | null>(null);
  const send = (): void => {
    setBusy(true);
    api.testNotifier(name).then(
      (r) => setOutcome({ good: true, text: `took it in ${millis(r.took_ms)}` }),
      (failure: unknown) => setOutcome({ good: false, text: words(failure) }),
    ).finally(() => {
      setBusy(false);
      onTested();
    });
  };
  return (
    <>
      <span role="status">
        {busy && <span class="muted">Sending…</span>}
        {!busy && outcome && <Badge icon={outcome.good ? 'same' : 'down'} tone={outcome.good ? 'good' : 'bad'}>{outcome.text}</Badge>}
      </span>
      <button type="button" class="link" disabled={busy} aria-label={`Test ${name}`} onClick={send}>Test</button>
    </>
  );
}

export function Notifiers({ list, mayTest }: { list: readonly Notifier[]; mayTest: boolean }) {
  const [tested, setTested] = useState(0);
  return (
    <>
      <section class="notifiers">
        <h2>Who is told</h2>
        {list.length === 0 && <p class="muted">Nobody: your rules name no notifier. One is written as <code>{EXAMPLE}</code></p>}
        <ul class="lines">
          {list.map((n) => (
            <li key={n.name}>
              <strong>{isAction(n.name) ? `Action of ${n.name}` : n.name}</strong>
              <span class="muted">{n.kind}</span>
              {/* An action would be carried out: that is no test. */}
              {mayTest && !isAction(n.name) && <Tested name={n.name} onTested={() => setTested((k) => k + 1)} />}
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>What they were sent</h2>
        <Deliveries alert={0} asked={tested} />
      </section>
    </>
  );
}
