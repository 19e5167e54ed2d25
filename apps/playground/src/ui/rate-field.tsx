// A learning rate with a button on each side.

import type { OptimizerName } from "@stepwell/sdk";
import { neighbour, tableOf } from "../options.js";
import { markOf } from "./marks.js";
import { NumberField } from "./number-field.js";

interface Props {
  /** Whose it is. */
  readonly name: OptimizerName;
  readonly value: number;
  readonly onRate: (lr: number) => void;
}

export function RateField({ name, value, onRate }: Props) {
  const { label } = markOf(name);
  const specification = tableOf(name).rows.find((row) => row.name === "lr");
  if (!specification) return null;
  const turn = (direction: 1 | -1) => {
    const next = neighbour(specification, value, direction);
    if (next !== undefined) onRate(next);
  };
  return (
    <span class="rate">
      {/* The arrow keys do the same in the field. */}
      <button type="button" tabIndex={-1} aria-label={`Smaller rate of ${label}`} onClick={() => turn(-1)}>
        −
      </button>
      <NumberField
        label={`Learning rate of ${label}`}
        specification={specification}
        value={value}
        onChange={(lr) => onRate(lr as number)}
      />
      <button type="button" tabIndex={-1} aria-label={`Larger rate of ${label}`} onClick={() => turn(1)}>
        +
      </button>
    </span>
  );
}
