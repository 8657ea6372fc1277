/* SPDX-License-Identifier: Apache-2.0 */
// A line chart over time. Charts with the same `sync` share their cursor; deploys are marked on all.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { NONE, tickTime, utc, when, zone } from '../format';
import { fileName, saveCsv, savePng, type PictureKey } from '../save';
import { alone } from '../traffic';
import type { Mark } from '../types';
import { SaveButtons } from './save';

export type LineTone = 'accent' | 'accent-mid' | 'accent-soft' | 'bad' | 'ink';

export interface Line {
  label: string;
  values: (number | null)[];
  tone: LineTone;
  /** Lines differ in more than colour. */
  dash?: number[];
  filled?: boolean;
  format: (value: number | null | undefined) => string;
}

const AXIS_WIDTH = 58;
const MARK_REACH_PX = 7;
const NARROW_PX = 480;
const TICK_HALF_PX = 26; /* of a tick's words: what would be cut off at the right is left out */

interface Palette {
  tones: Record<LineTone, string>;
  fill: string;
  text: string;
  rule: string;
  mark: string;
  alert: string;
}

function palette(): Palette {
  const css = getComputedStyle(document.documentElement);
  const read = (name: string): string => css.getPropertyValue(name).trim();
  return {
    tones: {
      accent: read('--accent'),
      'accent-mid': read('--accent-mid'),
      'accent-soft': read('--accent-soft'),
      bad: read('--bad'),
      ink: read('--muted'),
    },
    fill: read('--accent-wash'),
    text: read('--muted'),
    rule: read('--rule'),
    mark: read('--text'),
    alert: read('--bad'),
  };
}

function tick(plot: uPlot, seconds: number, incr: number): string {
  const { min, max } = plot.scales.x!;
  const left = (1 - (seconds - (min ?? 0)) / ((max ?? 1) - (min ?? 0))) * (plot.width - AXIS_WIDTH);
  return left < TICK_HALF_PX ? '' : tickTime(seconds * 1000, incr);
}

/** A change is a triangle on top, an alert a diamond in its own colour. */
function drawMarks(plot: uPlot, marks: readonly Mark[], look: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = ratio;
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark.at_ms / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const alert = mark.kind === 'alert';
    ctx.strokeStyle = ctx.fillStyle = alert ? look.alert : look.mark;
    ctx.globalAlpha = 0.55;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(x - 4 * ratio, bbox.top - (alert ? 3 : 5) * ratio);
    if (alert) ctx.lineTo(x, bbox.top - 7 * ratio);
    ctx.lineTo(x + 4 * ratio, bbox.top - (alert ? 3 : 5) * ratio);
    ctx.lineTo(x, bbox.top + 1 * ratio);
    ctx.fill();
  }
  ctx.restore();
}

/** A y axis from zero to a little above the highest value. */
function yRange(floor: number) {
  return (_: uPlot, __: number, highest: number | null): [number, number] => [
    0,
    Math.max(floor, (highest ?? 0) * 1.12),
  ];
}

/** Whole decades, so that a median stays readable beside a p99 hundreds of times as high. */
function decades(_: uPlot, lowest: number | null, highest: number | null): [number, number] {
  return uPlot.rangeLog(lowest || 0.001, highest || 1, 10, true) as [number, number];
}

function powersOfTen(_: uPlot, __: number, from: number, to: number): number[] {
  const first = Math.round(Math.log10(from));
  return Array.from({ length: Math.round(Math.log10(to)) - first + 1 }, (___, i) => 10 ** (first + i));
}

/** Round the values alone, a little wider: for metrics, whose zero says nothing. */
function around(_: uPlot, lowest: number | null, highest: number | null): [number, number] {
  const [low, high] = [lowest ?? 0, highest ?? 1];
  const air = Math.max((high - low) * 0.15, Math.abs(high) * 0.01, 1e-6);
  return [low - air, high + air];
}

interface Props {
  title: string;
  /** The model: a saved picture says whose it is. */
  about: string;
  /** What its files are called. */
  file: string;
  sync: string;
  at_s: number[];
  lines: Line[];
  marks: Mark[];
  /** Axis labels. */
  axis: (value: number) => string;
  /** The y axis reaches at least here. */
  floor: number;
  /** A logarithmic y axis. */
  log?: boolean;
  /** A y axis that need not begin at zero. */
  tight?: boolean;
  height?: number;
}

