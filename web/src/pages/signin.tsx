/* SPDX-License-Identifier: Apache-2.0 */
// Shown where the server wants a session: how to come by one.

import { Brand } from '../ui/brand';

export function SignIn({ usedLink }: { usedLink: boolean }) {
  return (
    <>
      <header class="head"><div class="head-inner"><Brand /></div></header>
      <main id="main" tabIndex={-1} class="page signin">
        <header class="page-head"><h1>{usedLink ? 'This sign-in link was used already' : 'Sign in'}</h1></header>
        <p class="lead">This server wants to know who asks. It prints a sign-in link when it starts; the link works once.</p>
        <ol>
          <li>Look where <code>slipway serve</code> was started (its terminal, or its log) for a line like<br />
            <code class="command">dashboard  {location.origin}/login/…</code></li>
          <li>Open that link in this browser. It leads back here, signed in.</li>
        </ol>
        <p class="muted">
          The link was used already, or the session is over? <code>slipway token link</code> makes a new one. Programs use a
          token instead: the header <code>Authorization: Bearer TOKEN</code>.
        </p>
        <p><button type="button" class="primary" onClick={() => (usedLink ? location.assign('/') : location.reload())}>{usedLink ? 'Go to the fleet' : 'Try again'}</button></p>
      </main>
    </>
  );
}
