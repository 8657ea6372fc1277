/* SPDX-License-Identifier: Apache-2.0 */
import { render } from 'preact';
import * as api from './api';
import { App } from './app';
import { startNavigation } from './nav';
import { get, dispatch } from './store';
import { LiveStream, type Source } from './stream';
import { refreshStatus } from './ui/footer';
import 'uplot/dist/uPlot.min.css';
import './style/base.css';
import './style/page.css';
import './style/parts.css';

/** A hidden page gives its connection back after this long: browsers allow six to a server. */
const HIDDEN_MS = 60_000;

/** Alerts often come together: lists are asked for again once for all that came this soon. */
const STORM_MS = 300;

function loadModels(): Promise<void> {
  return api.models().then((models) => dispatch({ type: 'models', models }));
}

function startStream(): void {
  let told = 0;
  const stream = new LiveStream('/api/v1/stream', {
    open: () => dispatch({ type: 'connection', connection: 'live' }),
    broken: () => dispatch({ type: 'connection', connection: 'reconnecting' }),
    tick: (tick) => dispatch({ type: 'tick', tick }),
    alert: () => {
      if (told === 0) told = window.setTimeout(() => {
        told = 0;
        dispatch({ type: 'alert' });
      }, STORM_MS);
    },
    change: (event) => dispatch({ type: 'change', event, quiet: document.querySelector('dialog[open]') !== null }),
  }, {
    connect: (url) => new EventSource(url) as unknown as Source,
    probe: () => loadModels().then(refreshStatus),
    after: (ms, act) => window.setTimeout(act, ms),
    cancel: (timer) => window.clearTimeout(timer),
    random: Math.random,
  });
  stream.start();
  let hidden = 0;
  const rest = (): void => {
    stream.stop();
    dispatch({ type: 'connection', connection: 'reconnecting' });
  };
  document.addEventListener('visibilitychange', () => {
    window.clearTimeout(hidden);
    if (document.hidden) hidden = window.setTimeout(rest, HIDDEN_MS);
    else stream.start();
  });
}

startNavigation();
render(<App />, document.getElementById('app')!);
loadModels().catch((failure: unknown) => {
  dispatch({ type: 'problem', text: failure instanceof Error ? failure.message : String(failure) });
}).finally(() => {
  if (!get().signedOut) startStream();
});
void refreshStatus();
