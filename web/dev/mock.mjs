/* SPDX-License-Identifier: Apache-2.0 */
// A stand-in for the server, to work on the dashboard without one: same API, made-up data, in memory.
//
//   node dev/mock.mjs [--dist DIR] [--port 8090] [--empty] [--signed-out] [--drop-stream SECONDS]
//
// Deploys, rollbacks and aliases work; fraud@4 is always refused by its check.

import { createServer } from 'node:http';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Alerts, driftJson, heatmapJson, qualityJson } from './monitoring.mjs';
import { Rules } from './rules.mjs';
import { Series, bins, hash01 } from './shapes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const flag = (name) => process.argv.includes(`--${name}`);
const option = (name, other) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : other;
};

const dist = option('dist', join(here, '../dist'));
const port = Number(option('port', '8090'));
const started = Date.now();
const alerts = new Alerts(started);
const rules = new Rules(started);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/* ---- The registry ---- */

const FRAUD_FEATURES = [
  ['amount', 0.31], ['hour', 0.13], ['country', 0.02, ['de', 'fr', 'nl', 'pl', 'es', 'it', 'at', 'other']],
  ['device_age_days', null], ['merchant_risk', 0.24], ['card_present', 0.01, ['yes', 'no']],
  ['velocity_1h', 0.16], ['velocity_24h', 0.05], ['distance_km', 0.04], ['account_age_days', 0.03],
  ['avg_amount_30d', 0.06], ['declined_7d', 0.02], ['channel', 0.01, ['web', 'app', 'store', 'phone']],
  ['currency', 0.0, ['eur', 'usd', 'gbp', 'pln']], ['ip_risk', 0.08], ['email_age_days', 0.03],
];
const PLAIN = (names) => names.map((n, i) => [n, 0.01 + (i % 5) * 0.012]);

function signature(features) {
  return {
    inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, features.length], dim_names: ['rows', ''] }],
    outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
    features: features.map(([name, , categories], column) => ({
      name, input: 'input', column, kind: categories ? 'category' : 'numeric',
      ...(categories ? { categories } : { min: 0, max: Math.round(40 + hash01(name) * 900) }),
    })),
  };
}

const models = new Map();
const events = [];
let nextEvent = 1;

function addEvent(kind, model, who, text, data = {}, at_ms = Date.now()) {
  const event = { id: nextEvent++, at_ms, kind, model, who, text, data };
  events.unshift(event);
  broadcast('change', event);
  return event;
}

function addModel(name, { features, versions, rate, p50, errors = 0, drifting = false, rows = null, down = null, age_ms }) {
  const model = {
    name, created_ms: started - age_ms, features, aliases: new Map(), versions: [], revisions: [], drifting, down, rows,
    series: new Series(name, { rate, p50, errors, now: started }), live: null, undeployed: false,
  };
  models.set(name, model);
  for (let v = 1; v <= versions; v += 1) {
    const created_ms = model.created_ms + (v - 1) * HOUR * 20;
    const note = v === 1 ? '' : ['', 'more depth, new merchants', 'retrained on October', 'calibrated'][v - 1] ?? '';
    model.versions.push({
      version: v, created_ms, who: v % 2 ? 'ana' : 'ci', note,
      sha256: createHash('sha256').update(`${name}${v}`).digest('hex'), size: 347_210 + v * 18_400,
      profile: rows === null ? null : { hash: createHash('sha256').update(name).digest('hex'), rows: 48_000 }, check: v > 1,
    });
    addEvent('version.pushed', name, v % 2 ? 'ana' : 'ci', `${name}@${v} pushed, ${features.length} features`, { version: v }, created_ms);
  }
  return model;
}

