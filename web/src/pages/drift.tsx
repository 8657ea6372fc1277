/* SPDX-License-Identifier: Apache-2.0 */
// Drift: every feature's live distribution over its reference, the worst first.

import { useMemo } from 'preact/hooks';
import * as api from '../api';
import { WORST_SHOWN, mostRestless } from '../heat';
import { countByState, hasReference, pick, verdict } from '../drift';
import { count, counted, NONE, psi, share, value } from '../format';
import { closeQuery, openQuery, setQuery } from '../nav';
import { useResource } from '../resource';
import { useStore } from '../store';
import type { Column, Model, Watch } from '../types';
import { WatchBadge } from '../ui/badge';
import { Bars, binName } from '../ui/bars';
import { Choice, Filter, Problem } from '../ui/choice';
import { Dialog } from '../ui/dialog';
import { Time } from '../ui/time';
import { HeatmapView } from '../ui/heatmap';
import { SaveButtons } from '../ui/save';
import { fileName, saveCsv } from '../save';
import { windowOf, WindowChoice } from './live';
import { Monitor } from './monitor';

const REFRESH_MS = 5000;
const HEAT_MOST = 300; /* rows that a canvas is asked to hold */

function RowsProgress({ rows, needed }: { rows: number; needed: number }) {
  return (
    <span class="rows-progress">
      <progress max={needed} value={Math.min(rows, needed)} aria-label="Rows counted" />
      <span class="num">{count(rows)} of {count(needed)} rows</span>
    </span>
  );
}

function outsideWord(column: Column): string {
  return column.kind === 'category' ? 'unseen' : 'outside';
}

/** Values beyond the reference's range, or categories that it did not have. */
const OUTSIDE_TITLE = { numeric: "outside the reference's range", category: 'not among the known categories' };

/** A share worth a glance is set in bold: the reference had less of it. */
function Share({ part, usual, word, title }: { part: number | null; usual: number; word: string; title?: string }) {
  const loud = part !== null && part > usual + 0.01;
  return <span class={loud ? 'strong' : ''} title={title}>{share(part)} {word}</span>;
}

function Card({ column, needed }: { column: Column; needed: number }) {
  const waiting = column.state === 'too few rows';
  return (
    <li class={waiting ? 'feature waiting' : 'feature'}>
      <button type="button" class="cover-button" aria-label={`Enlarge ${column.name}`} onClick={() => openQuery({ feature: column.name })} />
      <div class="feature-head">
        <h3 title={column.name}>{column.name}</h3>
        {column.state !== 'unwatched' && <WatchBadge state={column.state} />}
      </div>
      <Bars column={column} height={56} />
      <p class="feature-foot num muted">
        {column.state === 'unwatched' ? (
          <>
            {column.median !== null && <span>median {value(column.median)}</span>}
            <Share part={column.missing_share} usual={0} word="missing" />
          </>
        ) : waiting ? <RowsProgress rows={column.rows} needed={needed} /> : (
          <>
            <span class={column.state === 'drifted' ? 'strong' : ''}>PSI {psi(column.psi)}</span>
            <Share part={column.missing_share} usual={column.reference_missing_share ?? 0} word="missing" />
            <Share part={column.out_of_range_share} usual={0} word={outsideWord(column)} title={OUTSIDE_TITLE[column.kind]} />
          </>
        )}
      </p>
    </li>
  );
}

