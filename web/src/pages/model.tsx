/* SPDX-License-Identifier: Apache-2.0 */
// One model: what answers under its name, and the tabs that say how it fares.

import { useState } from 'preact/hooks';
import * as api from '../api';
import { engineName, versionSpec } from '../format';
import { useResource } from '../resource';
import { lastGood } from '../revisions';
import { alertsOf, modelPath, TABS, type Tab } from '../route';
import { dispatch, useStore } from '../store';
import type { Model as ModelData } from '../types';
import { Badge, Chip, RaisedBadge } from '../ui/badge';
import { Icon } from '../ui/icon';
import { Time } from '../ui/time';
import { Waiting } from '../ui/waiting';
import { DeployDialog, type Change } from './deploy';
import { Drift } from './drift';
import { EventTable } from './events';
import { Live } from './live';
import { Quality } from './quality';
import { Versions } from './versions';

const TAB_NAMES: Record<Tab, string> = { live: 'Live', drift: 'Drift', quality: 'Quality', versions: 'Versions', events: 'Events' };

function Standing({ model }: { model: ModelData }) {
  const d = model.deployment;
  const raised = useStore((s) => s.raised[model.name]);
  if (d === null) return <p class="muted">Not deployed. Newest version: {versionSpec(model.name, model.newest_version)}.</p>;
  return (
    <>
      <p class="standing">
        {d.state === 'down' ? <Badge icon="down" tone="bad">down</Badge> : <Badge icon="same" tone="good">live</Badge>}
        <span class="muted">
          since <Time at={d.live_ms} /> · revision {d.revision} by {d.who} ·{' '}
          <span title={d.engine_why ?? undefined}>{engineName(d.engine)}</span>
          {d.engine_why && <span class="why"> ({d.engine_why})</span>}
        </span>
        {raised && <a href={alertsOf(model.name)}><RaisedBadge raised={raised} /></a>}
      </p>
      {d.error && <p class="problem" role="alert">{d.error}</p>}
    </>
  );
}

function Tabs({ model, tab }: { model: ModelData; tab: Tab }) {
  const columns = useStore((s) => s.raised[model.name]?.columns ?? 0);
  const decays = useStore((s) => s.raised[model.name]?.kinds.decay ?? 0);
  const bad: Partial<Record<Tab, number>> = { drift: Math.max(model.watch.drifted, columns), quality: decays };
  return (
    <nav class="tabs" aria-label={`Views of ${model.name}`}>
      {TABS.map((t) => (
        <a key={t} href={modelPath(model.name, t)} aria-current={t === tab ? 'page' : undefined}>
          {TAB_NAMES[t]}
          {(bad[t] ?? 0) > 0 && (
            <span class="tab-count num" title={t === 'drift' ? 'columns that drifted or raised an alert' : 'alerts'}>
              <Icon name="drifted" />{bad[t]}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

function Missing({ name }: { name: string }) {
  return (
    <main id="main" tabIndex={-1} class="page">
      <header class="page-head"><h1>No model is called {name}</h1></header>
      <p class="lead">Register it with <code>slipway push {name} FILE.onnx</code>, or go back to <a href="/">the fleet</a>.</p>
    </main>
  );
}

export function Model({ name, tab, query }: { name: string; tab: Tab; query: URLSearchParams }) {
  const models = useStore((s) => s.models);
  const model = models?.find((m) => m.name === name);
  if (models === null) return <Waiting what={name} />;
  if (model === undefined) return <Missing name={name} />;
  return <Found key={name} model={model} tab={tab} query={query} />;
}

function Found({ model, tab, query }: { model: ModelData; tab: Tab; query: URLSearchParams }) {
  const changes = useStore((s) => s.changes[model.name] ?? 0);
  const versions = useResource(`versions ${model.name}`, (signal) => api.versions(model.name, signal), [changes]);
  const revisions = useResource(`revisions ${model.name}`, (signal) => api.revisions(model.name, signal), [changes]);
  const [change, setChange] = useState<Change | null>(null);
  const list = revisions.data ?? [];
  const back = lastGood(list);
  const live = model.deployment?.version ?? null;
  const newer = model.newest_version > (live ?? 0) ? model.newest_version : null;
  const refresh = (): void => {
    versions.reload();
    revisions.reload();
    api.models().then((all) => dispatch({ type: 'models', models: all }), () => undefined);
  };
  return (
    <main id="main" tabIndex={-1} class="page">
      <header class="page-head model-head">
        <div>
          <h1>{model.name}{live !== null && <span class="fleet-version num">@{live}</span>}</h1>
          <Standing model={model} />
          {model.aliases.length > 0 && (
            <p class="chips">{model.aliases.map((a) => <Chip key={a.name}>{a.name} @{a.version}</Chip>)}</p>
          )}
        </div>
        <div class="actions">
          {back && (
            <button type="button" onClick={() => setChange({ kind: 'rollback', to: back })}><Icon name="back" />Roll back</button>
          )}
          {newer !== null && (
            <button type="button" class="primary" onClick={() => setChange({ kind: 'deploy', version: newer })}>
              <Icon name="deploy" />Deploy @{newer}
            </button>
          )}
        </div>
      </header>
      <Tabs model={model} tab={tab} />
      {tab === 'live' && <Live model={model} query={query} />}
      {tab === 'drift' && <Drift model={model} query={query} />}
      {tab === 'quality' && <Quality model={model} query={query} />}
      {tab === 'versions' && (
        <Versions model={model} query={query} versions={versions} revisions={list} onChange={setChange} onDone={refresh} />
      )}
      {tab === 'events' && <EventTable model={model.name} query={query} />}
      {change && (
        <DeployDialog model={model} change={change} revisions={list} onClose={() => setChange(null)} onDone={refresh} />
      )}
    </main>
  );
}
