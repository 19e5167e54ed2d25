// Every option of the selected optimizer, for both coordinates together or for each.

import type { OptimizerName } from "@stepwell/sdk";
import { useState } from "preact/hooks";
import type { Groups } from "../address.js";
import { type OptionValue, tableOf } from "../options.js";
import { MarkIcon } from "./mark.js";
import { displayOrder, markOf } from "./marks.js";
import { OptionField } from "./option-field.js";

interface Props {
  readonly selected: OptimizerName;
  readonly groups: Groups;
  /** The last error of the engine. */
  readonly refusal: string | undefined;
  readonly onSelect: (name: OptimizerName) => void;
  readonly onChange: (group: number, name: string, value: OptionValue) => void;
  readonly onSplit: (isSplit: boolean) => void;
  readonly onReset: () => void;
}

export function OptionsPanel({ selected, groups, refusal, onSelect, onChange, onSplit, onReset }: Props) {
  const [group, setGroup] = useState(0);
  const { about, needsClosure, rows } = tableOf(selected);
  const shownGroup = Math.min(group, groups.length - 1);
  const row = groups[shownGroup] ?? groups[0];
  const field = (specification: (typeof rows)[number]) => (
    <OptionField
      key={`${selected} ${shownGroup} ${specification.name}`}
      specification={specification}
      value={row[specification.name] ?? null}
      onChange={(value) => onChange(shownGroup, specification.name, value)}
    />
  );
  return (
    <section class="card options" aria-labelledby="options-title">
      <div class="card-head">
        <h2 id="options-title">Options</h2>
        <button type="button" class="link" onClick={onReset}>
          Reset these
        </button>
      </div>
      <div class="chips" role="tablist" aria-label="Optimizer">
        {displayOrder.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={name === selected}
            class={`chip of-${name}`}
            onClick={() => onSelect(name)}
          >
            <MarkIcon name={name} />
            {markOf(name).label}
          </button>
        ))}
      </div>
      <p class="about">{about}</p>
      <div class="groups">
        <label>
          <input
            type="checkbox"
            role="switch"
            checked={groups.length === 2}
            aria-checked={groups.length === 2}
            disabled={needsClosure}
            onChange={(event) => onSplit(event.currentTarget.checked)}
          />
          x and y as two tensors, each in a group of its own
        </label>
        {needsClosure && <span class="quiet">{markOf(selected).label} has one group only.</span>}
        {groups.length === 2 && (
          <div class="segments" role="tablist" aria-label="Group">
            {["x", "y"].map((letter, index) => (
              <button
                key={letter}
                type="button"
                role="tab"
                aria-selected={shownGroup === index}
                onClick={() => setGroup(index)}
              >
                group {index}: {letter}
              </button>
            ))}
          </div>
        )}
      </div>
      {refusal !== undefined && (
        <p class="problem" role="alert">
          {refusal}
        </p>
      )}
      <div class="fields">{rows.filter(({ extension }) => !extension).map(field)}</div>
      <details>
        <summary>Further options</summary>
        <div class="fields">{rows.filter(({ extension }) => extension).map(field)}</div>
      </details>
    </section>
  );
}
