/* SPDX-License-Identifier: Apache-2.0 */
// The live feed: one server-sent event stream, opened again with growing patience when it breaks.
//
// EventSource tells neither why it failed nor that a silent connection is dead. So it is closed at
// its first error, and reopened here; a tick that is overdue counts as an error; and before each new
// attempt an ordinary request asks whether the server answers and the session still holds.

import type { Event, Tick } from './types';

export interface Source {
  addEventListener(type: string, listener: (message: { data: string }) => void): void;
  close(): void;
}

export interface Handlers {
  open(): void;
  broken(): void;
  tick(tick: Tick): void;
  change(event: Event): void;
  /** An alert began, changed or ended. */
  alert(): void;
}

export interface World {
  connect(url: string): Source;
  /** Rejects while the server does not answer. */
  probe(): Promise<unknown>;
  after(ms: number, act: () => void): number;
  cancel(timer: number): void;
  random(): number;
}

/** Ticks come every second; after this long without one the connection is given up. */
export const SILENCE_MS = 6000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;

/** Doubling, up to ten seconds, spread by a half so that many pages do not return at once. */
export function backoffMs(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return Math.round(whole * (0.5 + random / 2));
}

export class LiveStream {
  private source: Source | null = null;
  private timer = 0;
  private attempt = 0;
  private wanted = false;
  private generation = 0;

  constructor(
    private readonly url: string,
    private readonly handlers: Handlers,
    private readonly world: World,
  ) {}

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  stop(): void {
    this.wanted = false;
    this.drop();
  }

  private drop(): void {
    this.generation += 1;
    this.world.cancel(this.timer);
    this.source?.close();
    this.source = null;
  }

  private connect(): void {
    this.drop();
    const source = this.world.connect(this.url);
    const mine = this.generation;
    const guard = (act: (data: string) => void) => (message: { data: string }) => {
      if (mine === this.generation) act(message.data);
    };
    this.source = source;
    this.expectNews();
    source.addEventListener('open', guard(() => this.handlers.open()));
    source.addEventListener('error', guard(() => this.broke()));
    source.addEventListener('tick', guard((data) => {
      this.attempt = 0;
      this.expectNews();
      this.handlers.tick(JSON.parse(data) as Tick);
    }));
    source.addEventListener('change', guard((data) => {
      this.expectNews();
      this.handlers.change(JSON.parse(data) as Event);
    }));
    source.addEventListener('alert', guard(() => {
      this.expectNews();
      this.handlers.alert();
    }));
  }

  private expectNews(): void {
    this.world.cancel(this.timer);
    this.timer = this.world.after(SILENCE_MS, () => this.broke());
  }

  private broke(): void {
    this.drop();
    this.handlers.broken();
    this.retryLater();
  }

  private retryLater(): void {
    const mine = this.generation;
    this.timer = this.world.after(backoffMs(this.attempt, this.world.random()), () => {
      this.attempt += 1;
      this.world.probe().then(
        () => {
          if (this.wanted && mine === this.generation) this.connect();
        },
        () => {
          if (this.wanted && mine === this.generation) this.retryLater();
        },
      );
    });
  }
}
