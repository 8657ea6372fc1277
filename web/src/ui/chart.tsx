/* SPDX-License-Identifier: Apache-2.0 */
// A line chart over time. Charts with the same `sync` share their cursor; deploys are marked on all.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { clock } from '../format';
import { fileName, saveCsv, savePng } from '../save';
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

interface Palette {
  tones: Record<LineTone, string>;
  fill: string;
  text: string;
  rule: string;
  mark: string;
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
  };
}

function clockMinutes(seconds: number, incr: number): string {
  const text = clock(seconds * 1000);
  return incr < 60 ? text : text.slice(0, 5);
}

function drawMarks(plot: uPlot, marks: readonly Mark[], colour: string): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = ratio;
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark.at_ms / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.globalAlpha = 0.55;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(x - 4 * ratio, bbox.top - 5 * ratio);
    ctx.lineTo(x + 4 * ratio, bbox.top - 5 * ratio);
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
        values: (_, splits, __, ___, incr) => splits.map((s) => clockMinutes(s, incr)),
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
      draw: [(plot) => drawMarks(plot, latest.marks, look.mark)],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  };
}

function columns(props: Props): uPlot.AlignedData {
  return [props.at_s, ...props.lines.map((l) => l.values)] as uPlot.AlignedData;
}

/** The mark near a point of time, so that its words can be shown. */
function markNear(marks: readonly Mark[], at_s: number | undefined, spanS: number, width: number): Mark | undefined {
  if (at_s === undefined || width <= 0) return undefined;
  const reach = (spanS / width) * MARK_REACH_PX * 1000;
  return marks.find((m) => Math.abs(m.at_ms - at_s * 1000) <= Math.max(reach, 1000));
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

  const lastIndex = props.at_s.length - 1;
  const index = cursor !== null && cursor <= lastIndex ? cursor : lastIndex;
  const span = (props.at_s[lastIndex] ?? 0) - (props.at_s[0] ?? 0);
  const near = cursor === null ? undefined
    : markNear(props.marks, props.at_s[index], span, (place.current?.clientWidth ?? 0) - AXIS_WIDTH);
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
          {near ? <strong>{near.text}</strong> : cursor !== null && clock((props.at_s[index] ?? 0) * 1000)}
        </span>
        <SaveButtons
          what={props.title}
          onPng={() => plot.current && savePng(fileName(props.file), props.title, plot.current.ctx.canvas)}
          onCsv={() => saveCsv(fileName(props.file), table(props))}
        />
      </figcaption>
      <div class="plot" ref={place} role="img" aria-label={`${props.title}, latest: ${summary}`} />
    </figure>
  );
}
