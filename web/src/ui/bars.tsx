/* SPDX-License-Identifier: Apache-2.0 */
// A distribution: live as filled bars, the reference drawn over them as a stepped outline.

import { bars, hasReference, type Bar } from '../drift';
import { NONE, share, value } from '../format';
import type { Bin, Column } from '../types';

const W = 240;
const GAP = 0.14; /* of a bar's width, between bars */

export function binName(bin: Bin): string {
  if (bin.label !== '') return bin.label;
  if (bin.from === null && bin.to === null) return NONE;
  if (bin.from === null) return `below ${value(bin.to)}`;
  if (bin.to === null) return `above ${value(bin.from)}`;
  return `${value(bin.from)} to ${value(bin.to)}`;
}

function steps(list: readonly Bar[], height: number): string {
  let path = '';
  for (const bar of list) {
    const y = (height - bar.reference * (height - 2)).toFixed(1);
    path += `${path === '' ? `M${(bar.x * W).toFixed(1)} ${height}V${y}` : `V${y}`}H${((bar.x + bar.width) * W).toFixed(1)}`;
  }
  return path === '' ? '' : `${path}V${height}`;
}

export function Bars({ column, height, titled = false }: { column: Column; height: number; titled?: boolean }) {
  const list = bars(column.bins);
  const referenced = hasReference(column);
  const label = `${column.name}: live${referenced ? ' over reference' : ''} in ${column.bins.length} bins, ${column.state}`;
  return (
    <svg class="bars" viewBox={`0 0 ${W} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {list.map((bar) => (
        <rect
          key={bar.x}
          class="bar-live"
          x={(bar.x + (bar.width * GAP) / 2) * W}
          y={height - bar.live * (height - 2)}
          width={bar.width * (1 - GAP) * W}
          height={bar.live * (height - 2)}
        />
      ))}
      {referenced && <path class="bar-reference" d={steps(list, height)} />}
      {titled && list.map((bar) => (
        <rect key={bar.x} class="bar-hit" x={bar.x * W} y={0} width={bar.width * W} height={height}>
          <title>
            {`${binName(bar.bin)}: live ${share(bar.bin.live_share)}${referenced ? `, reference ${share(bar.bin.reference_share)}` : ''}`}
          </title>
        </rect>
      ))}
    </svg>
  );
}
