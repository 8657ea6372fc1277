/* SPDX-License-Identifier: Apache-2.0 */
// All that pages share, and the one function that changes it.

import type { Raised } from './alerts';
import { extend, seed, type History } from './fleet';
import type { Event, Model, Status, Tick, TrafficPoint } from './types';

export type Connection = 'connecting' | 'live' | 'reconnecting';

export interface Toast {
  id: string;
  text: string;
  who: string;
  kind: string;
}

export interface State {
  connection: Connection;
  signedOut: boolean;
  /** Null until the first answer. */
  models: Model[] | null;
  /** Why there is no first answer. */
  problem: string | null;
  status: Status | null;
  /** The server's clock at the latest tick: charts end here, whatever the browser's clock says. */
  now_ms: number;
  history: Record<string, History>;
  seeded: Record<string, true>;
  /** Counts a model's events, so that its page knows when to ask again. */
  changes: Record<string, number>;
  /** Events that came by the stream, newest first. */
  events: Event[];
  toasts: Toast[];
  /** Alerts that fire now, silenced ones left out. */
  firing: number;
  /** The same, by model. */
  raised: Record<string, Raised>;
  /** Counts the changes of alerts, so that pages know when to ask again. */
  alertChanges: number;
}

export const START: State = {
  connection: 'connecting',
  signedOut: false,
  models: null,
  problem: null,
  status: null,
  now_ms: 0,
  history: {},
  seeded: {},
  changes: {},
  events: [],
  toasts: [],
  firing: 0,
  raised: {},
  alertChanges: 0,
};

export type Message =
  | { type: 'connection'; connection: Connection }
  | { type: 'signed-out' }
  | { type: 'models'; models: Model[] }
  | { type: 'problem'; text: string }
  | { type: 'status'; status: Status }
  | { type: 'tick'; tick: Tick }
  | { type: 'seed'; model: string; points: TrafficPoint[] }
  /** `quiet`: no toast, since a dialog is telling the same. */
  | { type: 'change'; event: Event; quiet: boolean }
  | { type: 'toast-gone'; id: string }
  | { type: 'alert' }
  | { type: 'firing'; count: number; raised: Record<string, Raised> };

const EVENTS_KEPT = 200;
const TOASTS_SHOWN = 3;

export function reduce(state: State, message: Message): State {
  switch (message.type) {
    case 'connection':
      return reconnected(state, message.connection);
    case 'signed-out':
      return { ...state, signedOut: true };
    case 'models':
      return { ...state, models: message.models, problem: null };
    case 'problem':
      return { ...state, problem: message.text };
    case 'status':
      return { ...state, status: message.status };
    case 'tick':
      return ticked(state, message.tick);
    case 'seed':
      return seeded(state, message.model, message.points);
    case 'change':
      return changed(state, message.event, message.quiet);
    case 'alert':
      return { ...state, alertChanges: state.alertChanges + 1 };
    case 'firing':
      return { ...state, firing: message.count, raised: message.raised };
    case 'toast-gone':
      return { ...state, toasts: state.toasts.filter((t) => t.id !== message.id) };
  }
}

/** After a gap the past is asked for anew: what happened meanwhile came by no tick. */
function reconnected(state: State, connection: Connection): State {
  if (state.connection === connection) return state;
  if (connection !== 'live' || state.connection !== 'reconnecting') return { ...state, connection };
  const changes: Record<string, number> = {};
  for (const model of state.models ?? []) changes[model.name] = (state.changes[model.name] ?? 0) + 1;
  return { ...state, connection, history: {}, seeded: {}, changes, alertChanges: state.alertChanges + 1 };
}

function ticked(state: State, tick: Tick): State {
  const history: Record<string, History> = {};
  for (const model of tick.models) {
    history[model.name] = extend(state.history[model.name], model, tick.at_ms);
  }
  return { ...state, models: tick.models, problem: null, now_ms: tick.at_ms, history };
}

function seeded(state: State, model: string, points: TrafficPoint[]): State {
  const history = state.history[model];
  if (history === undefined || state.seeded[model]) return state;
  return {
    ...state,
    seeded: { ...state.seeded, [model]: true },
    history: { ...state.history, [model]: seed(history, points) },
  };
}

function changed(state: State, event: Event, quiet: boolean): State {
  if (state.events.some((e) => e.id === event.id)) return state; /* told twice, after a reconnect */
  const toast: Toast = { id: String(event.id), text: event.text, who: event.who, kind: event.kind };
  return {
    ...state,
    events: [event, ...state.events].slice(0, EVENTS_KEPT),
    changes: { ...state.changes, [event.model]: (state.changes[event.model] ?? 0) + 1 },
    toasts: quiet || event.kind.endsWith('.loading') ? state.toasts : [...state.toasts, toast].slice(-TOASTS_SHOWN),
  };
}
