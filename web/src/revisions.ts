/* SPDX-License-Identifier: Apache-2.0 */
// What a deployment's revisions say: which one answers, where a rollback leads, what served a version.

import type { Revision, Version } from './types';

export function currentRevision(revisions: readonly Revision[]): Revision | undefined {
  return revisions.find((r) => r.current && r.state === 'live');
}

export function nextRevisionNumber(revisions: readonly Revision[]): number {
  return revisions.reduce((newest, r) => Math.max(newest, r.revision), 0) + 1;
}

/** The deploy that a revision goes back to by way of rollbacks, or itself. */
function root(revision: Revision, byNumber: ReadonlyMap<number, Revision>): Revision {
  let at = revision;
  while (at.kind === 'rollback' && at.equals && at.equals < at.revision) {
    const earlier = byNumber.get(at.equals);
    if (earlier === undefined) break;
    at = earlier;
  }
  return at;
}

interface Past {
  /** Deploys that went live and were not left by a rollback; the newest last. */
  stack: Revision[];
  /** Whether the newest of them answers, rather than nothing. */
  answers: boolean;
}

/**
 * Replays the past as the server does. A deploy that goes live is put on a stack; a rollback takes away what
 * lies above the one that it goes back to; an undeploy takes nothing away.
 */
function replay(revisions: readonly Revision[]): Past {
  const byNumber = new Map(revisions.map((r) => [r.revision, r]));
  const past: Past = { stack: [], answers: false };
  for (const r of [...revisions].sort((a, b) => a.revision - b.revision)) {
    if (r.state !== 'live' && r.state !== 'undeployed') continue;
    past.answers = r.state === 'live';
    if (r.state === 'undeployed') continue;
    if (r.kind !== 'rollback') {
      past.stack.push(r);
      continue;
    }
    const target = root(r, byNumber);
    const place = past.stack.lastIndexOf(target);
    if (place >= 0) past.stack.length = place + 1;
    else past.stack.splice(Math.max(0, past.stack.length - 1), 1, target);
  }
  return past;
}

/** Where a plain rollback goes: the newest earlier deploy that went live and was not left by a rollback. */
export function lastGood(revisions: readonly Revision[]): Revision | undefined {
  const { stack, answers } = replay(revisions);
  return stack[stack.length - (answers ? 2 : 1)];
}

/** What a rollback may go to, newest first: every deploy that went live, but for the one that answers. */
export function rollbackChoices(revisions: readonly Revision[]): Revision[] {
  const { stack, answers } = replay(revisions);
  const top = answers ? stack[stack.length - 1] : undefined;
  return revisions
    .filter((r) => r.state === 'live' && r.kind !== 'rollback' && r !== top)
    .sort((a, b) => b.revision - a.revision);
}

/** The engine that served a version last, if it is known: "auto" is what was wished, not what was. */
export function engineOf(version: Version, revisions: readonly Revision[]): Revision | undefined {
  return [...revisions]
    .sort((a, b) => b.revision - a.revision)
    .find((r) => r.version === version.version && r.state === 'live' && Boolean(r.engine) && r.engine !== 'auto');
}

/** How long it took to go live. */
export function tookMs(revision: Revision): number | null {
  if (typeof revision.took_ms === 'number') return revision.took_ms;
  return revision.state === 'live' && revision.live_ms ? revision.live_ms - revision.created_ms : null;
}
