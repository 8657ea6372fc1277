/* SPDX-License-Identifier: Apache-2.0 */
// The two quiet buttons by which what is shown becomes a file.

export function SaveButtons({ what, onPng, onCsv }: { what: string; onPng?: () => void; onCsv: () => void }) {
  return (
    <span class="save">
      {onPng && <button type="button" class="link" aria-label={`Save ${what} as a picture`} onClick={onPng}>PNG</button>}
      <button type="button" class="link" aria-label={`Save the data of ${what}`} onClick={onCsv}>CSV</button>
    </span>
  );
}
