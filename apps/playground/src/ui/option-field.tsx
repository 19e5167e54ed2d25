// One option: its name, its sentence, and a control of its kind.

import { useId } from "preact/hooks";
import type { OptionSpecification, OptionValue } from "../options.js";
import { NumberField } from "./number-field.js";

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
          <NumberField id={id} specification={specification} value={value} onChange={onChange} />
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
