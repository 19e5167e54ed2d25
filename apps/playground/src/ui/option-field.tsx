// One option: its name, its sentence, and a control of its kind.

import { useEffect, useId, useState } from "preact/hooks";
import { type OptionSpecification, type OptionValue, range, readOption } from "../options.js";
import { neighbour } from "./rate-field.js";

interface Props {
  readonly specification: OptionSpecification;
  readonly value: OptionValue;
  readonly onChange: (value: OptionValue) => void;
}

export function OptionField({ specification, value, onChange }: Props) {
  const { name, doc, kind, initial } = specification;
  const id = useId();
  const isChanged = value !== initial;
  return (
    <div class={`option ${isChanged ? "changed" : ""}`}>
      <label for={id}>{name}</label>
      <div class="control">
        {kind === "flag" ? (
          <input
            id={id}
            type="checkbox"
            role="switch"
            checked={value === true}
            aria-checked={value === true}
            onChange={(event) => onChange(event.currentTarget.checked)}
          />
        ) : kind === "word" ? (
          <Choice id={id} specification={specification} value={value} onChange={onChange} />
        ) : (
          <NumberInput id={id} specification={specification} value={value} onChange={onChange} />
        )}
      </div>
      <p>
        {doc} {isChanged && <span class="usual">Usually {String(initial)}.</span>}
      </p>
    </div>
  );
}

function Choice({ id, specification: { words = [], nullable }, value, onChange }: Props & { readonly id: string }) {
  return (
    <select
      id={id}
      value={String(value)}
      onChange={(event) => onChange(event.currentTarget.value === "null" ? null : event.currentTarget.value)}
    >
      {nullable && <option value="null">null</option>}
      {words.map((word) => (
        <option key={word} value={word}>
          {word}
        </option>
      ))}
    </select>
  );
}

function NumberInput({ id, specification, value, onChange }: Props & { readonly id: string }) {
  const written = value === null ? "" : String(value);
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const isValid = readOption(specification, text) !== undefined;
  const turn = (direction: 1 | -1) => {
    if (typeof value !== "number") return;
    const next = specification.kind === "integer" ? value + direction : neighbour(value, direction);
    if (readOption(specification, String(next)) !== undefined) onChange(next);
  };
  return (
    <>
      <input
        id={id}
        inputMode="decimal"
        value={text}
        placeholder="null"
        aria-invalid={!isValid}
        aria-describedby={`${id}-range`}
        title={range(specification)}
        onInput={(event) => {
          setText(event.currentTarget.value);
          const given = readOption(specification, event.currentTarget.value);
          if (given !== undefined) onChange(given);
        }}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          turn(event.key === "ArrowUp" ? 1 : -1);
        }}
        onBlur={() => setText(written)}
      />
      <span id={`${id}-range`} class={isValid ? "unseen" : "problem"}>
        {range(specification)}
      </span>
    </>
  );
}
