/* SPDX-License-Identifier: Apache-2.0 */
// A model's versions with all that is known of each, and its revisions: what answered when.

import { useState } from 'preact/hooks';
import { bytes, count, counted, engineName, millis, NONE, value, versionSpec } from '../format';
import { setQuery } from '../nav';
import type { Resource } from '../resource';
import { engineOf, rollbackChoices, tookMs } from '../revisions';
import type { Feature, Model, Revision, Tensor, Version } from '../types';
import { Badge, Chip, RevisionBadge } from '../ui/badge';
import { Problem } from '../ui/choice';
import { Icon } from '../ui/icon';
import { Time } from '../ui/time';
import { AliasDialog } from './alias';
import type { Change } from './deploy';

const REVISIONS_SHOWN = 10;
const TENSORS_SHOWN = 8; /* a model of many inputs of one column each names them among its features */

/** No profile is made of no rows: 0 is a server that does not count them in a list. */
function ProfileRows({ rows }: { rows: number }) {
  return rows > 0 ? <>{count(rows)}<span class="sub">rows</span></> : <Badge icon="same" tone="quiet">yes</Badge>;
}

function Row({ version, revisions, model, open, onChange, onAlias }: {
  version: Version;
  revisions: Revision[];
  model: Model;
  open: boolean;
  onChange: (change: Change) => void;
  onAlias: () => void;
}) {
  const engine = engineOf(version, revisions);
  const spec = versionSpec(model.name, version.version);
  return (
    <tr class="row">
      <th scope="row">
        <button type="button" class="disclose num" aria-expanded={open}
          aria-label={`Signature of ${spec}`}
          onClick={() => setQuery({ show: open ? '' : String(version.version) })}>
          <Icon name="chevron" />@{version.version}
        </button>
        {version.live && <Badge icon="same" tone="good">live</Badge>}
      </th>
      <td data-label="Created">
        <Time at={version.created_ms} />
        <span class="sub">by {version.who}</span>
        {version.note !== '' && <span class="sub note">{version.note}</span>}
      </td>
      <td data-label="Size" class="num">
        {version.artifact ? (
          <>
            {bytes(version.artifact.size_bytes)}
            <span class="sub mono" title={`SHA-256 ${version.artifact.sha256}`}>{version.artifact.sha256.slice(0, 8)}</span>
          </>
        ) : (
          <span class="muted">served elsewhere</span>
        )}
      </td>
      <td data-label="Features" class="num">{count(version.signature.features.length)}</td>
      <td data-label="Profile" class="num">
        {version.profile ? <ProfileRows rows={version.profile.rows} /> : <span class="muted">none</span>}
      </td>
      <td data-label="Check">{version.check ? <Badge icon="same" tone="quiet">yes</Badge> : <span class="muted">none</span>}</td>
      <td data-label="Engine">
        {engine ? <span title={engine.engine_why ?? undefined}>{engineName(engine.engine)}</span> : <span class="muted">{NONE}</span>}
      </td>
      <td data-label="Aliases">
        <span class="chips">
          {version.aliases.map((a) => <Chip key={a}>{a}</Chip>)}
          <button type="button" class="chip-button" onClick={onAlias} aria-label={`Set an alias for ${spec}`}>
            <Icon name="plus" />alias
          </button>
        </span>
      </td>
      <td class="row-action">
        {version.live
          ? <button type="button" class="quiet" onClick={() => onChange({ kind: 'undeploy' })}>Undeploy…</button>
          : <button type="button" onClick={() => onChange({ kind: 'deploy', version: version.version })}>
              Deploy<span class="visually-hidden"> {spec}</span>
            </button>}
      </td>
    </tr>
  );
}

function shapeText(t: Tensor): string {
  const dims = t.shape.map((d, i) => (d === -1 ? t.dim_names?.[i] || 'any' : String(d)));
  return `${t.datatype} [${dims.join(', ')}]`;
}

function TensorLines({ tensors }: { tensors: Tensor[] }) {
  return (
    <ul class="lines tight">
      {tensors.map((t) => <li key={t.name}><code>{t.name}</code><span class="muted num">{shapeText(t)}</span></li>)}
    </ul>
  );
}

function Tensors({ title, tensors }: { title: string; tensors: Tensor[] }) {
  return (
    <section>
      <h2>{title}</h2>
      <TensorLines tensors={tensors.slice(0, TENSORS_SHOWN)} />
      {tensors.length > TENSORS_SHOWN && (
        <details>
          <summary>{count(tensors.length - TENSORS_SHOWN)} more</summary>
          <TensorLines tensors={tensors.slice(TENSORS_SHOWN)} />
        </details>
      )}
    </section>
  );
}

