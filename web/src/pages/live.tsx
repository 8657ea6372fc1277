/* SPDX-License-Identifier: Apache-2.0 */
// A model's traffic, latency and errors over time, with every deploy marked on every chart.

import { useMemo } from 'preact/hooks';
import * as api from '../api';
import { alertMarks } from '../alerts';
import { axisMillis, count, counted, millis, rate, rateNumber, share } from '../format';
import { setQuery } from '../nav';
import { useResource } from '../resource';
import { useStore } from '../store';
import { refreshMs, series, wantsLog, WINDOWS, type Series } from '../traffic';
import type { Mark, Model } from '../types';
import { Chart, type Line } from '../ui/chart';
import { Choice, Problem } from '../ui/choice';
import { Time } from '../ui/time';

const DEFAULT_MINUTES = 15;
const MARKS_LISTED = 8;
const ALERTS_MARKED = 100;

export function windowOf(query: URLSearchParams): number {
  const wanted = Number(query.get('minutes'));
  return WINDOWS.some((w) => w.minutes === wanted) ? wanted : DEFAULT_MINUTES;
}

export function WindowChoice({ minutes }: { minutes: number }) {
  return (
    <Choice
      label="Time window"
      options={WINDOWS.map((w) => ({ value: w.minutes, label: w.label }))}
      value={minutes}
      onPick={(m) => setQuery({ minutes: m === DEFAULT_MINUTES ? '' : String(m) })}
    />
  );
}

function Figures({ model }: { model: Model }) {
  const { traffic } = model;
  const figures: [string, string][] = [
    ['Traffic', rate(traffic.requests_per_s)],
    ['p50', millis(traffic.p50_ms)],
    ['p99', millis(traffic.p99_ms)],
    ['Errors', traffic.requests_per_s > 0 ? share(traffic.error_share) : '–'],
  ];
  return (
    <div class="figures">
      <dl>
        {figures.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="num">{text}</dd>
          </div>
        ))}
      </dl>
      <span class="figures-note muted">last minute</span>
    </div>
  );
}

/** For axes: no decimals where there is nothing behind the point. */
const axisNumber = (v: number): string => (Number.isInteger(v) ? count(v) : String(Number(v.toPrecision(3))));
const perSecond = (v: number | null | undefined): string => rate(v);

interface Plan {
  title: string;
  lines: Line[];
  axis: (v: number) => string;
  floor: number;
  height: number;
  log?: boolean;
}

function charts(s: Series): Plan[] {
  return [
    {
      title: 'Traffic', axis: axisNumber, floor: 1, height: 150,
      lines: [{ label: 'requests', values: s.rate, tone: 'accent', filled: true, format: perSecond }],
    },
    {
      title: 'Latency', axis: axisMillis, floor: 0.01, height: 180, log: wantsLog(s),
      lines: [
        { label: 'p50', values: s.p50, tone: 'accent-soft', dash: [2, 3], format: millis },
        { label: 'p90', values: s.p90, tone: 'accent-mid', dash: [7, 3], format: millis },
        { label: 'p99', values: s.p99, tone: 'accent', format: millis },
      ],
    },
    {
      title: 'Errors', axis: axisNumber, floor: 1, height: 120,
      lines: [{
        label: 'failed', values: s.failures, tone: 'bad', format: (v) => (v === null || v === undefined ? '–' : `${rateNumber(v)}\u00a0/s`),
      }],
    },
    {
      title: 'Where the time goes', axis: axisMillis, floor: 0.01, height: 130,
      lines: [
        { label: 'queue p50', values: s.queue, tone: 'ink', dash: [4, 3], format: millis },
        { label: 'inference p50', values: s.inference, tone: 'accent', format: millis },
      ],
    },
  ];
}

/** A model that runs elsewhere may tell no latency: nothing is drawn of what nothing is known. */
function known(plan: Plan): boolean {
  return plan.lines.some((l) => l.values.some((v) => v !== null));
}

function Changes({ marks }: { marks: Mark[] }) {
  if (marks.length === 0) return null;
  const newest = [...marks].sort((a, b) => b.at_ms - a.at_ms).slice(0, MARKS_LISTED);
  return (
    <section>
      <h2>Changes and alerts in this window</h2>
      <ul class="lines">
        {newest.map((m) => (
          <li key={`${m.at_ms} ${m.text}`}>
            <span class="muted num"><Time at={m.at_ms} /></span>
            <span class="event-text">{m.href ? <a href={m.href}>{m.text}</a> : m.text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Live({ model, query }: { model: Model; query: URLSearchParams }) {
  const minutes = windowOf(query);
  const changes = useStore((s) => s.changes[model.name] ?? 0);
  const traffic = useResource(
    `${model.name} ${minutes}`, (signal) => api.traffic(model.name, minutes, signal), [changes], refreshMs(minutes));
  const alertChanges = useStore((s) => s.alertChanges);
  const alerts = useResource(`alerts of ${model.name}`,
    (signal) => api.alerts('all', ALERTS_MARKED, signal, model.name), [alertChanges], 60_000);
  const data = traffic.data;
  const laid = useMemo(() => (data ? series(data, minutes) : null), [data]);
  const marks = useMemo(() => [
    ...(data?.marks ?? []).filter((m) => !m.kind.endsWith('.loading')),
    ...alertMarks(alerts.data?.alerts ?? [], model.name, data?.from_ms ?? 0, minutes * 600),
  ], [data, alerts.data]);
  const drawn = useMemo(() => (laid ? charts(laid).filter((c, i) => i === 0 || known(c)) : []), [laid]);
  const idle = model.deployment === null && laid?.requests === 0;
  return (
    <div class="live">
      <div class="bar">
        <Figures model={model} />
        <WindowChoice minutes={minutes} />
      </div>
      {traffic.error !== null && <Problem text={traffic.error} retry={traffic.reload} />}
      {traffic.loading && <p class="muted loading">Loading…</p>}
      {laid && laid.requests === 0 && (
        <p class="lead">
          No request in the last {WINDOWS.find((w) => w.minutes === minutes)?.label}.{' '}
          {model.deployment === null ? <>It answers once it is deployed: <code>slipway deploy {model.name}</code></>
            : model.deployment.engine === 'external' ? <>It is served elsewhere: tell of its predictions at <code>/api/v1/models/{model.name}/observations</code></>
              : <>Send one: <code>slipway predict {model.name} --help</code></>}
        </p>
      )}
      {laid && !idle && (
        <>
          {drawn.map((c) => (
            <Chart key={c.title} {...c} about={model.name} file={`${model.name}-${c.title}`} sync={`live ${model.name}`} at_s={laid.at_s} marks={marks} />
          ))}
          <p class="muted num">
            {counted(laid.requests, 'request')} in this window, {counted(laid.failed, 'failure')}.
          </p>
          <Changes marks={marks} />
        </>
      )}
    </div>
  );
}