function addRevision(model, fields) {
  const at = fields.at_ms ?? Date.now();
  const revision = {
    model: model.name, revision: model.revisions.length + 1, version: fields.version, state: fields.state ?? 'live', current: false,
    kind: fields.kind ?? 'deploy', equals: fields.equals ?? null, rolled_back_from: fields.from ?? null,
    engine: fields.engine ?? engineOf(model), engine_why: whyOf(model), error: fields.error ?? null, who: fields.who ?? 'local',
    created_ms: at, live_ms: fields.state && fields.state !== 'live' ? null : at, took_ms: fields.took_ms ?? null,
  };
  model.revisions.unshift(revision);
  if (revision.state === 'live' || revision.state === 'undeployed') {
    for (const r of model.revisions) r.current = false;
    revision.current = true;
    model.live = revision.state === 'live' ? revision : null;
  }
  return revision;
}

const engineOf = (model) => (model.name === 'churn' ? 'native' : 'onnxruntime');
const whyOf = (model) => (model.name === 'churn' ? 'linear: Gemm, Sigmoid' : 'TreeEnsembleClassifier is not linear');

function furnish() {
  const fraud = addModel('fraud', { features: FRAUD_FEATURES, versions: 4, rate: 2114, p50: 0.21, errors: 0.0004, drifting: true, rows: 31_000, age_ms: 82 * HOUR });
  const churn = addModel('churn', { features: PLAIN(['tenure', 'monthly', 'tickets', 'logins', 'age', 'plan_price']), versions: 2, rate: 312, p50: 0.09, rows: 4600, age_ms: 50 * HOUR });
  const eta = addModel('delivery-eta', { features: PLAIN(['distance', 'stops', 'weight', 'hour']), versions: 3, rate: 48, p50: 1.9, errors: 0.023, rows: 2100, age_ms: 71 * HOUR });
  const fresh = addModel('house-prices', { features: PLAIN(['area', 'rooms', 'year', 'lot']), versions: 1, rate: 0.4, p50: 0.4, rows: 212, age_ms: 2 * HOUR });
  addModel('vision-draft', { features: [], versions: 1, rate: 0, p50: 1, age_ms: 1 * HOUR });
  const ranker = addModel('ranker', { features: PLAIN(['score', 'clicks']), versions: 1, rate: 740, p50: 0.6, age_ms: 26 * HOUR });
  for (const [model, list] of [
    [fraud, [[1, 60 * HOUR], [2, 25 * HOUR], [3, 9 * MINUTE]]], [churn, [[1, 40 * HOUR], [2, 30 * HOUR]]],
    [eta, [[2, 50 * HOUR], [3, 3 * HOUR]]], [fresh, [[1, 2 * HOUR]]], [ranker, [[1, 26 * HOUR]]],
  ]) {
    for (const [version, ago] of list) {
      const r = addRevision(model, { version, at_ms: started - ago, took_ms: 12 + version * 7.4, who: 'ana' });
      addEvent('deployment.live', model.name, 'ana', `${model.name}@${version} live as revision ${r.revision}`, {}, started - ago);
    }
  }
  fraud.aliases.set('champion', 3);
  fraud.aliases.set('challenger', 4);
  churn.aliases.set('champion', 2);
  addEvent('alias.moved', 'fraud', 'ana', 'champion of fraud: fraud@2 → fraud@3', {}, started - 8 * MINUTE);
  for (let i = 0; i < 60; i += 1) {
    addEvent('server.started', '', 'local', 'slipway 0.1.0 started', {}, started - (90 + i * 7) * HOUR);
  }
  events.sort((a, b) => b.at_ms - a.at_ms);
}

/* ---- What the API answers ---- */

function versionJson(model, v) {
  return {
    model: model.name, version: v.version, created_ms: v.created_ms, who: v.who, note: v.note,
    artifact: { sha256: v.sha256, size_bytes: v.size }, signature: signature(model.features), profile: v.profile, check: v.check,
    aliases: [...model.aliases].filter(([, n]) => n === v.version).map(([name]) => name), live: model.live?.version === v.version,
  };
}