function rangeText(f: Feature): string {
  if (f.kind === 'category') {
    const names = f.categories ?? [];
    return names.length === 0 ? NONE : names.slice(0, 6).join(', ') + (names.length > 6 ? `, ${names.length - 6} more` : '');
  }
  return f.min === undefined || f.max === undefined ? NONE : `${value(f.min)} to ${value(f.max)}`;
}

function SignatureView({ version }: { version: Version }) {
  const { inputs, outputs, features } = version.signature;
  return (
    <div class="signature">
      <Tensors title="Inputs" tensors={inputs} />
      <Tensors title="Outputs" tensors={outputs} />
      <section class="signature-features">
        <h2>{counted(features.length, 'feature')}</h2>
        {features.length > 0 && (
          <table class="plain-table">
            <thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Range or categories</th><th scope="col">Input</th></tr></thead>
            <tbody>
              {features.map((f) => (
                <tr key={f.name}>
                  <th scope="row">{f.name}</th>
                  <td>{f.kind}</td>
                  <td class="num">{rangeText(f)}</td>
                  <td class="muted"><code>{f.input}[{f.column}]</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </div>
  );
}

function kindText(r: Revision): string {
  if (r.kind === 'rollback') return `rollback${r.rolled_back_from ? ` from ${r.rolled_back_from}` : ''}`;
  return r.kind;
}

function Revisions({ model, revisions, onChange }: {
  model: Model;
  revisions: Revision[];
  onChange: (change: Change) => void;
}) {
  const [all, setAll] = useState(false);
  const choices = new Set(rollbackChoices(revisions));
  const shown = all ? revisions : revisions.slice(0, REVISIONS_SHOWN);
  if (revisions.length === 0) return null;
  return (
    <section>
      <h2>Revisions</h2>
      <table class="stack revisions">
        <thead>
          <tr>
            <th scope="col">Revision</th><th scope="col">Version</th><th scope="col">State</th><th scope="col">By</th>
            <th scope="col">When</th><th scope="col">Took</th><th scope="col"><span class="visually-hidden">Action</span></th>
          </tr>
        </thead>
        <tbody>
          {shown.map((r) => (
            <tr key={r.revision} class="row">
              <th scope="row" class="num">{r.revision} <span class="sub">{kindText(r)}</span></th>
              <td data-label="Version" class="num">{r.version > 0 ? versionSpec(model.name, r.version) : NONE}</td>
              <td data-label="State"><RevisionBadge revision={r} />{r.error && <span class="sub error-text">{r.error}</span>}</td>
              <td data-label="By">{r.who}</td>
              <td data-label="When" class="num"><Time at={r.live_ms || r.created_ms} /></td>
              <td data-label="Took" class="num">{millis(tookMs(r))}</td>
              <td class="row-action">
                {choices.has(r) && (
                  <button type="button" class="quiet" onClick={() => onChange({ kind: 'rollback', to: r })}>
                    Roll back<span class="visually-hidden"> to revision {r.revision}</span>
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && revisions.length > REVISIONS_SHOWN && (
        <button type="button" class="link" onClick={() => setAll(true)}>Show all {revisions.length}</button>
      )}
    </section>
  );
}

export function Versions({ model, query, versions, revisions, onChange, onDone }: {
  model: Model;
  query: URLSearchParams;
  versions: Resource<Version[]>;
  revisions: Revision[];
  onChange: (change: Change) => void;
  onDone: () => void;
}) {
  const [aliasing, setAliasing] = useState<number | null>(null);
  const shown = query.get('show');
  return (
    <div class="versions">
      {versions.error !== null && <Problem text={versions.error} retry={versions.reload} />}
      {versions.loading && <p class="muted loading">Loading…</p>}
      {versions.data && (
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Version</th><th scope="col">Created</th><th scope="col">Size</th><th scope="col">Features</th>
              <th scope="col">Profile</th><th scope="col">Check</th><th scope="col">Engine</th><th scope="col">Aliases</th>
              <th scope="col"><span class="visually-hidden">Action</span></th>
            </tr>
          </thead>
          <tbody>
            {versions.data.map((v) => {
              const open = shown === String(v.version);
              return (
                <>
                  <Row key={v.version} version={v} revisions={revisions} model={model} open={open}
                    onChange={onChange} onAlias={() => setAliasing(v.version)} />
                  {open && (
                    <tr key={`${v.version} signature`} class="detail"><td colSpan={9}><SignatureView version={v} /></td></tr>
                  )}
                </>
              );
            })}
          </tbody>
        </table>
      )}
      <Revisions model={model} revisions={revisions} onChange={onChange} />
      {aliasing !== null && (
        <AliasDialog model={model} version={aliasing} onClose={() => setAliasing(null)} onDone={onDone} />
      )}
    </div>
  );
}
