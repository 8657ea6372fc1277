/* SPDX-License-Identifier: Apache-2.0 */
// Quality: realised by labels that came late, beside what is expected without them.

import { useMemo } from 'preact/hooks';
import { alertMarks } from '../alerts';
import * as api from '../api';
import { count, counted, duration, NONE, share, value } from '../format';
import { setQuery } from '../nav';
import { metricNames, metricTitle, qualitySeries } from '../quality';
import { useResource } from '../resource';
import { useStore } from '../store';
import type { Event, Mark, Model, Quality as Report } from '../types';
import { Badge } from '../ui/badge';
import { Chart, type Line } from '../ui/chart';
import { Choice, Problem } from '../ui/choice';

const WINDOWS = [
  { value: 6, label: '6 h' }, { value: 24, label: '24 h' }, { value: 168, label: '7 d' }, { value: 720, label: '30 d' },
];
const DEFAULT_HOURS = 24;
/** At most; fewer and longer ones where labels are few. */
const STEPS = 96;
const REFRESH_MS = 15_000;
const ALERTS_MARKED = 100;
const MARKED = ['deployment.live', 'alert.', 'decay.', 'monitor.'];

export function marksOf(events: readonly Event[]): Mark[] {
  return events
    .filter((e) => MARKED.some((prefix) => e.kind.startsWith(prefix)))
    .map((e) => ({ at_ms: e.at_ms, text: e.text, kind: e.kind }));
}

function Standing({ report }: { report: Report }) {
  const { decay } = report;
  const look = decay.state === 'decayed' ? { icon: 'drifted', tone: 'bad' } as const
    : decay.state === 'same' ? { icon: 'same', tone: 'good' } as const
      : { icon: 'waiting', tone: 'quiet' } as const;
  return (
    <p class="standing">
      <Badge icon={look.icon} tone={look.tone}>{decay.state === 'same' ? 'as good as at first' : decay.state}</Badge>
      {decay.why && <span class="muted">{decay.why}</span>}
    </p>
  );
}

function Figures({ report, metric }: { report: Report; metric: string }) {
  const { window: w } = report;
  const figures: [string, string][] = [
    [metricTitle(metric), value(w.metrics[metric])],
    ['Expected', value(w.estimated[metric])],
    ['Labelled', share(w.coverage)],
    ['Labels come after', w.lag_p50_s === null ? NONE : duration(w.lag_p50_s)],
  ];
  const { loss, baseline, now } = report.decay;
  if (loss !== null && baseline !== null) figures.push([`${loss}, at first`, value(baseline)], [`${loss}, now`, value(now)]);
  return (
    <div class="figures">
      <dl>{figures.map(([name, text]) => <div key={name}><dt>{name}</dt><dd class="num">{text}</dd></div>)}</dl>
      <span class="figures-note muted num">{count(w.labelled)} labels · {counted(Math.round(w.rows), 'prediction')}, {count(w.logged)} of them in the log</span>
    </div>
  );
}

function Charts({ model, report, metric, marks }: { model: string; report: Report; metric: string; marks: Mark[] }) {
  const s = useMemo(() => qualitySeries(report, metric), [report, metric]);
  const lines: Line[] = [
    { label: 'realised', values: s.realised, tone: 'accent', format: value },
    { label: 'expected', values: s.estimated, tone: 'accent-mid', dash: [6, 3], format: value },
  ];
  const sync = `quality ${model}`;
  const about = `${model}@${report.version}`;
  return (
    <>
      <Chart title={metricTitle(metric)} about={about} file={`${model}-${metric}`} sync={sync} at_s={s.at_s} lines={lines} marks={marks}
        axis={value} floor={0} height={200} tight />
      <Chart title="Labelled share" about={about} file={`${model}-coverage`} sync={sync} at_s={s.at_s} marks={marks} axis={share} floor={1} height={120}
        lines={[{ label: 'labelled', values: s.coverage, tone: 'accent', filled: true, format: share }]} />
      <Chart title="Predictions" about={about} file={`${model}-predictions`} sync={sync} at_s={s.at_s} marks={marks} axis={count} floor={1} height={110}
        lines={[{ label: 'predictions', values: s.rows, tone: 'accent-mid', format: count }]} />
    </>
  );
}

function Teach({ model }: { model: string }) {
  return (
    <section class="teach">
      <p class="lead">How good were the predictions? The truth comes late; send it by the predictions' ids.</p>
      <code class="command">slipway labels {model} truth.csv</code>
      <p class="muted">A CSV with the columns id and label; every answer carries its id.</p>
    </section>
  );
}

export function Quality({ model, query }: { model: Model; query: URLSearchParams }) {
  const asked = Number(query.get('hours'));
  const window = WINDOWS.find((w) => w.value === asked) ?? WINDOWS.find((w) => w.value === DEFAULT_HOURS)!;
  const version = query.get('version') ?? String(model.deployment?.version ?? model.newest_version);
  const changes = useStore((s) => s.changes[model.name] ?? 0);
  const found = useResource(`quality ${model.name} ${version} ${window.value}`,
    (signal) => api.quality(model.name, version, window.value, STEPS, signal), [changes], REFRESH_MS);
  const events = useResource(`marks ${model.name}`, (signal) => api.events(model.name, '', 200, signal), [changes]);
  const alertChanges = useStore((s) => s.alertChanges);
  const alerts = useResource(`alerts of ${model.name}`,
    (signal) => api.alerts('all', ALERTS_MARKED, signal, model.name), [alertChanges]);
  const marks = useMemo(() => [
    ...marksOf(events.data?.events ?? []),
    ...alertMarks(alerts.data?.alerts ?? [], model.name, 0, (window.value * 3_600_000) / STEPS),
  ], [events.data, alerts.data, window.value]);
  const report = found.data;
  const names = report ? metricNames(report) : [];
  const wanted = query.get('metric') ?? '';
  const metric = names.includes(wanted) ? wanted : names[0] ?? '';
  const versions = Array.from({ length: model.newest_version }, (_, i) => String(model.newest_version - i));
  return (
    <div class="drift quality">
      <div class="bar">
        <div>
          {report && <Standing report={report} />}
          <label class="muted">
            <span class="visually-hidden">Version</span>
            <select value={version} onChange={(e) => setQuery({ version: e.currentTarget.value })}>
              {versions.map((v) => <option key={v} value={v}>{model.name}@{v}</option>)}
            </select>
          </label>
        </div>
        <Choice label="Time window" options={WINDOWS} value={window.value}
          onPick={(h) => setQuery({ hours: h === DEFAULT_HOURS ? '' : String(h) })} />
      </div>
      {found.error !== null && <Problem text={found.error} retry={found.reload} />}
      {found.loading && <p class="muted loading">Loading…</p>}
      {report && metric === '' && <Teach model={model.name} />}
      {report && metric !== '' && (
        <>
          <div class="bar wrap">
            <label class="muted">Metric{' '}
              <select value={metric} onChange={(e) => setQuery({ metric: e.currentTarget.value })}>
                {names.map((n) => <option key={n} value={n}>{metricTitle(n)}</option>)}
              </select>
            </label>
          </div>
          <Figures report={report} metric={metric} />
          <Charts model={`${model.name}@${report.version}`} report={report} metric={metric} marks={marks} />
        </>
      )}
    </div>
  );
}
