// A learning rate: typed, or turned by the arrow keys and the two buttons, a sixth of a decade at a time.

import { useEffect, useState } from "preact/hooks";

interface Props {
  /** Whose it is. */
  readonly name: string;
  readonly value: number;
  readonly onRate: (lr: number) => void;
}

const steps = [1, 1.5, 2, 3, 5, 7, 10];

/** The next larger or smaller of 1, 1.5, 2, 3, 5, 7 times a power of ten. */
export function neighbour(rate: number, direction: 1 | -1): number {
  if (rate <= 0) return direction > 0 ? 1e-6 : 0;
  const power = 10 ** Math.floor(Math.log10(rate) + 1e-9);
  const candidates = [power / 10, power, power * 10].flatMap((scale) =>
    steps.map((step) => Number((step * scale).toPrecision(2))),
  );
  const margin = rate * 1e-6;
  return direction > 0
    ? Math.min(...candidates.filter((candidate) => candidate > rate + margin))
    : Math.max(...candidates.filter((candidate) => candidate < rate - margin));
}

export function RateField({ name, value, onRate }: Props) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const given = Number(text);
  const isValid = text.trim() !== "" && Number.isFinite(given) && given >= 0;
  const turn = (direction: 1 | -1) => onRate(neighbour(value, direction));
  return (
    <span class="rate">
      <button type="button" tabIndex={-1} aria-label={`Smaller rate of ${name}`} onClick={() => turn(-1)}>
        −
      </button>
      <input
        inputMode="decimal"
        aria-label={`Learning rate of ${name}`}
        aria-invalid={!isValid}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          const typed = Number(event.currentTarget.value);
          if (event.currentTarget.value.trim() !== "" && Number.isFinite(typed) && typed >= 0) onRate(typed);
        }}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          turn(event.key === "ArrowUp" ? 1 : -1);
        }}
        onBlur={() => setText(String(value))}
      />
      <button type="button" tabIndex={-1} aria-label={`Larger rate of ${name}`} onClick={() => turn(1)}>
        +
      </button>
    </span>
  );
}
