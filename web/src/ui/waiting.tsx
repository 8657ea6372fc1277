/* SPDX-License-Identifier: Apache-2.0 */
// A page before the server's first answer: that it is coming, or why not.

import { useStore } from '../store';
import { Problem } from './choice';

export function Waiting({ what }: { what: string }) {
  const problem = useStore((s) => s.problem);
  return (
    <main id="main" tabIndex={-1} class="page">
      {problem === null ? <p class="muted loading">Loading {what}…</p> : <Problem text={problem} />}
    </main>
  );
}
