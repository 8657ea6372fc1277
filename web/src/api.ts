/* SPDX-License-Identifier: Apache-2.0 */
// The public HTTP API, and nothing but it.

import { dispatch } from './store';
import type {
  Alert, AlertRules, Alias, Column, Delivery, DriftReport, EngineChoice, Event, Heatmap, Model, Quality, Revision, RulesRead,
  Silence, Status, Traffic, Version, Watch,
} from './types';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: unknown,
  ) {
    super(message);
  }
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' }, credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    const text = typeof body === 'string'; /* rules are YAML, all else is JSON */
    init.body = text ? body : JSON.stringify(body);
    init.headers = { ...init.headers, 'Content-Type': text ? 'application/yaml' : 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (failure) {
    if (signal?.aborted) throw failure;
    throw new ApiError(0, 'The server does not answer. Is slipway serve still running?', null);
  }
  const text = await response.text();
  const answer: unknown = text === '' ? null : parse(text);
  if (response.ok) return answer as T;
  if (response.status === 401) dispatch({ type: 'signed-out' });
  throw new ApiError(response.status, errorText(answer, response), answer);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function errorText(answer: unknown, response: Response): string {
  if (typeof answer === 'object' && answer !== null && 'error' in answer && typeof answer.error === 'string') {
    return answer.error;
  }
  if (typeof answer === 'string' && answer.length > 0 && answer.length < 500) return answer;
  return `The server answered ${response.status} ${response.statusText}`.trimEnd();
}

const of = (model: string): string => `/api/v1/models/${encodeURIComponent(model)}`;

export const status = (): Promise<Status> => call('GET', '/api/v1/status');

export const models = (): Promise<Model[]> =>
  call<{ models: Model[] }>('GET', '/api/v1/models').then((a) => a.models);

export const versions = (model: string, signal?: AbortSignal): Promise<Version[]> =>
  call<{ versions: Version[] }>('GET', `${of(model)}/versions`, undefined, signal).then((a) => a.versions);

export const revisions = (model: string, signal?: AbortSignal): Promise<Revision[]> =>
  call<{ revisions: Revision[] }>('GET', `${of(model)}/deployments`, undefined, signal).then((a) => a.revisions);

export const traffic = (model: string, minutes: number, signal?: AbortSignal): Promise<Traffic> =>
  call('GET', `${of(model)}/traffic?minutes=${minutes}`, undefined, signal);

const versioned = (model: string, what: string, version: string, more: Record<string, string>): string =>
  `${of(model)}/${what}?${new URLSearchParams(Object.entries({ version, ...more }).filter(([, text]) => text !== ''))}`;

/** Only what a bin has is sent: bounds, or a label. */
function whole(column: Column): Column {
  return {
    ...column,
    bins: (column.bins ?? []).map((b) => ({ ...b, from: b.from ?? null, to: b.to ?? null, label: b.label ?? '' })),
  };
}

/** `to_ms` empty: up to now. */
export const watch = (
  model: string, version: string, minutes: number, segment: string, to_ms: string, signal?: AbortSignal,
): Promise<Watch> =>
  call<Watch>('GET', versioned(model, 'watch', version,
    { minutes: String(minutes), segment, ...(to_ms === '' ? {} : { to_ms }) }), undefined, signal)
    .then((w) => ({ ...w, features: (w.features ?? []).map(whole), outputs: (w.outputs ?? []).map(whole) }));

export function events(
  model: string, before: string, limit: number, signal?: AbortSignal,
): Promise<{ events: Event[]; more: boolean }> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (model !== '') query.set('model', model);
  if (before !== '') query.set('before', before);
  return call('GET', `/api/v1/events?${query}`, undefined, signal);
}

export const heatmap = (
  model: string, version: string, hours: number, segment: string, signal?: AbortSignal,
): Promise<Heatmap> =>
  call('GET', versioned(model, 'heatmap', version, { hours: String(hours), segment }), undefined, signal);

