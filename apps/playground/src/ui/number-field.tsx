// A number: typed, or turned by the arrow keys.

import { useEffect, useRef, useState } from "preact/hooks";
import { neighbour, type OptionSpecification, type OptionValue, range, readOption } from "../options.js";

interface Props {
  readonly id?: string;
  /** The accessible name, if there is no label. */
  readonly label?: string;
  readonly specification: OptionSpecification;
  readonly value: OptionValue;
  readonly onChange: (value: OptionValue) => void;
}

/** Milliseconds after the last key until a number counts: "0.05" on the way is not to be 0. */
const patience = 350;

export function NumberField({ id, label, specification, value, onChange }: Props) {
  const written = value === null ? "" : String(value);
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const take = (typed: string) => {
    clearTimeout(timer.current);
    const given = readOption(specification, typed);
    if (given !== undefined && given !== value) onChange(given);
  };
  const type = (typed: string) => {
    setText(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => take(typed), patience);
  };
  const isValid = readOption(specification, text) !== undefined;
  return (
    <>
      <input
        id={id}
        inputMode="decimal"
        aria-label={label}
        aria-invalid={!isValid}
        title={range(specification)}
        placeholder={specification.nullable ? "null" : ""}
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") take(event.currentTarget.value);
          const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key] as 1 | -1 | undefined;
          if (!direction) return;
          event.preventDefault();
          const next = neighbour(specification, value, direction);
          if (next !== undefined) onChange(next);
        }}
        onBlur={(event) => {
          take(event.currentTarget.value);
          setText(isValid ? event.currentTarget.value : written);
        }}
      />
      {!isValid && <span class="problem">{range(specification)}</span>}
    </>
  );
}
