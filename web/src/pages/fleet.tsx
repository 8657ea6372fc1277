/* SPDX-License-Identifier: Apache-2.0 */
// The fleet: is all well, and if not, where?

import { useEffect } from 'preact/hooks';
import * as api from '../api';
import { kindsText, type Raised } from '../alerts';
import { calm, deployed, headline, needsAttention, resting, type AllRaised } from '../fleet';
import { counted, millis, rate, share } from '../format';
import { alertsOf, modelPath } from '../route';
import { dispatch, get, useStore } from '../store';
import type { Model } from '../types';
import { Badge, Chip, ErrorBadge, RaisedBadge, WatchBadge } from '../ui/badge';
import { Spark } from '../ui/spark';
import { Time } from '../ui/time';
import { Waiting } from '../ui/waiting';

const SEEDED_AT_MOST = 40;
const SAME_MS = 200; /* a tick is sent just after its second was closed */
const SEED_MINUTES = 3; /* two are shown; the third feeds the first minute's p99 */

/** Fills the sparklines' past once for each model, so that they do not begin empty. */
function useSeeds(models: Model[]): void {
  const seeded = useStore((s) => s.seeded);
  const ticking = useStore((s) => Object.keys(s.history).length > 0);
  const missing = models.filter((m) => !seeded[m.name]).slice(0, SEEDED_AT_MOST).map((m) => m.name).join('\n');
  useEffect(() => {
    if (!ticking || missing === '') return;
    for (const name of missing.split('\n')) {
      api.traffic(name, SEED_MINUTES).then(
        (traffic) => {
          const began = get().history[name]?.at_ms ?? 0;
          const points = traffic.step_s === 1 ? traffic.points.filter((p) => p.at_ms <= began + SAME_MS) : [];
          dispatch({ type: 'seed', model: name, points });
        },
        () => undefined, /* the sparkline grows by ticks alone */
      );
    }
  }, [ticking, missing]);
}

function Raising({ model, raised }: { model: string; raised: Raised | undefined }) {
  if (raised === undefined) return <span class="muted">none</span>;
  return (
    <>
      <a class="raised" href={alertsOf(model)}><RaisedBadge raised={raised} /></a>
      <span class="sub num">{kindsText(raised)}</span>
    </>
  );
}

function Row({ model }: { model: Model }) {
  const all = useStore((s) => s.raised);
  const history = useStore((s) => s.history[model.name]);
  const deployment = model.deployment!;
  const { traffic, watch } = model;
  return (
    <tr class={needsAttention(model, all) ? 'row attention' : 'row'}>
      <th scope="row" class="fleet-name">
        <a class="cover" href={modelPath(model.name)}>{model.name}</a>
        <span class="fleet-version num">@{deployment.version}</span>
        {model.aliases.length > 0 && (
          <span class="chips">
            {model.aliases.map((a) => (
              <Chip key={a.name} title={`${a.name} points at ${model.name}@${a.version}`}>
                {a.name}{a.version !== deployment.version && ` @${a.version}`}
              </Chip>
            ))}
          </span>
        )}
      </th>
      <td data-label="Traffic">
        <Spark values={calm(history?.rate ?? [])} filled label={`Traffic of ${model.name}, last two minutes`} />
        <span class="num">{rate(traffic.requests_per_s)}</span>
      </td>
      <td data-label="p99">
        <Spark values={history?.p99 ?? []} label={`p99 latency of ${model.name}, last two minutes`} />
        <span class="num">{millis(traffic.p99_ms)}</span>
      </td>
      <td data-label="Errors" class="num">
        {deployment.state === 'down'
          ? <Badge icon="down" tone="bad">down</Badge>
          : <ErrorBadge part={traffic.error_share} requests={traffic.requests_per_s > 0 ? 1 : 0} />}
        {deployment.error && <span class="sub bad-text">{deployment.error}</span>}
      </td>
      <td data-label="Drift">
        <a class="raised" href={modelPath(model.name, 'drift')}><WatchBadge state={watch.state} /></a>
        <span class="sub num">{watchDetail(model)}</span>
      </td>
      <td data-label="Alerts"><Raising model={model.name} raised={all[model.name]} /></td>
    </tr>
  );
}

