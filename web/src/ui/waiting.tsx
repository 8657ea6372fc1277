/* SPDX-License-Identifier: Apache-2.0 */
// A page before the server's first answer: that it is coming, or why not.

import { useStore } from '../store';
import { Problem } from './choice';

export function Waiting({ what }: { what: string }) {
  const problem = useStore((s) => s.problem);
  return (
    <main id="main" tabIndex={-1} class="page">
      {problem === null ? <p class="muted loading">Loading {what}…</p> : (
        <>
          <header class="page-head"><h1>Nothing can be shown</h1></header>
          <Problem text={problem} />
          <p class="muted">This page tries again by itself.</p>
        </>
      )}
    </main>
  );
}
