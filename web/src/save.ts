/* SPDX-License-Identifier: Apache-2.0 */
// What is shown, as a file: a chart as PNG, its data as CSV.

type Cell = string | number | null | undefined;

/** RFC 4180; unknown values are empty. */
export function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => row.map(field).join(',')).join('\r\n') + '\r\n';
}

function field(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  const text = typeof cell === 'number' && !Number.isFinite(cell) ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** A name that every file system takes. */
export function fileName(...parts: string[]): string {
  return parts.filter((p) => p !== '').join('-').replace(/[^A-Za-z0-9._-]+/g, '_');
}

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function saveCsv(name: string, rows: readonly (readonly Cell[])[]): void {
  save(`${name}.csv`, new Blob([csv(rows)], { type: 'text/csv' }));
}

const MARGIN = 16;
const TITLE_Y = 24;
const KEY_Y = 46;
const HEAD = 60;
const KEY_GAP = 18;

export interface PictureKey {
  lines: { label: string; colour: string; dash: number[]; block?: boolean }[];
  /** Of which time, in which zone. */
  note: string;
}

/** The picture on the page's own ground, with its title, what its lines mean, and its time. */
export function savePng(name: string, title: string, picture: HTMLCanvasElement, key: PictureKey): void {
  const ratio = devicePixelRatio;
  const css = getComputedStyle(document.documentElement);
  const colour = (what: string): string => css.getPropertyValue(what).trim();
  const font = getComputedStyle(document.body).fontFamily;
  const whole = document.createElement('canvas');
  const ctx = whole.getContext('2d')!;
  const words = (text: string, x: number, y: number, look: string, fill: string): number => {
    ctx.font = `${look} ${font}`;
    ctx.fillStyle = fill;
    ctx.fillText(text, x, y);
    return x + ctx.measureText(text).width;
  };
  ctx.font = `600 14px ${font}`;
  const width = Math.max(picture.width / ratio, ctx.measureText(title).width) + 2 * MARGIN;
  whole.width = width * ratio;
  whole.height = picture.height + (MARGIN + HEAD) * ratio;
  ctx.fillStyle = colour('--ground');
  ctx.fillRect(0, 0, whole.width, whole.height);
  ctx.scale(ratio, ratio);
  words(title, MARGIN, TITLE_Y, '600 14px', colour('--text'));
  let x = MARGIN;
  for (const line of key.lines) {
    ctx.strokeStyle = line.colour;
    ctx.lineWidth = line.block ? 9 : 2;
    ctx.setLineDash(line.dash);
    ctx.beginPath();
    ctx.moveTo(x, KEY_Y - 4);
    ctx.lineTo(x + (line.block ? 9 : 18), KEY_Y - 4);
    ctx.stroke();
    x = words(line.label, x + (line.block ? 15 : 24), KEY_Y, '12px', colour('--muted')) + KEY_GAP;
  }
  words(key.note, x, KEY_Y, '12px', colour('--muted'));
  ctx.drawImage(picture, MARGIN, HEAD, picture.width / ratio, picture.height / ratio);
  whole.toBlob((blob) => {
    if (blob) save(`${name}.png`, blob);
  });
}