export const drift = (model: string, version: string, segment: string, signal?: AbortSignal): Promise<DriftReport> =>
  call('GET', versioned(model, 'drift', version, { segment }), undefined, signal);

export const quality = (
  model: string, version: string, hours: number, steps: number, signal?: AbortSignal,
): Promise<Quality> =>
  call('GET', versioned(model, 'quality', version, { hours: String(hours), steps: String(steps) }),
    undefined, signal);

/* ---- Alerts ---- */

export function alerts(
  state: string, limit: number, signal?: AbortSignal, model = '',
): Promise<{ alerts: Alert[]; more: boolean }> {
  const query = new URLSearchParams({ state, limit: String(limit) });
  if (model !== '') query.set('model', model);
  return call('GET', `/api/v1/alerts?${query}`, undefined, signal);
}

export const alert = (id: number, signal?: AbortSignal): Promise<Alert> =>
  call('GET', `/api/v1/alerts/${id}`, undefined, signal);

/** Newest first; `alertId` 0: of all alerts. */
export const deliveries = (alertId: number, limit: number, signal?: AbortSignal): Promise<Delivery[]> =>
  call<{ deliveries: Delivery[] }>('GET', `/api/v1/deliveries?limit=${limit}${alertId > 0 ? `&alert=${alertId}` : ''}`, undefined, signal)
    .then((a) => a.deliveries);

export const acknowledge = (id: number, note: string): Promise<Alert> =>
  call('POST', `/api/v1/alerts/${id}/acknowledge`, { note });

export const silences = (signal?: AbortSignal): Promise<Silence[]> =>
  call<{ silences: Silence[] }>('GET', '/api/v1/silences', undefined, signal).then((a) => a.silences);

export const silence = (matchers: string[], until_ms: number, why: string): Promise<Silence> =>
  call('POST', '/api/v1/silences', { matchers, until_ms, why });

export const unsilence = (id: number): Promise<null> => call('DELETE', `/api/v1/silences/${id}`);

/* ---- Alert rules ---- */

export const alertRules = (signal?: AbortSignal): Promise<AlertRules> => call('GET', '/api/v1/alert-rules', undefined, signal);

/** What the text would put in force; fails with the place of a mistake. */
export const checkRules = (yaml: string): Promise<RulesRead> => call('POST', '/api/v1/alert-rules/check', yaml);

export const applyRules = (yaml: string): Promise<AlertRules> => call('PUT', '/api/v1/alert-rules', yaml);

/** Checking needs the same scope as applying, and changes nothing: so one can know beforehand. */
export const mayChangeRules = (): Promise<boolean> =>
  checkRules('').then(() => true, (failure: unknown) => {
    if (failure instanceof ApiError && failure.status === 403) return false;
    throw failure;
  });

export const testNotifier = (name: string): Promise<{ status: number; took_ms: number }> =>
  call('POST', `/api/v1/notifiers/${encodeURIComponent(name)}/test`);

/* ---- Changes ---- */

export const deploy = (model: string, version: number, engine: EngineChoice): Promise<Revision> =>
  call('POST', `${of(model)}/deployments`, { version: String(version), engine });

export const rollback = (model: string, to: number): Promise<Revision & { failed_requests: number }> =>
  call('POST', `${of(model)}/rollback`, { to });

export const undeploy = (model: string): Promise<Revision> => call('DELETE', `${of(model)}/deployments`);

export const setAlias = (model: string, alias: string, version: number): Promise<Alias> =>
  call('PUT', `${of(model)}/aliases/${encodeURIComponent(alias)}`, { version: String(version) });

export const removeAlias = (model: string, alias: string): Promise<null> =>
  call('DELETE', `${of(model)}/aliases/${encodeURIComponent(alias)}`);

export const logout = (): Promise<null> => call('POST', '/api/v1/logout');