function Facts({ column }: { column: Column }) {
  const judged = column.state !== 'unwatched';
  const beside = (reference: string): string => (judged ? ` (reference ${reference})` : '');
  const facts: [string, string][] = [
    ['Rows', count(column.rows)],
    ['Missing', share(column.missing_share) + beside(share(column.reference_missing_share))],
  ];
  if (judged) {
    facts.unshift(['PSI', psi(column.psi)]);
    facts.push([column.kind === 'category' ? 'Unseen' : 'Out of range', share(column.out_of_range_share)]);
  }
  if (column.kind === 'numeric') facts.push(['Median', value(column.median) + beside(value(column.reference_median))]);
  return (
    <dl class="facts">
      {facts.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function binRows(column: Column): (string | number | null)[][] {
  return [
    ['from', 'to', 'label', 'live_share', 'reference_share'],
    ...column.bins.map((b) => [b.from, b.to, b.label, b.live_share, b.reference_share]),
  ];
}

function Enlarged({ column, watch, onClose }: { column: Column; watch: Watch; onClose: () => void }) {
  const first = column.bins[0];
  const last = column.bins[column.bins.length - 1];
  const referenced = hasReference(column);
  const bounded = column.kind === 'numeric' && first !== undefined && last !== undefined;
  return (
    <Dialog title={column.name} onClose={onClose} shape="wide">
      <div class="enlarged-head">
        {column.state !== 'unwatched' && <WatchBadge state={column.state} />}
        {column.state === 'too few rows' && <RowsProgress rows={column.rows} needed={watch.rows_min} />}
        {referenced && <Legend />}
        <SaveButtons what={column.name} onCsv={() => saveCsv(fileName(`${watch.model}@${watch.version}`, column.name), binRows(column))} />
      </div>
      {column.why && <p class="muted">{column.why}</p>}
      <Bars column={column} height={150} titled />
      {bounded && (
        <p class="bars-ends muted num"><span>{binName(first)}</span><span>{binName(last)}</span></p>
      )}
      <Facts column={column} />
      <details>
        <summary>{counted(column.bins.length, 'bin')} as a table</summary>
        <table class="plain-table">
          <thead><tr><th scope="col">Value</th><th scope="col" class="right">Live</th>{referenced && <th scope="col" class="right">Reference</th>}</tr></thead>
          <tbody>
            {column.bins.map((bin, i) => (
              <tr key={i}>
                <th scope="row" class="num">{binName(bin)}</th>
                <td class="num right">{share(bin.live_share)}</td>
                {referenced && <td class="num right">{share(bin.reference_share)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </Dialog>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      <li><svg class="swatch" viewBox="0 0 18 10" aria-hidden="true"><rect class="bar-live" width="18" height="10" /></svg>live</li>
      <li><svg class="swatch" viewBox="0 0 18 10" aria-hidden="true"><path class="bar-reference" d="M0 9V4H9V1H18V9" /></svg>reference</li>
    </ul>
  );
}

function Grid({ columns, needed }: { columns: Column[]; needed: number }) {
  return <ul class="features">{columns.map((c) => <Card key={c.name} column={c} needed={needed} />)}</ul>;
}

function Report({ watch, query }: { watch: Watch; query: URLSearchParams }) {
  const text = query.get('q') ?? '';
  const state = query.get('state') ?? '';
  const shown = pick(watch.features, text, state);
  const wanted = query.get('feature');
  const open = [...watch.features, ...watch.outputs].find((c) => c.name === wanted);
  const states = countByState(watch.features);
  const judged = watch.state !== 'unwatched';
  return (
    <>
      {judged && <div class="bar wrap">
        <Filter label="Filter features" value={text} onInput={(q) => setQuery({ q })} />
        {states.length > 1 && (
          <Choice
            label="Verdict"
            options={[{ value: '', label: 'all', count: watch.features.length },
              ...states.map((s) => ({ value: s.state as string, label: s.state as string, count: s.count }))]}
            value={state}
            onPick={(s) => setQuery({ state: s })}
          />
        )}
        <Legend />
      </div>}
      {judged && (shown.length > 0 ? <Grid columns={shown} needed={watch.rows_min} /> : (
        <p class="lead">
          No feature matches. <button type="button" class="link" onClick={() => setQuery({ q: '', state: '' })}>Show all</button>
        </p>
      ))}
      {watch.outputs.length > 0 && (
        <section>
          <h2>Outputs</h2>
          <Grid columns={pick(watch.outputs, '', '')} needed={watch.rows_min} />
        </section>
      )}
      {open && <Enlarged column={open} watch={watch} onClose={() => closeQuery({ feature: '', to_ms: '' })} />}
    </>
  );
}

const HEAT_HOURS = [
  { value: 6, label: '6 h' }, { value: 24, label: '24 h' }, { value: 168, label: '7 d' }, { value: 720, label: '30 d' },
];
const HEAT_REFRESH_MS = 30_000;

function Heat({ model, version, segment, query }: { model: Model; version: string; segment: string; query: URLSearchParams }) {
  const asked = Number(query.get('hours'));
  const hours = HEAT_HOURS.some((h) => h.value === asked) ? asked : 24;
  const now = useStore((s) => s.now_ms) || Date.now();
  const found = useResource(`heat ${model.name} ${version} ${hours} ${segment}`,
    (signal) => api.heatmap(model.name, version, hours, segment, signal), [], HEAT_REFRESH_MS);
  const all = query.get('columns') === 'all';
  const ranked = useMemo(() => (found.data ? mostRestless(found.data, query.get('q') ?? '') : []), [found.data, query.get('q')]);
  const shown = useMemo(() => (all ? ranked.slice(0, HEAT_MOST) : ranked.slice(0, WORST_SHOWN)), [ranked, all]);
  if (found.error !== null) return <Problem text={found.error} retry={found.reload} />;
  if (!found.data || found.data.times.length === 0 || ranked.length === 0) return null;
  const step_ms = found.data.step_minutes * 60_000;
  return (
    <section>
      <div class="bar wrap">
        <Choice label="Time of the heat-map" options={HEAT_HOURS} value={hours}
          onPick={(h) => setQuery({ hours: h === 24 ? '' : String(h) })} />
        {ranked.length > WORST_SHOWN && (
          <button type="button" class="link" onClick={() => setQuery({ columns: all ? '' : 'all' })}>
            {all ? `The ${WORST_SHOWN} that moved most` : `All ${count(ranked.length)} columns`}
          </button>
        )}
      </div>
      <HeatmapView heatmap={found.data} columns={shown} now={now}
        onOpen={(feature, at_ms) => openQuery({ feature, to_ms: at_ms === null ? '' : String(at_ms + step_ms) })} />
    </section>
  );
}

function SegmentChoice({ names, value: chosen }: { names: readonly string[]; value: string }) {
  if (names.length === 0) return null;
  return (
    <label>
      {' · '}<span class="visually-hidden">Segment</span>
      <select value={chosen} onChange={(e) => setQuery({ segment: e.currentTarget.value })}>
        <option value="">all rows</option>
        {names.map((s) => <option key={s} value={s}>{s}</option>)}
      </select>
    </label>
  );
}

export function Drift({ model, query }: { model: Model; query: URLSearchParams }) {
  const minutes = windowOf(query);
  const version = query.get('version') ?? String(model.deployment?.version ?? model.newest_version);
  const changes = useStore((s) => s.changes[model.name] ?? 0);
  const segment = query.get('segment') ?? '';
  const to_ms = query.get('to_ms') ?? '';
  const watch = useResource(
    `${model.name} ${version} ${minutes} ${segment} ${to_ms}`,
    (signal) => api.watch(model.name, version, minutes, segment, to_ms, signal), [changes], REFRESH_MS);
  const monitor = useResource(
    `monitor ${model.name} ${version} ${segment}`,
    (signal) => api.drift(model.name, version, segment, signal), [changes], REFRESH_MS);
  const report = watch.data;
  const alarmed = new Set((monitor.data?.findings ?? []).filter((f) => f.state === 'drifted').map((f) => f.column)).size;
  const said = report && verdict(report, alarmed);
  const versions = Array.from({ length: model.newest_version }, (_, i) => String(model.newest_version - i));
  return (
    <div class="drift">
      <div class="bar">
        <div>
          <h2 class="verdict">{said ? said.head : NONE}</h2>
          <p class="muted num">
            {said && said.sub !== '' && `${said.sub} · `}
            {report && `${counted(report.rows, 'row')} of `}
            <label>
              <span class="visually-hidden">Version</span>
              <select value={version} onChange={(e) => setQuery({ version: e.currentTarget.value })}>
                {versions.map((v) => <option key={v} value={v}>{model.name}@{v}</option>)}
              </select>
            </label>
            <SegmentChoice names={report?.segments ?? []} value={segment} />
            {to_ms !== '' && (
              <> · until <Time at={Number(to_ms)} /> <button type="button" class="link" onClick={() => setQuery({ to_ms: '' })}>now</button></>
            )}
          </p>
        </div>
        <WindowChoice minutes={minutes} />
      </div>
      {watch.error !== null && <Problem text={watch.error} retry={watch.reload} />}
      {watch.loading && <p class="muted loading">Loading…</p>}
      {report && report.state === 'unwatched' && (
        <p class="lead">
          {model.name}@{report.version} has no reference profile. Push a version with one:{' '}
          <code>slipway push {model.name} FILE.onnx --profile train.csv</code>
        </p>
      )}
      {monitor.data && <Monitor report={monitor.data} />}
      <Heat model={model} version={version} segment={segment} query={query} />
      {report && (report.features.length > 0 || report.outputs.length > 0) && <Report watch={report} query={query} />}
    </div>
  );
}
