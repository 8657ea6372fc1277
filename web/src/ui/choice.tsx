/* SPDX-License-Identifier: Apache-2.0 */
// A few options side by side, one of them chosen: a group of toggle buttons.

export function Choice<T extends string | number>({ label, options, value, onPick }: {
  label: string;
  options: readonly { value: T; label: string; count?: number }[];
  value: T;
  onPick: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onPick(option.value)}
        >
          {option.label}
          {option.count !== undefined && <span class="choice-count">{option.count}</span>}
        </button>
      ))}
    </div>
  );
}

export function Filter({ label, value, onInput }: { label: string; value: string; onInput: (text: string) => void }) {
  return (
    <input
      type="search"
      class="filter"
      placeholder={label}
      aria-label={label}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

export function Problem({ text, retry }: { text: string; retry?: () => void }) {
  return (
    <p class="problem" role="alert">
      {text}
      {retry && <button type="button" class="link" onClick={retry}>Try again</button>}
    </p>
  );
}