function columnJson(model, [name, psi, categories], rows) {
  const few = psi === null || rows < 500;
  const seen = psi === null ? 212 : rows;
  const real = model.drifting ? psi ?? 0.05 : Math.min(psi ?? 0, 0.06);
  const shape = bins(name, real, categories);
  const state = few ? 'too few rows' : real >= 0.2 ? 'drifted' : real >= 0.1 ? 'moved' : 'same';
  return {
    name, kind: categories ? 'category' : 'numeric', state, psi: few ? null : real, rows: seen,
    missing_share: name === 'ip_risk' ? 0.043 : 0, out_of_range_share: real >= 0.2 ? 0.031 : name === 'hour' ? 0 : 0.0004,
    reference_missing_share: name === 'ip_risk' ? 0.041 : 0, median: categories ? null : shape.median,
    reference_median: categories ? null : shape.reference_median, bins: shape.bins,
  };
}

/** Outputs have no reference: they are shown, not judged. */
function outputJson(column) {
  return {
    ...column, state: 'unwatched', why: 'outputs have no reference: they are shown, not judged', psi: null, out_of_range_share: null,
    reference_missing_share: null, reference_median: null, bins: column.bins.map((b) => ({ ...b, reference_share: null })),
  };
}

function watchJson(model, version, minutes) {
  if (model.rows === null) {
    return { model: model.name, version, window_minutes: minutes, rows: 0, state: 'unwatched', rows_min: 500, features: [], outputs: [] };
  }
  const rows = model.name === 'house-prices' ? 212 : model.rows;
  const features = model.features.map((f) => columnJson(model, f, rows));
  const outputs = [outputJson(columnJson(model, ['probabilities[1]', 0.05], rows))];
  const worst = ['drifted', 'moved', 'too few rows'].find((s) => features.some((c) => c.state === s)) ?? 'same';
  return { model: model.name, version, window_minutes: minutes, rows, state: rows < 500 ? 'too few rows' : worst, rows_min: 500, features, outputs };
}

function modelJson(model) {
  const watch = watchJson(model, 0, 15);
  const count = (state) => watch.features.filter((c) => c.state === state).length;
  const live = model.live;
  return {
    name: model.name, created_ms: model.created_ms, newest_version: model.versions.length,
    aliases: [...model.aliases].map(([name, version]) => ({ name, version })),
    deployment: live && {
      revision: live.revision, version: live.version, kind: live.kind, who: live.who, live_ms: live.live_ms, engine: live.engine,
      engine_why: live.engine_why, state: 'live', error: null,
    },
    traffic: live ? model.series.summary(Date.now())
      : { requests_per_s: 0, p50_ms: null, p99_ms: null, error_share: 0, requests: 0, failures: 0 },
    watch: { state: watch.state, rows: watch.rows, features: watch.features.length, drifted: count('drifted'), moved: count('moved'), too_few: count('too few rows') },
  };
}

function statusJson() {
  return {
    name: 'slipway', version: '0.1.0', started_ms: started, uptime_s: (Date.now() - started) / 1000 + 11_520, ready: true,
    listen: `127.0.0.1:${port}`, loops: 2, connections: 14, onnxruntime: { version: '1.30.0', why: null },
    memory: { rss_bytes: 42_300_000 + Math.round(1e6 * Math.random()) }, loop_lag_ms: 0.02 + Math.random() * 0.08,
    auth: flag('signed-out') ? 'tokens' : 'open',
  };
}

const allModels = () => [...models.values()].map(modelJson);

/* ---- Changes ---- */