function watchDetail({ watch }: Model): string {
  switch (watch.state) {
    case 'drifted':
      return `${watch.drifted} of ${counted(watch.features, 'feature')}`;
    case 'moved':
      return `${watch.moved} of ${counted(watch.features, 'feature')}`;
    case 'too few rows':
      return `${counted(watch.rows, 'row')} so far`;
    case 'same':
      return counted(watch.features, 'feature');
    default:
      return 'no profile';
  }
}

function Resting({ models }: { models: Model[] }) {
  if (models.length === 0) return null;
  return (
    <section class="resting">
      <h2>Not deployed</h2>
      <ul class="lines">
        {models.map((m) => (
          <li key={m.name}>
            <a href={modelPath(m.name, 'versions')}>{m.name}</a>
            <span class="muted">
              {counted(m.newest_version, 'version')}, since <Time at={m.created_ms} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Teach({ any }: { any: boolean }) {
  const steps: [string, string, string][] = [
    ['slipway push fraud fraud.onnx --profile train.csv', 'Register', 'makes fraud@1 and remembers what its training data looked like'],
    ['slipway deploy fraud@1', 'Deploy', 'checks it, loads it and answers REST, gRPC and named records'],
    ['slipway predict fraud --row 0.3,1.2,4', 'Predict', 'sends the first request; its traffic shows up here'],
  ];
  return (
    <section class="teach">
      <p class="lead">
        {any ? 'There are models, but none of them answers yet.' : 'From a model file to a watched deployment in three commands:'}
      </p>
      <ol>
        {steps.map(([command, title, why]) => (
          <li key={command}>
            <h2>{title}</h2>
            <code class="command">{command}</code>
            <p class="muted">{why}</p>
          </li>
        ))}
      </ol>
      <p class="muted">
        No model at hand? <code>slipway demo</code> brings one along.
      </p>
    </section>
  );
}

function summary(live: Model[]): string {
  const requests = live.reduce((sum, m) => sum + m.traffic.requests_per_s, 0);
  const failed = live.reduce((sum, m) => sum + m.traffic.requests_per_s * m.traffic.error_share, 0);
  const errors = requests > 0 ? `${share(failed / requests)} errors` : 'no traffic';
  return `${counted(live.length, 'deployment')} · ${rate(requests)} · ${errors} · last minute`;
}

export function Fleet() {
  const models = useStore((s) => s.models);
  const raised = useStore((s) => s.raised);
  const live = deployed(models ?? [], raised);
  const rest = resting(models ?? []);
  useSeeds(live);
  if (models === null) return <Waiting what="the fleet" />;
  return (
    <main id="main" tabIndex={-1} class="page">
      <header class="page-head">
        <h1>{headline(models, raised)}</h1>
        {live.length > 0 && (
          <p class="muted num">
            {summary(live)}
            {raised[''] && <> · <a href="/alerts">{counted(raised[''].count, 'alert')} of the server</a></>}
          </p>
        )}
      </header>
      {live.length > 0 ? (
        <table class="fleet stack">
          <thead>
            <tr>
              <th scope="col">Deployment</th>
              <th scope="col">Traffic</th>
              <th scope="col">p99</th>
              <th scope="col">Errors</th>
              <th scope="col">Drift</th>
              <th scope="col">Alerts</th>
            </tr>
          </thead>
          <tbody>{live.map((m) => <Row key={m.name} model={m} />)}</tbody>
        </table>
      ) : <Teach any={rest.length > 0} />}
      <Resting models={rest} />
    </main>
  );
}

/** For the document's title: how many deployments need a look. */
export function attentionCount(models: Model[] | null, raised: AllRaised): number {
  return (models ?? []).filter((m) => m.deployment !== null && needsAttention(m, raised)).length;
}

