/* SPDX-License-Identifier: Apache-2.0 */
// Features × time on a canvas. A cell's fill grows with its PSI, its colour says the verdict.

import { useEffect, useRef, useState } from 'preact/hooks';
import { count, psi, share, when } from '../format';
import { cellAt, fill, heatRows } from '../heat';
import { fileName, saveCsv, savePng } from '../save';
import type { Cell, HeatColumn, Heatmap, WatchState } from '../types';
import { SaveButtons } from './save';

const ROW = 22;
const GAP = 3;
const TICKS = 5;

interface Look {
  tones: Record<WatchState, string>;
  rule: string;
}

function look(): Look {
  const css = getComputedStyle(document.documentElement);
  const read = (name: string): string => css.getPropertyValue(name).trim();
  const quiet = read('--rule');
  return {
    tones: {
      drifted: read('--bad'), moved: read('--notice'), same: read('--accent-soft'),
      'too few rows': quiet, undefined: quiet, unwatched: quiet,
    },
    rule: quiet,
  };
}

function paint(canvas: HTMLCanvasElement, heatmap: Heatmap, columns: readonly HeatColumn[], width: number): void {
  const ratio = devicePixelRatio;
  const { tones, rule } = look();
  const steps = heatmap.times.length;
  const ctx = canvas.getContext('2d')!;
  canvas.width = width * ratio;
  canvas.height = columns.length * ROW * ratio;
  ctx.scale(ratio, ratio);
  const step = width / Math.max(1, steps);
  const thin = step > 4 ? 1 : 0;
  columns.forEach((column, y) => {
    const floor = (y + 1) * ROW - GAP;
    const full = ROW - 2 * GAP;
    for (let x = 0; x < steps; x += 1) {
      const state = column.state[x] ?? 'unwatched';
      const height = state === 'too few rows' ? 0 : full * fill(column.psi[x] ?? null);
      ctx.fillStyle = tones[state] ?? rule;
      ctx.fillRect(x * step, floor - height, Math.max(1, step - thin), height);
    }
    ctx.fillStyle = rule;
    ctx.fillRect(0, floor, width, 1);
  });
}

function describe(heatmap: Heatmap, cell: Cell, now: number): string {
  const head = `${cell.column} · ${when(cell.at_ms, now)}, ${heatmap.step_minutes} min · ${count(cell.rows)} rows`;
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
    const draw = (): void => paint(box, heatmap, columns, box.clientWidth);
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
  const ticks = Array.from({ length: Math.min(TICKS, heatmap.times.length) }, (_, i) =>
    heatmap.times[Math.floor((i * heatmap.times.length) / TICKS)]!);
  return (
    <figure class="heat">
      <figcaption>
        <h2>Movement over time</h2>
        <span class="muted num heat-cell" aria-live="polite">{cell ? describe(heatmap, cell, now) : 'taller is further from the reference'}</span>
        <SaveButtons
          what="the heat-map"
          onPng={() => savePng(name, `${heatmap.model}@${heatmap.version}: movement over time`, canvas.current!)}
          onCsv={() => saveCsv(name, heatRows(heatmap))}
        />
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
        <p class="heat-ticks muted num" aria-hidden="true">{ticks.map((at) => <span key={at}>{when(at, now).slice(0, 12)}</span>)}<span>now</span></p>
      </div>
    </figure>
  );
}
