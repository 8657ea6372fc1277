/* SPDX-License-Identifier: Apache-2.0 */
// Features × time on a canvas. A cell's fill grows with its PSI, its colour says the verdict.

import { useEffect, useRef, useState } from 'preact/hooks';
import { count, duration, psi, share, tickTime, utc, when, zone } from '../format';
import { allTooFew, cellAt, fill, heatRows, heatTicks } from '../heat';
import { fileName, saveCsv, savePng } from '../save';
import type { Cell, HeatColumn, Heatmap, WatchState } from '../types';
import { SaveButtons } from './save';

const ROW = 22;
const GAP = 3;
const TICKS = 5;
const STUB = 3; /* there were rows, too few for a verdict */

const KEY: [state: WatchState, label: string][] = [
  ['same', 'same'], ['moved', 'moved'], ['drifted', 'drifted'], ['too few rows', 'too few rows'],
];
const PNG_WIDTH = 900;
const PNG_NAMES = 240;

interface Look {
  tones: Record<WatchState, string>;
  rule: string;
  text: string;
  muted: string;
}

function look(): Look {
  const css = getComputedStyle(document.documentElement);
  const read = (name: string): string => css.getPropertyValue(name).trim();
  const quiet = read('--rule');
  return {
    tones: {
      drifted: read('--bad'), moved: read('--notice'), same: read('--accent-soft'),
      'too few rows': read('--quiet-fill'), undefined: quiet, unwatched: quiet,
    },
    rule: quiet,
    text: read('--text'),
    muted: read('--muted'),
  };
}

/** The canvas at its size, in CSS pixels. */
function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ctx = canvas.getContext('2d')!;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  ctx.scale(devicePixelRatio, devicePixelRatio);
  return ctx;
}

function paint(ctx: CanvasRenderingContext2D, heatmap: Heatmap, columns: readonly HeatColumn[], width: number): void {
  const { tones, rule } = look();
  const steps = heatmap.times.length;
  const step = width / Math.max(1, steps);
  const thin = step > 4 ? 1 : 0;
  columns.forEach((column, y) => {
    const floor = (y + 1) * ROW - GAP;
    const full = ROW - 2 * GAP;
    for (let x = 0; x < steps; x += 1) {
      const state = column.state[x] ?? 'unwatched';
      const few = (heatmap.rows[x] ?? 0) > 0 ? STUB : 0;
      const height = state === 'too few rows' ? few : full * fill(column.psi[x] ?? null);
      ctx.fillStyle = tones[state] ?? rule;
      ctx.fillRect(x * step, floor - height, Math.max(1, step - thin), height);
    }
    ctx.fillStyle = rule;
    ctx.fillRect(0, floor, width, 1);
  });
}

/** The same with its names and times, to be understood where it is pasted. */
function picture(heatmap: Heatmap, columns: readonly HeatColumn[]): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const { text, muted } = look();
  const height = columns.length * ROW;
  const ctx = sized(canvas, PNG_WIDTH, height + 24);
  const font = getComputedStyle(document.body).fontFamily;
  ctx.font = `12px ${font}`;
  ctx.fillStyle = text;
  ctx.textAlign = 'right';
  columns.forEach((c, y) => ctx.fillText(c.name, PNG_NAMES - 14, y * ROW + 15, PNG_NAMES - 14));
  ctx.fillStyle = muted;
  ctx.textAlign = 'left';
  for (const { at_ms, part } of heatTicks(heatmap, TICKS)) {
    ctx.fillText(tickWords(heatmap, at_ms), PNG_NAMES + part * (PNG_WIDTH - PNG_NAMES), height + 18);
  }
  ctx.translate(PNG_NAMES, 0);
  paint(ctx, heatmap, columns, PNG_WIDTH - PNG_NAMES);
  return canvas;
}

/** Days where the map is of many, else the time, with the day where another one began. */
function tickWords(heatmap: Heatmap, at_ms: number): string {
  const last = heatmap.times[heatmap.times.length - 1] ?? at_ms;
  if (last - heatmap.from_ms > 3 * 86_400_000) return tickTime(at_ms, 86_400);
  const time = tickTime(at_ms, 60);
  return new Date(at_ms).toDateString() === new Date(last).toDateString() || !time.includes(':') ? time : `${tickTime(at_ms, 86_400)} ${time}`;
}

