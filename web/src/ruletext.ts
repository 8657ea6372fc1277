/* SPDX-License-Identifier: Apache-2.0 */
// The user's YAML, changed by whole lines: an item of `rules` is added, replaced or taken out, and all
// else stays as it was written. The server says in which line each rule begins. What is written in a
// way not understood here is left alone (null); the server reads each result before it is offered.

/** Fields of a rule, each with its lines, without the indentation of the item. */
export type Groups = Map<string, string[]>;

export interface Item {
  /** Lines from (its first) to (behind its last), counted from 0. */
  from: number;
  to: number;
  /** Column of the dash. */
  dash: number;
  /** Null: the form does not change an item written like this. */
  groups: Groups | null;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isAside = (line: string): boolean => /^\s*(#|$)/.test(line);
const KEY = /^(["']?)([A-Za-z_]+)\1\s*:(?=\s|$)/;

/** `line`, from 1, is where the rule begins. */
export function findItem(text: string, line: number): Item | null {
  const lines = text.split('\n');
  const from = line - 1;
  const head = /^( *)- +(?=[^\s#-])/.exec(lines[from] ?? '');
  if (!head) return null;
  const dash = head[1]!.length;
  let to = from + 1;
  for (let i = to; i < lines.length; i += 1) {
    if (isAside(lines[i]!)) continue;
    if (indentOf(lines[i]!) <= dash) break;
    to = i + 1;
  }
  const own = lines.slice(from, to);
  own[0] = ' '.repeat(head[0].length) + own[0]!.slice(head[0].length);
  const groups = own[0].trimStart().startsWith('{') ? flowGroups(own) : blockGroups(own, head[0].length);
  return { from, to, dash, groups };
}

function blockGroups(lines: string[], column: number): Groups | null {
  const groups: Groups = new Map();
  let current: string[] | null = null;
  for (const line of lines) {
    const here = !isAside(line) && indentOf(line) === column && line[column] !== '-';
    if (here) {
      const key = KEY.exec(line.slice(column))?.[2];
      if (key === undefined || groups.has(key)) return null;
      current = [];
      groups.set(key, current);
    } else if (current === null || (!isAside(line) && indentOf(line) < column)) {
      return null;
    }
    current.push(line.slice(Math.min(column, indentOf(line))));
  }
  return groups;
}

/** {a: b, c: [d, e]}: parted at the commas that are in no brackets and no quotes. */
function flowGroups(lines: string[]): Groups | null {
  const text = lines.map((l) => l.trim()).join(' ');
  if (!text.endsWith('}') || /(^|\s)#/.test(text)) return null;
  const groups: Groups = new Map();
  let depth = 0;
  let quote = '';
  let begin = 1;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === '\\' && quote === '"') i += 1;
      else if (c === quote) quote = '';
      continue;
    }
    if ((c === '"' || c === "'") && /[\s,:[{]/.test(text[i - 1] ?? ' ')) quote = c;
    else if (c === '{' || c === '[') depth += 1;
    const ends = (c === ',' && depth === 1) || (c === '}' && depth === 1);
    if (ends) {
      const part = text.slice(begin, i).trim();
      const key = KEY.exec(part)?.[2];
      if (part !== '' && (key === undefined || groups.has(key))) return null;
      if (key !== undefined) groups.set(key, [part]);
      begin = i + 1;
    }
    if (c === '}' || c === ']') depth -= 1;
    if (depth === 0 && i < text.length - 1) return null;
  }
  return depth === 0 && quote === '' ? groups : null;
}

/* ---- An item's lines ---- */

const OWN = ['name', 'on', 'measure', 'above', 'below', 'window', 'for', 'model', 'column', 'severity', 'notify'];

/** The comment behind a value; where quotes could hold a '#', none is looked for. */
function noteOf(lines: readonly string[]): string {
  return /^[^"'#]*?(\s+#.*)$/.exec(lines[0]!)?.[1] ?? '';
}

/** The item with the fields that the form changed; what it does not know, or did not change, stays. */
export function changedFields(groups: Groups, before: Map<string, string>, after: Map<string, string>): string[] {
  const lines: string[] = [];
  for (const [key, own] of groups) {
    const text = after.get(key);
    if (!OWN.includes(key) || (text !== undefined && text === before.get(key))) lines.push(...own);
    else lines.push(...(text === undefined ? [] : [`${key}: ${text}${noteOf(own)}`]), ...own.slice(1).filter(isAside));
  }
  for (const [key, text] of after) {
    if (!groups.has(key) && before.get(key) !== text) lines.push(`${key}: ${text}`);
  }
  return lines;
}

export function newFields(fields: Map<string, string>): string[] {
  return [...fields].map(([key, text]) => `${key}: ${text}`);
}

export function itemLines(fields: readonly string[], dash: number): string[] {
  const space = ' '.repeat(dash);
  return fields.map((line, i) => (line === '' ? '' : `${space}${i === 0 ? '- ' : '  '}${line}`));
}

/* ---- The whole text ---- */

export interface Edit {
  text: string;
  /** The line, from 1, at which the change is. */
  line: number;
}

function spliced(text: string, from: number, to: number, lines: readonly string[]): Edit {
  const all = text.split('\n');
  all.splice(from, to - from, ...lines);
  return { text: all.join('\n'), line: from + 1 };
}

export function replaceItem(text: string, item: Item, fields: readonly string[]): Edit {
  return spliced(text, item.from, item.to, itemLines(fields, item.dash));
}

/** Behind the user's last rule, which begins in `lastLine` (0: there is none). */
export function appendItem(text: string, lastLine: number, fields: readonly string[]): Edit | null {
  if (lastLine > 0) {
    const last = findItem(text, lastLine);
    return last && spliced(text, last.to, last.to, itemLines(fields, last.dash));
  }
  const lines = text.split('\n');
  const at = lines.findIndex((l) => /^rules\s*:/.test(l));
  if (at >= 0) {
    const empty = /^rules\s*:\s*\[\s*\](.*)$/.exec(lines[at]!);
    return empty && spliced(text, at, at + 1, [`rules:${empty[1]!.trimEnd()}`, ...itemLines(fields, 2)]);
  }
  const kept = text.trimEnd();
  const own = kept === '' ? [] : kept.split('\n');
  return { text: [...own, 'rules:', ...itemLines(fields, 2), ''].join('\n'), line: own.length + 2 };
}

/** Without the last rule there is no list any more: `rules:` with nothing in it is a mistake. */
export function removeItem(text: string, item: Item, isLast: boolean): Edit | null {
  const without = spliced(text, item.from, item.to, []);
  if (!isLast) return without;
  const lines = without.text.split('\n');
  const at = lines.findIndex((l) => /^rules\s*:\s*(#.*)?$/.test(l));
  if (at < 0) return null;
  return spliced(without.text, at, at + 1, lines[at]!.includes('#') ? [lines[at]!.replace(':', ': []')] : []);
}

const COMPARED_MAX = 1_000_000;

/** Lines that went (-) and came (+). */
export function changedLines(before: string, after: string): string[] {
  const [a, b] = [before, after].map((t) => t.replace(/\n$/, '').split('\n')) as [string[], string[]];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  return parted(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
}

/** By the longest common subsequence, as long as that is cheap. */
function parted(a: string[], b: string[]): string[] {
  if (a.length * b.length > COMPARED_MAX) return [...a.map((l) => `- ${l}`), ...b.map((l) => `+ ${l}`)];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j]!;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) [i, j] = [i + 1, j + 1];
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) out.push(`- ${a[i++]}`);
    else out.push(`+ ${b[j++]}`);
  }
  return out;
}

/* ---- Mistakes ---- */

export interface Mistake {
  line: number;
  column: number;
  text: string;
}

/** "line 7, column 5: above: …" → its place and its words. */
export function mistakeOf(message: string): Mistake | null {
  const found = /^line (\d+), column (\d+): ([^]*)$/.exec(message);
  return found && { line: Number(found[1]), column: Number(found[2]), text: found[3]! };
}

/** Where in the text a line begins and ends; one behind the end is the last. */
export function spanOf(text: string, line: number): [number, number] {
  const lines = text.split('\n');
  const at = Math.min(Math.max(line, 1), lines.length) - 1;
  const begin = lines.slice(0, at).reduce((sum, l) => sum + l.length + 1, 0);
  return [begin, begin + lines[at]!.length];
}
