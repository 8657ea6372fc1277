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
const HEAD = 34;

/** The picture with its title above, on the page's own ground. */
export function savePng(name: string, title: string, picture: HTMLCanvasElement): void {
  const ratio = devicePixelRatio;
  const css = getComputedStyle(document.documentElement);
  const whole = document.createElement('canvas');
  whole.width = picture.width + 2 * MARGIN * ratio;
  whole.height = picture.height + (MARGIN + HEAD) * ratio;
  const ctx = whole.getContext('2d')!;
  ctx.fillStyle = css.getPropertyValue('--ground').trim();
  ctx.fillRect(0, 0, whole.width, whole.height);
  ctx.fillStyle = css.getPropertyValue('--text').trim();
  ctx.font = `600 ${14 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.fillText(title, MARGIN * ratio, 23 * ratio);
  ctx.drawImage(picture, MARGIN * ratio, HEAD * ratio);
  whole.toBlob((blob) => {
    if (blob) save(`${name}.png`, blob);
  });
}
