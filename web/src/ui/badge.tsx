/* SPDX-License-Identifier: Apache-2.0 */
// A state as icon, word and colour, in that order of importance.

import type { ComponentChildren } from 'preact';
import type { Raised } from '../alerts';
import { FAILING_SHARE } from '../fleet';
import { counted, share } from '../format';
import type { Event, Revision, Severity, WatchState } from '../types';
import { Icon, type IconName } from './icon';

export type Tone = 'good' | 'notice' | 'bad' | 'quiet' | 'accent';

export function Badge({ icon, tone, children }: { icon: IconName; tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <Icon name={icon} />
      {children}
    </span>
  );
}

const WATCH: Record<WatchState, { icon: IconName; tone: Tone }> = {
  same: { icon: 'same', tone: 'good' },
  moved: { icon: 'moved', tone: 'notice' },
  drifted: { icon: 'drifted', tone: 'bad' },
  'too few rows': { icon: 'waiting', tone: 'quiet' },
  undefined: { icon: 'unwatched', tone: 'quiet' },
  unwatched: { icon: 'unwatched', tone: 'quiet' },
};

export function WatchBadge({ state }: { state: WatchState }) {
  const look = WATCH[state] ?? WATCH.unwatched;
  return <Badge icon={look.icon} tone={look.tone}>{state}</Badge>;
}

const SEVERITY: Record<Severity, { icon: IconName; tone: Tone }> = {
  critical: { icon: 'down', tone: 'bad' },
  warning: { icon: 'drifted', tone: 'notice' },
  info: { icon: 'moved', tone: 'quiet' },
};

export function SeverityBadge({ severity }: { severity: Severity }) {
  const look = SEVERITY[severity] ?? SEVERITY.warning;
  return <Badge icon={look.icon} tone={look.tone}>{severity}</Badge>;
}

export function RaisedBadge({ raised }: { raised: Raised }) {
  const look = SEVERITY[raised.worst];
  return <Badge icon={look.icon} tone={look.tone}>{counted(raised.count, 'alert')}</Badge>;
}

export function ErrorBadge({ part, requests }: { part: number; requests: number }) {
  if (requests === 0) return <Badge icon="unwatched" tone="quiet">no traffic</Badge>;
  if (part === 0) return <Badge icon="same" tone="good">{share(0)}</Badge>;
  const failing = part >= FAILING_SHARE;
  return <Badge icon={failing ? 'drifted' : 'moved'} tone={failing ? 'bad' : 'notice'}>{share(part)}</Badge>;
}

export function RevisionBadge({ revision }: { revision: Revision }) {
  if (revision.current && revision.state === 'live') return <Badge icon="same" tone="good">live</Badge>;
  switch (revision.state) {
    case 'live':
      return <Badge icon="unwatched" tone="quiet">was live</Badge>;
    case 'loading':
      return <Badge icon="waiting" tone="notice">loading</Badge>;
    case 'failed':
      return <Badge icon="down" tone="bad">failed</Badge>;
    default:
      return <Badge icon="power" tone="quiet">{revision.state}</Badge>;
  }
}

const EVENTS: [prefix: string, icon: IconName, tone: Tone][] = [
  ['deployment.failed', 'down', 'bad'],
  ['deployment.live', 'deploy', 'accent'],
  ['deployment.undeployed', 'power', 'notice'],
  ['deployment', 'waiting', 'quiet'],
  ['version', 'push', 'quiet'],
  ['alias', 'tag', 'quiet'],
  ['token', 'key', 'quiet'],
  ['alert_rules', 'tag', 'quiet'],
  ['alert', 'drifted', 'notice'],
  ['silence', 'power', 'quiet'],
  ['monitor', 'moved', 'quiet'],
  ['server', 'power', 'quiet'],
];

function isRollback(event: Event): boolean {
  const { data } = event;
  return typeof data === 'object' && data !== null && 'kind' in data && data.kind === 'rollback';
}

/** "deployment.live" → "deployment live", with its icon. */
export function EventBadge({ event }: { event: Event }) {
  const look = EVENTS.find(([prefix]) => event.kind.startsWith(prefix));
  const icon = isRollback(event) && event.kind === 'deployment.live' ? 'back' : look?.[1] ?? 'unwatched';
  return <Badge icon={icon} tone={look?.[2] ?? 'quiet'}>{event.kind.replace(/[._]/g, ' ')}</Badge>;
}

export function Chip({ children, title }: { children: ComponentChildren; title?: string }) {
  return <span class="chip" title={title}>{children}</span>;
}
