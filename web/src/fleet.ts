/* SPDX-License-Identifier: Apache-2.0 */
// Which deployment needs a look first, why, and what its last two minutes were like.

import type { Raised } from './alerts';
import { counted, share } from './format';
import type { Model, TrafficPoint } from './types';

export type Health = 'down' | 'failing' | 'critical' | 'drifted' | 'alerted' | 'moved' | 'waiting' | 'well';

/** What fires, by model. */
export type AllRaised = Readonly<Record<string, Raised>>;

const QUIET: AllRaised = {};

/** Failed requests at or above this share of a minute's traffic count as failing. */
export const FAILING_SHARE = 0.01;

const ORDER: readonly Health[] = ['down', 'failing', 'critical', 'drifted', 'alerted', 'moved', 'waiting', 'well'];

export function health(model: Model, all: AllRaised = QUIET): Health {
  const raised = all[model.name];
  if (model.deployment?.state === 'down') return 'down';
  if (model.traffic.error_share >= FAILING_SHARE) return 'failing';
  if (raised?.worst === 'critical') return 'critical';
  if (model.watch.state === 'drifted') return 'drifted';
  if (raised?.worst === 'warning') return 'alerted';
  if (model.watch.state === 'moved') return 'moved';
  if (model.watch.state === 'too few rows') return 'waiting';
  return 'well';
}

export function needsAttention(model: Model, all: AllRaised = QUIET): boolean {
  return ORDER.indexOf(health(model, all)) <= ORDER.indexOf('alerted');
}

/** Worst first: health, then failed share, then drifted features, then alerts, then name. */
export function worstFirst(a: Model, b: Model, all: AllRaised = QUIET): number {
  return (
    ORDER.indexOf(health(a, all)) - ORDER.indexOf(health(b, all)) ||
    b.traffic.error_share - a.traffic.error_share ||
    b.watch.drifted - a.watch.drifted ||
    b.watch.moved - a.watch.moved ||
    (all[b.name]?.count ?? 0) - (all[a.name]?.count ?? 0) ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}

export function deployed(models: readonly Model[], all: AllRaised = QUIET): Model[] {
  return models.filter((m) => m.deployment !== null).sort((a, b) => worstFirst(a, b, all));
}

export function resting(models: readonly Model[]): Model[] {
  return models.filter((m) => m.deployment === null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The fleet in one sentence. */
export function headline(models: readonly Model[], all: AllRaised = QUIET): string {
  const live = deployed(models, all);
  if (live.length === 0) return 'Nothing is deployed yet';
  const bad = live.filter((m) => needsAttention(m, all));
  const worst = bad[0];
  if (worst === undefined) {
    if ((all['']?.count ?? 0) > 0) return `The server raised ${counted(all['']!.count, 'alert')}`;
    return live.length === 1 ? `${live[0]!.name} is well` : `All ${live.length} deployments are well`;
  }
  if (bad.length === 1) return `${worst.name} ${complaint(worst, all)}`;
  return `${bad.length} of ${live.length} deployments need a look`;
}

function complaint(model: Model, all: AllRaised): string {
  switch (health(model, all)) {
    case 'down':
      return 'is down';
    case 'failing':
      return `fails ${share(model.traffic.error_share)} of its requests`;
    case 'critical':
    case 'alerted':
      return `raised ${counted(all[model.name]!.count, 'alert')}`;
    default:
      return `has drifted in ${counted(model.watch.drifted, 'feature')}`;
  }
}

/* ---- The last two minutes, for sparklines ---- */

export const HISTORY_POINTS = 120;

/** What a model's last seconds were like; one entry a second, oldest first. */
export interface History {
  rate: (number | null)[];
  p99: (number | null)[];
  /** The totals and the time of the latest tick: the next tick's rate is the growth since then. */
  requests: number;
  at_ms: number;
}

/** Takes a tick in. The rate is exact growth, not the server's one-minute mean, so a stop shows at once. */
export function extend(history: History | undefined, model: Model, at_ms: number): History {
  const { requests, p99_ms } = model.traffic;
  if (history === undefined) return { rate: [], p99: [], requests, at_ms };
  /* The server counts in whole seconds: what came between two ticks is that many seconds' worth. */
  const seconds = Math.round((at_ms - history.at_ms) / 1000);
  if (seconds < 1) return { ...history, requests, at_ms };
  const grown = requests - history.requests;
  const perSecond = grown < 0 ? null : grown / seconds; /* the server began anew */
  const times = Math.min(seconds, HISTORY_POINTS);
  return {
    rate: [...history.rate, ...new Array<number | null>(times).fill(perSecond)].slice(-HISTORY_POINTS),
    p99: [...history.p99, ...new Array<number | null>(times).fill(p99_ms)].slice(-HISTORY_POINTS),
    requests,
    at_ms,
  };
}

/** Each value as the mean of the last few seconds, so that a line shows the trend and not the grain. */
export function calm(values: readonly (number | null)[], seconds = 5): (number | null)[] {
  return values.map((v, i) => {
    if (v === null) return null;
    const near = values.slice(Math.max(0, i - seconds + 1), i + 1).filter((x) => x !== null);
    return near.reduce((sum, x) => sum + x, 0) / near.length;
  });
}

/** A tick's p99 is the worst second's of the last minute; a past point has its own second's. */
const P99_WINDOW = 60;

/** Puts a model's past (per-second points, oldest first) before what ticks have told. */
export function seed(history: History, points: readonly TrafficPoint[]): History {
  const worst = points.map((_, i) => {
    const minute = points.slice(Math.max(0, i - P99_WINDOW + 1), i + 1);
    const known = minute.flatMap((p) => (p.p99_ms !== null ? [p.p99_ms] : []));
    return known.length > 0 ? Math.max(...known) : null;
  });
  return {
    ...history,
    rate: [...points.map((p) => p.requests), ...history.rate].slice(-HISTORY_POINTS),
    p99: [...worst, ...history.p99].slice(-HISTORY_POINTS),
  };
}