function options(props: Props, width: number, look: Palette, latest: { marks: Mark[] },
  onCursor: (index: number | null) => void): uPlot.Options {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width,
    height: props.height ?? 150,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: props.sync }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: props.log ? { distr: 3, log: 10, range: decades } : { range: props.tight ? around : yRange(props.floor) } },
    axes: [
      {
        stroke: look.text, font, size: 26, gap: 6, space: width < NARROW_PX ? 70 : 110,
        grid: { show: false }, ticks: { show: false },
        values: (plot, splits, __, ___, incr) => splits.map((s) => tick(plot, s, incr)),
      },
      {
        stroke: look.text, font, size: AXIS_WIDTH, gap: 8, space: 36,
        grid: { stroke: look.rule, width: 1 }, ticks: { show: false },
        ...(props.log ? { splits: powersOfTen } : {}),
        values: (_, splits) => splits.map((v: number | null) => (v === null ? '' : props.axis(v))),
      },
    ],
    series: [
      {},
      ...props.lines.map((line): uPlot.Series => ({
        stroke: look.tones[line.tone],
        width: line.tone === 'accent' || line.tone === 'bad' ? 1.75 : 1.5,
        points: { show: true, size: 4, filter: (plot, index) => alone(Array.from(plot.data[index] ?? [])) },
        spanGaps: false,
        ...(line.dash ? { dash: line.dash } : {}),
        ...(line.filled ? { fill: look.fill } : {}),
      })),
    ],
    hooks: {
      draw: [(plot) => drawMarks(plot, latest.marks, look)],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  };
}

function columns(props: Props): uPlot.AlignedData {
  return [props.at_s, ...props.lines.map((l) => l.values)] as uPlot.AlignedData;
}

/** What the marks near a point of time say, the nearest first. */
export function wordsNear(marks: readonly Mark[], at_s: number | undefined, spanS: number, width: number): string {
  if (at_s === undefined || width <= 0) return '';
  const reach = Math.max((spanS / width) * MARK_REACH_PX * 1000, 1000);
  const away = (m: Mark): number => Math.abs(m.at_ms - at_s * 1000);
  const near = marks.filter((m) => away(m) <= reach).sort((a, b) => away(a) - away(b));
  const first = near[0];
  return first === undefined ? '' : near.length === 1 ? first.text : `${first.text}, and ${near.length - 1} more`;
}

/** What a picture needs to be understood alone. */
function keyOf(props: Props): PictureKey {
  const look = palette();
  const [from, to] = [props.at_s[0], props.at_s[props.at_s.length - 1]];
  return {
    lines: props.lines.map((l) => ({ label: l.label, colour: look.tones[l.tone], dash: l.dash ?? [] })),
    note: from === undefined || to === undefined ? NONE : `${utc(from * 1000).slice(0, 16)} to ${utc(to * 1000).slice(0, 16)} UTC, shown in ${zone(to * 1000)}`,
  };
}

function table(props: Props): (string | number | null)[][] {
  return [
    ['time', ...props.lines.map((l) => l.label)],
    ...props.at_s.map((s, i) => [new Date(s * 1000).toISOString(), ...props.lines.map((l) => l.values[i] ?? null)]),
  ];
}

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ marks: props.marks });
  const [cursor, setCursor] = useState<number | null>(null);
  latest.current.marks = props.marks;
  const shape = props.lines.map((l) => l.label).join('|') + String(props.log);

  useEffect(() => {
    const box = place.current!;
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(
        options(props, box.clientWidth, palette(), latest.current, setCursor), columns(props), box);
    };
    const resize = new ResizeObserver(() => {
      if (plot.current && box.clientWidth > 0 && plot.current.width !== box.clientWidth) {
        plot.current.setSize({ width: box.clientWidth, height: props.height ?? 150 });
      }
    });
    make();
    resize.observe(box);
    scheme.addEventListener('change', make);
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, props.sync]);

  useEffect(() => {
    plot.current?.setData(columns(props));
  }, [props.at_s, props.lines]);

  useEffect(() => {
    plot.current?.redraw(false);
  }, [props.marks]);

  const lastIndex = props.at_s.length - 1;
  const index = cursor !== null && cursor <= lastIndex ? cursor : lastIndex;
  const span = (props.at_s[lastIndex] ?? 0) - (props.at_s[0] ?? 0);
  const near = cursor === null ? ''
    : wordsNear(props.marks, props.at_s[index], span, (place.current?.clientWidth ?? 0) - AXIS_WIDTH);
  const at_ms = (props.at_s[index] ?? 0) * 1000;
  const summary = props.lines.map((l) => `${l.label} ${l.format(l.values[index])}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <h2>{props.title}{props.log && <span class="muted scale"> log scale</span>}</h2>
        <ul class="legend">
          {props.lines.map((line) => (
            <li key={line.label}>
              <svg class={`swatch tone-${line.tone}`} viewBox="0 0 18 8" aria-hidden="true">
                <path d="M0 4H18" stroke-dasharray={line.dash?.join(' ')} />
              </svg>
              {line.label} <span class="num strong">{line.format(line.values[index])}</span>
            </li>
          ))}
        </ul>
        <span class="chart-at muted num">
          {cursor !== null && <>{when(at_ms, Date.now())}{zone(at_ms) === 'UTC' ? ' UTC' : ` · ${utc(at_ms).slice(11)}`}</>}
          {near !== '' && <strong>{near}</strong>}
        </span>
        <SaveButtons
          what={props.title}
          onPng={() => plot.current && savePng(fileName(props.file), `${props.about}: ${props.title}`, plot.current.ctx.canvas, keyOf(props))}
          onCsv={() => saveCsv(fileName(props.file), table(props))}
        />
      </figcaption>
      <div class="plot" ref={place} role="img" aria-label={`${props.title}, latest: ${summary}`} />
    </figure>
  );
}
