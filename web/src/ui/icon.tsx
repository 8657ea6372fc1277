/* SPDX-License-Identifier: Apache-2.0 */
// Small line drawings, 16 × 16, in the colour of the text around them. Never the only bearer of meaning.

const PATHS = {
  same: 'M3.5 8.5l3 3 6-7',
  moved: 'M2 9.5c1.5-3.5 3.5-3.5 6-1.5s4.5 2 6-1.5',
  drifted: 'M8 2.5L14.5 13.5H1.5zM8 6.5v3.5M8 11.8v.2',
  waiting: 'M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4M8 4.8V8l2.2 1.6',
  unwatched: 'M3.5 8h9',
  down: 'M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4',
  search: 'M7 2.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6M10.6 10.6L14 14',
  arrow: 'M2.5 8h11M9.5 4l4 4-4 4',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  plus: 'M8 3v10M3 8h10',
  back: 'M6 3.5L2.5 7 6 10.5M2.5 7H10a3.5 3.5 0 0 1 0 7H7',
  deploy: 'M8 13.5V3M3.8 7L8 2.8 12.2 7',
  chevron: 'M6 3.5L10.5 8 6 12.5',
  tag: 'M2.5 2.5h5l6 6-5 5-6-6zM5.3 5.3v.1',
  push: 'M2.5 5.5L8 2.5l5.5 3v5L8 13.5l-5.5-3zM2.5 5.5L8 8.5l5.5-3M8 8.5v5',
  key: 'M10.5 2.5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8.3 7.7L2.5 13.5M4.5 11.5l1.7 1.7',
  power: 'M8 2v6M4.6 4.2a5 5 0 1 0 6.8 0',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
