/* SPDX-License-Identifier: Apache-2.0 */
// The frame around every page: where one is, where one can go, and whether what is shown is live.

import { useEffect, useRef, useState } from 'preact/hooks';
import { press, type Action, type Chord } from './keys';
import { go, useLocation } from './nav';
import { Alerts, useFiring } from './pages/alerts';
import { Events } from './pages/events';
import { attentionCount, Fleet } from './pages/fleet';
import { Model } from './pages/model';
import { SignIn } from './pages/signin';
import type { Route } from './route';
import { useStore } from './store';
import { Brand } from './ui/brand';
import { Footer } from './ui/footer';
import { Help } from './ui/help';
import { Icon } from './ui/icon';
import { Search } from './ui/search';
import { Toasts } from './ui/toasts';

const ALERT_TITLES = { inbox: 'Alerts', rules: 'Alert rules', silences: 'Silences' };
const TITLES = { live: '', drift: 'drift', quality: 'quality', versions: 'versions', events: 'events' };

export function titleOf(route: Route, attention: number): string {
  const alarm = attention > 0 ? `(${attention}) ` : '';
  switch (route.page) {
    case 'fleet':
      return `${alarm}Fleet · Slipway`;
    case 'events':
      return `${alarm}Events · Slipway`;
    case 'alerts':
      return `${alarm}${route.id === null ? ALERT_TITLES[route.tab] : `Alert ${route.id}`} · Slipway`;
    case 'model':
      return `${alarm}${route.name}${TITLES[route.tab] && ` ${TITLES[route.tab]}`} · Slipway`;
    default:
      return 'Not found · Slipway';
  }
}

function Connection() {
  const connection = useStore((s) => s.connection);
  const text = { live: 'Live', connecting: 'Connecting…', reconnecting: 'Reconnecting…' }[connection];
  return <span class={`connection ${connection}`} role="status"><span class="dot" aria-hidden="true" />{text}</span>;
}

function Head({ route, onSearch, onHelp }: { route: Route; onSearch: () => void; onHelp: () => void }) {
  const firing = useStore((s) => s.firing);
  const onFleet = route.page === 'fleet' || route.page === 'model';
  return (
    <header class="head">
      <div class="head-inner">
        <Brand />
        <nav aria-label="Pages">
          <a href="/" aria-current={onFleet ? 'page' : undefined}>Fleet</a>
          <a href="/alerts" aria-current={route.page === 'alerts' ? 'page' : undefined}>
            Alerts{firing > 0 && <span class="tab-count num" title={`${firing} firing`}><Icon name="drifted" />{firing}</span>}
          </a>
          <a href="/events" aria-current={route.page === 'events' ? 'page' : undefined}>Events</a>
        </nav>
        <Connection />
        <button type="button" class="plain search-button" onClick={onSearch} aria-label="Search models">
          <Icon name="search" /><span class="wide-only">Search</span><kbd class="wide-only">/</kbd>
        </button>
        <button type="button" class="plain wide-only" onClick={onHelp} aria-label="Keyboard help"><kbd>?</kbd></button>
      </div>
    </header>
  );
}

function Page({ route, query }: { route: Route; query: URLSearchParams }) {
  switch (route.page) {
    case 'fleet':
      return <Fleet />;
    case 'events':
      return <Events query={query} />;
    case 'alerts':
      return <Alerts id={route.id} tab={route.tab} query={query} />;
    case 'model':
      return <Model name={route.name} tab={route.tab} query={query} />;
    default:
      return (
        <main id="main" tabIndex={-1} class="page">
          <header class="page-head"><h1>There is no such page</h1></header>
          <p class="lead">Go to <a href="/">the fleet</a>.</p>
        </main>
      );
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}

function useKeys(act: (action: Action) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    let chord: Chord = { g_ms: 0 };
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const next = press(chord, event.key, event.timeStamp + 1);
      chord = next.chord;
      if (next.action === null) return;
      event.preventDefault();
      latest.current(next.action);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

export function App() {
  const { route, query } = useLocation();
  const signedOut = useStore((s) => s.signedOut);
  const attention = useStore((s) => attentionCount(s.models, s.raised));
  const [open, setOpen] = useState<'search' | 'help' | null>(null);
  const usedLink = route.page === 'used-link';
  const title = signedOut || usedLink ? 'Sign in · Slipway' : titleOf(route, attention);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useFiring();
  useKeys((action) => {
    if (action === 'fleet') go('/');
    else if (action === 'alerts') go('/alerts');
    else if (action === 'events') go('/events');
    else setOpen(action);
  });
  if (signedOut || usedLink) return <SignIn usedLink={usedLink} />;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}>Skip to content</a>
      <Head route={route} onSearch={() => setOpen('search')} onHelp={() => setOpen('help')} />
      <Page route={route} query={query} />
      <Footer />
      <Toasts />
      {open === 'search' && <Search onClose={() => setOpen(null)} />}
      {open === 'help' && <Help onClose={() => setOpen(null)} />}
    </>
  );
}
