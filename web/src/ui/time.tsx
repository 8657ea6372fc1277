/* SPDX-License-Identifier: Apache-2.0 */
// A moment in local time; UTC on hover.

import { NONE, utc, when } from '../format';

export function Time({ at }: { at: number | null | undefined }) {
  if (!at) return <>{NONE}</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)}>
      {when(at, Date.now())}
    </time>
  );
}
