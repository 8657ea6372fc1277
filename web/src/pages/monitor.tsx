/* SPDX-License-Identifier: Apache-2.0 */
// What the calibrated monitor says: which columns drifted, how sure that is, and which to look at first.

import { counted, NONE, odds, psi } from '../format';
import { openQuery } from '../nav';
import type { DriftReport, Finding } from '../types';
import { Badge } from '../ui/badge';
import { Time } from '../ui/time';

const KINDS: Record<Finding['kind'], string> = {
  distribution: 'distribution moved', missing: 'missing share changed', range: 'values out of range',
  unseen: 'unseen categories', type: 'values of another type',
};

function Row({ finding, most }: { finding: Finding; most: number }) {
  const share = finding.influence === null || most <= 0 ? null : Math.abs(finding.influence) / most;
  return (
    <tr class="row">
      <th scope="row">
        <button type="button" class="link cover" onClick={() => openQuery({ feature: finding.column })}>{finding.column}</button>
        <span class="sub">{KINDS[finding.kind]}{finding.segment !== '' && ` · ${finding.segment}`}</span>
      </th>
      <td data-label="PSI" class="num right">{psi(finding.psi)}</td>
      <td data-label="By chance" class="num right" title={finding.reason ?? undefined}>{odds(finding.evidence_log10)}</td>
      <td data-label="On the prediction" title={finding.influence_why ?? undefined}>
        {share === null ? <span class="muted">{finding.influence_why ?? NONE}</span> : (
          <span class="influence">
            <meter min={0} max={1} value={share} aria-label={`Effect of ${finding.column}, beside the largest`} />
            <span class="num">{finding.influence!.toPrecision(2)}</span>
          </span>
        )}
      </td>
      <td data-label="Since" class="num">{finding.since_ms ? <Time at={finding.since_ms} /> : NONE}</td>
    </tr>
  );
}

export function Monitor({ report }: { report: DriftReport }) {
  const drifted = report.findings.filter((f) => f.state === 'drifted');
  const most = Math.max(0, ...drifted.map((f) => Math.abs(f.influence ?? 0)));
  if (report.state === 'unwatched') return null;
  return (
    <section class="monitor">
      <p class="standing">
        {drifted.length > 0
          ? <Badge icon="drifted" tone="bad">{counted(drifted.length, 'alarm')}</Badge>
          : <Badge icon="same" tone="good">no alarm</Badge>}
        <span class="muted num">{report.statement} · {counted(report.looks, 'look')} so far</span>
      </p>
      {drifted.length > 0 && (
        <table class="stack findings">
          <thead>
            <tr>
              <th scope="col">Column</th><th scope="col" class="right">PSI</th><th scope="col" class="right" title="Chance alone reaches such evidence once in so many looks, or less often">By chance</th>
              <th scope="col">Effect on the prediction</th><th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>{drifted.map((f) => <Row key={`${f.column} ${f.kind} ${f.segment}`} finding={f} most={most} />)}</tbody>
        </table>
      )}
    </section>
  );
}
