/* SPDX-License-Identifier: Apache-2.0 */
// Two minutes at a glance: a line from the left edge (two minutes ago) to the right one (now).

import { HISTORY_POINTS } from '../fleet';

const WIDTH = 120;
const HEIGHT = 30;
const ROOM = 2; /* for the stroke, above and below */

interface Outline {
  line: string;
  area: string;
}

export function outline(values: readonly (number | null)[]): Outline {
  const highest = Math.max(0, ...values.map((v) => v ?? 0));
  const step = WIDTH / (HISTORY_POINTS - 1);
  const left = WIDTH - (values.length - 1) * step;
  let line = '';
  let area = '';
  let run: string[] = [];
  const flush = (): void => {
    const first = run[0];
    const last = run[run.length - 1];
    if (first !== undefined && last !== undefined && run.length > 1) {
      line += `M${run.join('L')}`;
      area += `M${first.split(' ')[0]} ${HEIGHT}L${run.join('L')}L${last.split(' ')[0]} ${HEIGHT}Z`;
    }
    run = [];
  };
  values.forEach((v, i) => {
    if (v === null) {
      flush();
      return;
    }
    const part = highest > 0 ? v / highest : 0;
    const y = HEIGHT - ROOM - part * (HEIGHT - 2 * ROOM);
    run.push(`${(left + i * step).toFixed(1)} ${y.toFixed(1)}`);
  });
  flush();
  return { line, area };
}

export function Spark({ values, label, filled = false }: {
  values: readonly (number | null)[];
  label: string;
  filled?: boolean;
}) {
  const { line, area } = outline(values);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="spark-floor" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      {filled && <path class="spark-area" d={area} />}
      <path class="spark-line" d={line} />
    </svg>
  );
}