class Refusal extends Error {
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function resolve(model, spec) {
  const version = spec === '' ? model.versions.length : model.aliases.get(spec.replace('@', '')) ?? Number(spec);
  if (!model.versions.some((v) => v.version === version)) {
    throw new Refusal(404, `${model.name}@${spec} does not exist: the newest version is ${model.name}@${model.versions.length}. See: slipway versions ${model.name}`);
  }
  return version;
}

async function deploy(model, body) {
  const version = resolve(model, String(body.version ?? ''));
  addEvent('deployment.loading', model.name, 'local', `${model.name}@${version} loading as revision ${model.revisions.length + 1}`, { version });
  await wait(model.name === 'fraud' && version === 4 ? 900 : 120);
  if (model.name === 'fraud' && version === 4) {
    const error = 'fraud@4 disagrees with its check on 3 of 200 rows, beyond a tolerance of 1e-05:\n'
      + '  row 17: score 0.9132, the training code made 0.4711\n  row 58: score 0.1093, the training code made 0.1101\n'
      + '  row 141: score 0.7730, the training code made 0.7712\nPush it again from the code that made the check, or without --check.';
    const revision = addRevision(model, { version, state: 'failed', error, took_ms: 48.2 });
    addEvent('deployment.failed', model.name, 'local', `${model.name}@${version} refused: its check disagrees on 3 of 200 rows`);
    throw new Refusal(422, error, { revision });
  }
  const engine = body.engine && body.engine !== 'auto' ? body.engine : undefined;
  const revision = addRevision(model, { version, engine, took_ms: 31.4 });
  model.series.mark(`${model.name}@${version} live`, 'deployment.live');
  addEvent('deployment.live', model.name, 'local', `${model.name}@${version} live as revision ${revision.revision}`, { version, kind: 'deploy' });
  return { ...revision, failed_requests: 0 };
}

async function rollback(model, body) {
  await wait(30);
  const target = model.revisions.find((r) => (body.to ? r.revision === body.to : r.state === 'live' && !r.current));
  if (!target || !model.live) throw new Refusal(404, `${model.name} has no revision to go back to. See: slipway versions ${model.name}`);
  const revision = addRevision(model, { version: target.version, kind: 'rollback', equals: target.revision, from: model.live.revision, took_ms: 2.1 });
  model.series.mark(`${model.name}@${target.version} live again`, 'deployment.live');
  addEvent('deployment.live', model.name, 'local', `${model.name}@${target.version} live again as revision ${revision.revision}`, { kind: 'rollback' });
  return { ...revision, failed_requests: 0 };
}

function undeploy(model) {
  const revision = addRevision(model, { version: 0, kind: 'undeploy', state: 'undeployed', took_ms: 1.2 });
  addEvent('deployment.undeployed', model.name, 'local', `${model.name} undeployed as revision ${revision.revision}`);
  return revision;
}

function setAlias(model, alias, body) {
  if (!/^[A-Za-z0-9][\w.-]{0,127}$/.test(alias)) {
    throw new Refusal(400, `"${alias}" is no name: use letters, digits, '_', '-' and '.', beginning with a letter or digit`);
  }
  const version = resolve(model, String(body.version));
  model.aliases.set(alias, version);
  addEvent('alias.moved', model.name, 'local', `${alias} of ${model.name} → ${model.name}@${version}`);
  return { name: alias, version };
}

/* ---- HTTP ---- */

const listeners = new Set();

function broadcast(event, data) {
  for (const response of listeners) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function eventsJson(query) {
  const limit = Number(query.get('limit') ?? 50);
  let list = events.filter((e) => !query.get('model') || e.model === query.get('model'));
  const before = query.get('before');
  if (before) list = list.slice(list.findIndex((e) => String(e.id) === before) + 1);
  return { events: list.slice(0, limit), more: list.length > limit };
}

async function modelApi(method, model, parts, query, body) {
  const [kind, name] = parts;
  const minutes = Number(query.get('minutes') ?? 15);
  switch (`${method} ${kind ?? ''}`) {
    case 'GET ': return modelJson(model);
    case 'GET versions': return { versions: [...model.versions].reverse().map((v) => versionJson(model, v)) };
    case 'GET deployments': return { revisions: model.revisions };
    case 'GET traffic': return model.series.traffic(minutes, Date.now(), model.live !== null);
    case 'GET watch': return watchJson(model, Number(query.get('version') || model.live?.version || 1), minutes);
    case 'GET heatmap': return heatmapJson(model, Number(query.get('version')), Number(query.get('hours') ?? 24), Date.now());
    case 'GET drift': return driftJson(model, Number(query.get('version')), Date.now());
    case 'GET quality':
      return qualityJson(model, Number(query.get('version')), Number(query.get('hours') ?? 24), Date.now());
    case 'POST deployments': return deploy(model, body);
    case 'POST rollback': return rollback(model, body);
    case 'DELETE deployments': return undeploy(model);
    case 'PUT aliases': return setAlias(model, name, body);
    case 'DELETE aliases':
      model.aliases.delete(name);
      addEvent('alias.removed', model.name, 'local', `${name} of ${model.name} removed`);
      return null;
    default: throw new Refusal(405, `${method} is not known here`);
  }
}

async function api(method, path, query, body) {
  if (flag('signed-out')) throw new Refusal(401, 'Sign in first: open the link that `slipway serve` printed');
  if (path === '/api/v1/status') return statusJson();
  if (path === '/api/v1/models') return { models: allModels() };
  if (path === '/api/v1/events') return eventsJson(query);
  const told = rules.answer(method, path, body, (status, text) => new Refusal(status, text))
    ?? (flag('empty') ? undefined : alerts.answer(method, path, query, body));
  if (told !== undefined) return told;
  const match = /^\/api\/v1\/models\/([^/]+)(?:\/(.+))?$/.exec(path);
  const model = match && models.get(decodeURIComponent(match[1]));
  if (!model) throw new Refusal(404, `${path} does not exist`);
  return modelApi(method, model, (match[2] ?? '').split('/').filter(Boolean).map(decodeURIComponent), query, body);
}

function files() {
  const byUrl = new Map();
  for (const line of readFileSync(join(dist, 'manifest.txt'), 'utf8').trim().split('\n')) {
    const [url, type, file] = line.split('\t');
    byUrl.set(url, { type, file });
  }
  return byUrl;
}

function serveFile(request, response, path) {
  const known = files();
  const html = (request.headers.accept ?? '').includes('text/html');
  const file = known.get(path) ?? (html ? known.get('/') : undefined);
  if (!file) return send(response, 404, { error: `${path} does not exist` });
  response.writeHead(200, {
    'Content-Type': `${file.type}; charset=utf-8`, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  });
  response.end(readFileSync(join(dist, file.file)));
}

function send(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(body === null ? '' : JSON.stringify(body));
}

function openStream(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(`event: tick\ndata: ${JSON.stringify({ models: allModels(), at_ms: Date.now() })}\n\n`);
  listeners.add(response);
  request.on('close', () => listeners.delete(response));
  const drop = Number(option('drop-stream', '0'));
  if (drop > 0) setTimeout(() => response.destroy(), drop * 1000);
}

async function bodyOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  if ((request.headers['content-type'] ?? '').includes('yaml')) return text;
  return text === '' ? {} : JSON.parse(text);
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  if (request.method === 'POST' && url.pathname.endsWith('/predict')) return send(response, 200, { predictions: [] });
  if (!url.pathname.startsWith('/api/')) return serveFile(request, response, url.pathname);
  if (url.pathname === '/api/v1/stream' && !flag('signed-out')) return openStream(request, response);
  try {
    const result = await api(request.method, url.pathname, url.searchParams, await bodyOf(request));
    return send(response, result === null ? 204 : 200, result);
  } catch (failure) {
    if (!(failure instanceof Refusal)) throw failure;
    return send(response, failure.status, { error: failure.message, ...failure.more });
  }
}

if (!flag('empty')) furnish();
else addEvent('server.started', '', 'local', `slipway 0.1.0 started (${randomUUID().slice(0, 4)})`);
setInterval(() => broadcast('tick', { models: allModels(), at_ms: Date.now() }), 1000);
createServer((request, response) => {
  answer(request, response).catch((failure) => {
    console.error(failure);
    response.destroy();
  });
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`));
