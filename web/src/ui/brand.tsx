/* SPDX-License-Identifier: Apache-2.0 */
// A hull on its slipway, above the water.

export function Brand() {
  return (
    <a class="brand" href="/" aria-label="Slipway, the fleet">
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M2.5 8.5L21.5 16M6.5 3.2L20 8.5l-3.6 3.8L7 8.6zM3 20.5c2-1.5 4-1.5 6 0s4 1.5 6 0 4-1.5 6 0" /></svg>
      <span>Slipway</span>
    </a>
  );
}
