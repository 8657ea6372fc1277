/* SPDX-License-Identifier: Apache-2.0 */
// Numbers, durations, sizes and times as people read them: always with a unit, never with more
// digits than mean something. A no-break space keeps a number with its unit.

const NBSP = '\u00a0';
export const NONE = '–';

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function known(x: number | null | undefined): x is number {
  return typeof x === 'number' && Number.isFinite(x);
}

/** `digits` significant digits without an exponent; trailing zeros stay, so that columns hold still. */
function significant(x: number, digits: number): string {
  if (x === 0) return '0';
  const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(x)));
  return x.toFixed(Math.min(12, Math.max(0, decimals)));
}

export function count(n: number | null | undefined): string {
  return known(n) ? grouped.format(n) : NONE;
}

/** 1 version, 2 versions. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)}${NBSP}${n === 1 ? one : many}`;
}

export function rateNumber(perSecond: number | null | undefined): string {
  if (!known(perSecond)) return NONE;
  if (perSecond === 0) return '0';
  if (perSecond < 0.05) return '<0.1';
  return perSecond < 9.95 ? perSecond.toFixed(1) : grouped.format(perSecond);
}

export function rate(perSecond: number | null | undefined): string {
  return known(perSecond) ? `${rateNumber(perSecond)}${NBSP}req/s` : NONE;
}

/** A latency or another short time: 0.21 ms, 31 ms, 1.24 s, 2 min. */
export function millis(ms: number | null | undefined): string {
  if (!known(ms)) return NONE;
  if (ms === 0) return `0${NBSP}ms`;
  if (ms < 0.001) return `<1${NBSP}µs`;
  if (ms < 0.1) return `${Math.round(ms * 1000)}${NBSP}µs`;
  if (ms < 9.95) return `${significant(ms, 2)}${NBSP}ms`;
  if (ms < 999.5) return `${Math.round(ms)}${NBSP}ms`;
  if (ms < 59_500) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 0)}${NBSP}s`;
  return duration(ms / 1000);
}

/** A latency beside an axis: round numbers, no digit that does not differ from the next line's. */
export function axisMillis(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${Number((ms * 1000).toPrecision(3))}${NBSP}µs`;
  return ms < 1000 ? `${Number(ms.toPrecision(3))}${NBSP}ms` : `${Number((ms / 1000).toPrecision(3))}${NBSP}s`;
}

/** 0 %, 0.12 %, 4.2 %, 42 %. Never rounds something to nothing, nor nearly all to all. */
export function share(part: number | null | undefined): string {
  if (!known(part)) return NONE;
  const percent = part * 100;
  if (percent === 0) return `0${NBSP}%`;
  if (percent < 0.01) return `<0.01${NBSP}%`;
  if (percent < 1) return `${percent.toFixed(2)}${NBSP}%`;
  if (percent < 9.95) return `${percent.toFixed(1)}${NBSP}%`;
  if (percent < 100 && percent >= 99.5) return `>99${NBSP}%`;
  return `${Math.round(percent)}${NBSP}%`;
}

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Decimal units, as disks and the command line count. */
export function bytes(n: number | null | undefined): string {
  if (!known(n)) return NONE;
  let unit = 0;
  let value = n;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${digits}${NBSP}${BYTE_UNITS[unit]}`;
}

/** The two largest units: 42 s, 3 min, 3 h 12 min, 5 d 4 h. */
export function duration(seconds: number | null | undefined): string {
  if (!known(seconds)) return NONE;
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}${NBSP}s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}${NBSP}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const head = `${large}${NBSP}${largeUnit}`;
  return small === 0 ? head : `${head}${NBSP}${small}${NBSP}${smallUnit}`;
}

export function psi(x: number | null | undefined): string {
  return known(x) ? x.toFixed(2) : NONE;
}

const LARGE: [least: number, name: string][] = [[1e9, 'billion'], [1e6, 'million']];

/** "1 in 40,000", "1 in 63 million": how often chance alone reaches such evidence, in looks. Rounded down. */
export function odds(evidence_log10: number | null | undefined): string {
  if (!known(evidence_log10) || evidence_log10 <= 0) return NONE;
  if (evidence_log10 >= 12) return `1 in 10^${Math.floor(evidence_log10)}`;
  const unit = 10 ** Math.max(0, Math.floor(evidence_log10) - 1);
  const looks = Math.floor((10 ** evidence_log10 / unit) * (1 + 1e-12)) * unit;
  const large = LARGE.find(([least]) => looks >= least);
  if (!large) return `1 in ${count(looks)}`;
  const shown = looks / large[0];
  return `1 in ${shown < 10 ? shown.toFixed(1) : count(shown)}${NBSP}${large[1]}`;
}

/** A feature's value: four significant digits, an exponent only where the number is out of hand. */
export function value(x: number | null | undefined): string {
  if (!known(x)) return NONE;
  if (x === 0) return '0';
  const size = Math.abs(x);
  if (size >= 1e9 || size < 1e-4) return x.toExponential(2).replace('e+', 'e');
  if (size >= 10_000) return grouped.format(x);
  return String(Number(x.toPrecision(4)));
}

const pad = (n: number): string => String(n).padStart(2, '0');

export function clock(ms: number): string {
  const t = new Date(ms);
  return `${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Local time: 14:02:11 today, 22 Nov 14:02 this year, 22 Nov 2025 before. */
export function when(ms: number, now: number): string {
  const t = new Date(ms);
  const today = new Date(now);
  if (t.toDateString() === today.toDateString()) return clock(ms);
  const day = `${t.getDate()}${NBSP}${MONTHS[t.getMonth()]}`;
  if (t.getFullYear() !== today.getFullYear()) return `${day}${NBSP}${t.getFullYear()}`;
  return `${day}${NBSP}${pad(t.getHours())}:${pad(t.getMinutes())}`;
}

/** Beside a tick of a time axis whose ticks are `step_s` apart: the day stands where it begins. */
export function tickTime(ms: number, step_s: number): string {
  const t = new Date(ms);
  const day = `${t.getDate()}${NBSP}${MONTHS[t.getMonth()]}`;
  if (step_s >= 86_400) return day;
  if (step_s < 60) return clock(ms);
  return t.getHours() === 0 && t.getMinutes() === 0 ? day : clock(ms).slice(0, 5);
}

/** The zone that times are shown in: UTC, UTC+1, UTC−3:30. */
export function zone(ms: number): string {
  const ahead = -new Date(ms).getTimezoneOffset();
  if (ahead === 0) return 'UTC';
  const size = Math.abs(ahead);
  return `UTC${ahead < 0 ? '−' : '+'}${Math.floor(size / 60)}${size % 60 === 0 ? '' : `:${pad(size % 60)}`}`;
}

export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function versionSpec(model: string, version: number): string {
  return `${model}@${version}`;
}

export function engineName(engine: string | null): string {
  return engine === 'onnxruntime' ? 'ONNX Runtime' : engine ?? NONE;
}