function describe(heatmap: Heatmap, cell: Cell, now: number): string {
  const head = `${cell.column} · ${when(cell.at_ms, now)}, ${duration(heatmap.step_minutes * 60)} · ${count(cell.rows)}\u00a0rows`;
  if (cell.psi === null) return `${head} · ${cell.state}`;
  return `${head} · PSI ${psi(cell.psi)}, ${cell.state} · ${share(cell.missing_share)} missing`;
}

export function HeatmapView({ heatmap, columns, now, onOpen }: {
  heatmap: Heatmap;
  columns: HeatColumn[];
  now: number;
  onOpen: (column: string, at_ms: number | null) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [cell, setCell] = useState<Cell | null>(null);
  useEffect(() => {
    const box = canvas.current!;
    const draw = (): void => paint(sized(box, box.clientWidth, columns.length * ROW), heatmap, columns, box.clientWidth);
    const resize = new ResizeObserver(draw);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    resize.observe(box);
    scheme.addEventListener('change', draw);
    draw();
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', draw);
    };
  }, [heatmap, columns]);

  const under = (event: MouseEvent): Cell | null => {
    const box = canvas.current!.getBoundingClientRect();
    const step = Math.floor(((event.clientX - box.left) / box.width) * heatmap.times.length);
    return cellAt(heatmap, columns[Math.floor((event.clientY - box.top) / ROW)], step);
  };
  const name = fileName(`${heatmap.model}@${heatmap.version}`, 'drift');
  const last = heatmap.times[heatmap.times.length - 1] ?? heatmap.from_ms;
  const save = (): void => {
    const { tones } = look();
    savePng(name, `${heatmap.model}@${heatmap.version}${heatmap.segment && `, ${heatmap.segment}`}: movement over time`, picture(heatmap, columns), {
      lines: KEY.map(([state, label]) => ({ label, colour: tones[state], dash: [], block: true })),
      note: `steps of ${duration(heatmap.step_minutes * 60)}, ${utc(heatmap.from_ms).slice(0, 16)} to ${utc(last).slice(0, 16)} UTC, shown in ${zone(last)}`,
    });
  };
  return (
    <figure class="heat">
      <figcaption>
        <h2>Movement over time</h2>
        <ul class="legend heat-key" aria-label="Legend">
          {KEY.map(([state, label]) => <li key={state}><span class={`heat-swatch ${state.split(' ')[0]}`} aria-hidden="true" />{label}</li>)}
        </ul>
        <SaveButtons
          what="the heat-map"
          onPng={save}
          onCsv={() => saveCsv(name, heatRows(heatmap))}
        />
        <span class="muted num heat-cell">
          {cell ? describe(heatmap, cell, now)
            : allTooFew(heatmap) ? `No step of ${duration(heatmap.step_minutes * 60)} has the rows for a verdict: a longer time has longer steps.`
              : 'Taller is further from the reference.'}
        </span>
      </figcaption>
      <div class="heat-grid">
        <ul>
          {columns.map((c) => (
            <li key={c.name}><button type="button" class="link" title={c.name} onClick={() => onOpen(c.name, null)}>{c.name}</button></li>
          ))}
        </ul>
        <canvas
          ref={canvas}
          role="img"
          aria-label={`PSI of ${columns.length} columns over ${heatmap.times.length} steps of ${heatmap.step_minutes} minutes`}
          style={{ height: `${columns.length * ROW}px` }}
          onMouseMove={(event) => setCell(under(event))}
          onMouseLeave={() => setCell(null)}
          onClick={(event) => {
            const hit = under(event);
            if (hit) onOpen(hit.column, hit.at_ms);
          }}
        />
        <p class="heat-ticks muted num" aria-hidden="true">{heatTicks(heatmap, TICKS).map((t) => <span key={t.at_ms}>{tickWords(heatmap, t.at_ms)}</span>)}<span>now</span></p>
      </div>
    </figure>
  );
}
