/* SPDX-License-Identifier: Apache-2.0 */
// The confirmation before a change of route: what answers now, what will, and how it went.

import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { counted, engineName, millis, versionSpec } from '../format';
import { currentRevision, nextRevisionNumber, rollbackChoices, tookMs } from '../revisions';
import type { EngineChoice, Model, Revision } from '../types';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Time } from '../ui/time';

export type Change =
  | { kind: 'deploy'; version: number }
  | { kind: 'rollback'; to: Revision }
  | { kind: 'undeploy' };

type Progress =
  | { step: 'asking' }
  | { step: 'busy'; since: number }
  | { step: 'done'; revision: Revision & { failed_requests?: number } }
  | { step: 'refused'; error: string };

const ENGINES: readonly { value: EngineChoice; label: string }[] = [
  { value: 'auto', label: 'chosen by the server' },
  { value: 'native', label: 'native' },
  { value: 'onnxruntime', label: 'ONNX Runtime' },
];

const SLOW_MS = 500; /* from here on the waiting is counted aloud */

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), 100);
    return () => window.clearInterval(timer);
  }, []);
  return now - since < SLOW_MS ? null : <span class="num"> {((now - since) / 1000).toFixed(1)}&nbsp;s</span>;
}

function Side({ title, model, version, revision }: {
  title: string;
  model: string;
  version: number | null;
  revision: number | null;
}) {
  return (
    <div class="route-side">
      <dt>{title}</dt>
      <dd class="num">
        <span>{version === null ? <strong>nothing</strong> : <><strong>{versionSpec(model, version)}</strong> 100&nbsp;%</>}</span>
        {revision !== null && <span class="muted">revision {revision}</span>}
      </dd>
    </div>
  );
}

function Route({ model, before, after, next }: {
  model: string;
  before: Revision | undefined;
  after: number | null;
  next: number;
}) {
  return (
    <dl class="route" aria-label="Route before and after">
      <Side title="Before" model={model} version={before?.version ?? null} revision={before?.revision ?? null} />
      <Icon name="arrow" />
      <Side title="After" model={model} version={after} revision={next} />
    </dl>
  );
}

function Outcome({ model, revision, kind }: {
  model: string;
  revision: Revision & { failed_requests?: number };
  kind: Change['kind'];
}) {
  const took = tookMs(revision) === null ? '' : ` in ${millis(tookMs(revision))}`;
  const failed = revision.failed_requests;
  return (
    <div class="outcome good-text" role="status">
      <Icon name="same" />
      <p>
        <strong class="num">
          {kind === 'undeploy'
            ? `${model} no longer answers`
            : `${versionSpec(model, revision.version)} ${kind === 'rollback' ? 'live again' : 'live'}${took}`}
        </strong>
        <span class="muted num">
          revision {revision.revision}
          {revision.engine && ` · ${engineName(revision.engine)}`}
          {failed !== undefined && ` · ${counted(failed, 'request')} failed`}
        </span>
      </p>
    </div>
  );
}

function words(kind: Change['kind']): { act: string; acting: string } {
  switch (kind) {
    case 'deploy':
      return { act: 'Deploy', acting: 'Deploying' };
    case 'rollback':
      return { act: 'Roll back', acting: 'Rolling back' };
    default:
      return { act: 'Undeploy', acting: 'Undeploying' };
  }
}

export function DeployDialog({ model, change, revisions, onClose, onDone }: {
  model: Model;
  change: Change;
  revisions: Revision[];
  onClose: () => void;
  onDone: () => void;
}) {
  /* What was shown when the question was asked stays shown, whatever ticks tell meanwhile. */
  const kept = useRef(revisions);
  if (kept.current.length === 0) kept.current = revisions; /* they had not come yet */
  const asked = kept.current;
  const [engine, setEngine] = useState<EngineChoice>('auto');
  const [to, setTo] = useState(change.kind === 'rollback' ? change.to : null);
  const [progress, setProgress] = useState<Progress>({ step: 'asking' });
  const done = useRef<HTMLButtonElement>(null);
  const before = currentRevision(asked);
  const after = change.kind === 'deploy' ? change.version : change.kind === 'rollback' ? to!.version : null;
  const { act, acting } = words(change.kind);
  const busy = progress.step === 'busy';

  useEffect(() => {
    if (progress.step === 'done') done.current?.focus();
  }, [progress.step]);

  const confirm = (): void => {
    setProgress({ step: 'busy', since: performance.now() });
    const call = change.kind === 'deploy' ? api.deploy(model.name, change.version, engine)
      : change.kind === 'rollback' ? api.rollback(model.name, to!.revision) : api.undeploy(model.name);
    call.then(
      (revision) => {
        setProgress({ step: 'done', revision });
        onDone();
      },
      (failure: unknown) => {
        setProgress({ step: 'refused', error: failure instanceof Error ? failure.message : String(failure) });
        onDone();
      },
    );
  };

  const title = change.kind === 'deploy' ? `Deploy ${versionSpec(model.name, change.version)}`
    : change.kind === 'rollback' ? `Roll back ${model.name}` : `Undeploy ${model.name}`;
  return (
    <Dialog title={title} onClose={onClose} busy={busy}>
      <Route model={model.name} before={before} after={after} next={nextRevisionNumber(asked)} />
      {progress.step === 'done' ? (
        <>
          <Outcome model={model.name} revision={progress.revision} kind={change.kind} />
          <div class="actions"><button type="button" class="primary" ref={done} onClick={onClose}>Done</button></div>
        </>
      ) : (
        <>
          {change.kind === 'deploy' && (
            <label class="field">
              <span>Engine</span>
              <select value={engine} disabled={busy} onChange={(e) => setEngine(e.currentTarget.value as EngineChoice)}>
                {ENGINES.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
              </select>
            </label>
          )}
          {change.kind === 'rollback' && (
            <RollbackTo model={model.name} choices={rollbackChoices(asked)} to={to!} busy={busy} onPick={setTo} />
          )}
          {change.kind === 'undeploy' && <p>Requests to {model.name} will be refused until a version is deployed again.</p>}
          {progress.step === 'refused' && (
            <div class="refused" role="alert">
              <p class="bad-text"><Icon name="down" /> <strong>Not done.</strong></p>
              <pre>{progress.error}</pre>
              {before && <p class="muted">{versionSpec(model.name, before.version)} keeps serving.</p>}
            </div>
          )}
          <div class="actions">
            <button type="button" onClick={onClose} disabled={busy}>Cancel</button>
            <button type="button" class={change.kind === 'undeploy' ? 'primary danger' : 'primary'}
              aria-disabled={busy} aria-busy={busy} autofocus onClick={() => { if (!busy) confirm(); }}>
              {progress.step === 'busy'
                ? <>{acting}…<Elapsed since={progress.since} /></>
                : progress.step === 'refused' ? 'Try again' : act}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function RollbackTo({ model, choices, to, busy, onPick }: {
  model: string;
  choices: Revision[];
  to: Revision;
  busy: boolean;
  onPick: (revision: Revision) => void;
}) {
  return (
    <>
      {choices.length > 1 && (
        <label class="field">
          <span>To revision</span>
          <select value={to.revision} disabled={busy} onChange={(e) => {
            const picked = choices.find((r) => String(r.revision) === e.currentTarget.value);
            if (picked) onPick(picked);
          }}>
            {choices.map((r) => <option key={r.revision} value={r.revision}>{r.revision}, {versionSpec(model, r.version)}</option>)}
          </select>
        </label>
      )}
      <p class="muted">Revision {to.revision} went live <Time at={to.live_ms} /> by {to.who}.</p>
    </>
  );
}
