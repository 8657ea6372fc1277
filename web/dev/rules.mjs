/* SPDX-License-Identifier: Apache-2.0 */
// Alert rules for the stand-in server: of YAML it knows just the items, one field a line, that the form writes.

const MEASURES = [
  ['drift', 'psi', 'psi', false, true], ['quality', 'any', 'share', false, true], ['quality', 'missing', 'share', false, true],
  ['decay', 'evidence', '', false, true], ['metric', 'value', '', false, false], ['latency', 'p99', 'ms', true, false],
  ['latency', 'p50', 'ms', true, false], ['error_rate', 'share', 'share', true, false], ['traffic', 'gone', 'share', true, false],
  ['disk', 'free', 'share', false, false],
].map(([on, measure, unit, windowed, verdict]) => ({ on, measure, unit, windowed, verdict }));

const DEFAULTS = `rules:
  - name: drift
    on: drift
    severity: warning
  - name: decay
    on: decay
    severity: critical
  - name: error-rate
    on: error_rate
    above: 1%
    window: 5m
    for: 1m
    severity: critical
  - name: latency
    on: latency
    measure: p99
    above: 200ms
    for: 2m
    severity: warning
`;

const YOURS = `# whom all rules tell
notify: [team-chat]
notifiers:
  team-chat: {slack: "\${SLACK_URL}"}
  pager: {webhook: "https://pager.example.org/in"}
rules:
  - name: fraud-room
    on: disk
    measure: free
    below: 10%       # half a day
    model: "fraud*"
    severity: info
    labels: {team: risk}
    notify: [pager]
`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '%': 0.01, '': 1 };

class Mistake extends Error {}

function quantity(text, line, key) {
  const found = /^([\d.]+) ?(ms|s|m|h|%|)$/.exec(text);
  if (!found) throw new Mistake(`line ${line}, column 5: ${key}: '${text}' is no quantity: write 200ms or 5%`);
  return Number(found[1]) * UNITS[found[2]];
}

function ruleOf(f, line, builtin, inherited) {
  const m = MEASURES.find((one) => one.on === f.on && (f.measure === undefined || one.measure === f.measure));
  if (!f.name) throw new Mistake(`line ${line}, column 5: a rule has a name: of 1 to 128 bytes`);
  if (!m) throw new Mistake(`line ${line}, column 5: a rule says what it is on: drift, latency, …`);
  const limit = f.above ?? f.below;
  if (!m.verdict && limit === undefined) throw new Mistake(`line ${line}, column 5: a rule on ${f.on} needs a threshold: above: or below:`);
  const side = limit === undefined ? {} : { [f.above ? 'above' : 'below']: quantity(limit, line, f.above ? 'above' : 'below'), unit: m.unit };
  return {
    name: f.name, on: m.on, measure: m.measure, model: f.model ?? '', column: f.column ?? '', segment: '', ...side,
    ...(m.windowed ? { window_s: quantity(f.window ?? '5m', line, 'window') / 1000 } : {}), for_ms: quantity(f.for ?? '0s', line, 'for'),
    keep_firing_for_ms: 0, severity: f.severity ?? 'warning', builtin, line, labels: f.labels ? { is: f.labels } : {},
    notify: f.notify ? f.notify.slice(1, -1).split(',').map((n) => n.trim()).filter((n) => n !== '') : inherited,
  };
}

function readItems(yaml, builtin, inherited) {
  const rules = [];
  let fields = null;
  let first = 0;
  const end = () => fields && rules.push(ruleOf(fields, first, builtin, inherited));
  let inside = false;
  yaml.split('\n').forEach((raw, i) => {
    if (raw.includes('\t')) throw new Mistake(`line ${i + 1}, column ${raw.indexOf('\t') + 1}: this is no YAML: found a tab`);
    const text = raw.replace(/\s+#.*$/, '');
    if (/^\S/.test(text) && !text.startsWith('- ')) inside = text.startsWith('rules:');
    const field = inside && /^( *- | +)([a-z_]+): *(.*)$/.exec(text);
    if (!field) return;
    if (field[1].includes('-')) {
      end();
      fields = {};
      first = i + 1;
    }
    if (fields) fields[field[2]] = field[3].replace(/^"(.*)"$/, '$1');
  });
  end();
  return rules;
}

export class Rules {
  constructor(now) {
    this.stored = { yaml: YOURS, who: 'ana', changed_ms: now - 3_600_000 };
  }

  read(yaml) {
    const notifiers = [...yaml.matchAll(/^ {2}([\w-]+): *\{(\w+):/gm)].map(([, name, kind]) => ({ name, kind }));
    const inherited = (/^notify: *\[(.*)\]/m.exec(yaml)?.[1] ?? '').split(',').map((n) => n.trim()).filter((n) => n !== '');
    const own = readItems(yaml, false, inherited);
    const rules = [...own, ...readItems(DEFAULTS, true, inherited).filter((r) => !own.some((o) => o.name === r.name))];
    return { rules, notifiers };
  }

  /** Undefined: the path is another's. `refuse(status, text)` makes what is thrown. */
  answer(method, path, body, refuse) {
    if (/^\/api\/v1\/notifiers\/pager\/test$/.test(path)) throw refuse(422, 'pager: the receiver answered 503');
    if (/^\/api\/v1\/notifiers\/[^/]+\/test$/.test(path)) return { notifier: path.split('/')[4], sent: true, status: 200, took_ms: 210 };
    if (!path.startsWith('/api/v1/alert-rules')) return undefined;
    try {
      if (path.endsWith('/check')) return { ok: true, ...this.read(body) };
      if (method === 'PUT') {
        this.read(body);
        this.stored = { yaml: body, who: 'local', changed_ms: Date.now() };
      }
      return {
        ...this.stored, error: null, trouble: null, every_ms: 5000, commands: false, measures: MEASURES, ...this.read(this.stored.yaml),
        defaults: DEFAULTS,
      };
    } catch (failure) {
      throw failure instanceof Mistake ? refuse(400, failure.message) : failure;
    }
  }
}
