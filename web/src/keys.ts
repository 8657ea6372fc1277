/* SPDX-License-Identifier: Apache-2.0 */
// Keyboard: single keys, and "g" followed by a letter within a second and a half.

export type Action = 'search' | 'help' | 'fleet' | 'alerts' | 'events';

export interface Chord {
  /** When "g" was pressed, or 0. */
  g_ms: number;
}

const CHORD_MS = 1500;

export const SHORTCUTS: readonly { keys: string[]; label: string }[] = [
  { keys: ['/'], label: 'Search models' },
  { keys: ['g', 'm'], label: 'Go to the fleet' },
  { keys: ['g', 'a'], label: 'Go to the alerts' },
  { keys: ['g', 'e'], label: 'Go to the events' },
  { keys: ['?'], label: 'Show this help' },
  { keys: ['Esc'], label: 'Close what is open' },
];

export function press(chord: Chord, key: string, at_ms: number): { chord: Chord; action: Action | null } {
  const none: Chord = { g_ms: 0 };
  if (chord.g_ms > 0 && at_ms - chord.g_ms <= CHORD_MS) {
    if (key === 'm') return { chord: none, action: 'fleet' };
    if (key === 'a') return { chord: none, action: 'alerts' };
    if (key === 'e') return { chord: none, action: 'events' };
  }
  if (key === 'g') return { chord: { g_ms: at_ms }, action: null };
  if (key === '/') return { chord: none, action: 'search' };
  if (key === '?') return { chord: none, action: 'help' };
  return { chord: none, action: null };
}
