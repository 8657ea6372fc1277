/* SPDX-License-Identifier: Apache-2.0 */
// How the server itself is doing.

import { useEffect } from 'preact/hooks';
import * as api from '../api';
import { bytes, count, duration, millis, zone } from '../format';
import { dispatch, useStore } from '../store';

const EVERY_MS = 5000;

export function refreshStatus(): Promise<void> {
  return api.status().then((status) => dispatch({ type: 'status', status }), () => undefined);
}

export function Footer() {
  const status = useStore((s) => s.status);
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (!document.hidden) void refreshStatus();
    }, EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  if (status === null) return <footer class="foot" />;
  const ort = status.onnxruntime;
  const items: [string, string][] = [
    ['up', duration(status.uptime_s)],
    ['loop lag', millis(status.loop_lag_ms)],
    ['memory', bytes(status.memory.rss_bytes)],
    ['connections', count(status.connections)],
    ['times in', zone(Date.now())],
  ];
  return (
    <footer class="foot">
      <span>slipway {status.version}</span>
      <span title={ort.why ?? undefined}>
        {ort.version !== null ? `ONNX Runtime ${ort.version}` : 'no ONNX Runtime'}
      </span>
      {items.map(([name, text]) => <span key={name} class="num">{name} {text}</span>)}
      {!status.ready && <strong>not ready</strong>}
      {status.auth === 'tokens' && (
        <button type="button" class="link" onClick={() => {
          void api.logout().catch(() => null).then(() => dispatch({ type: 'signed-out' }));
        }}>Sign out</button>
      )}
    </footer>
  );
}
