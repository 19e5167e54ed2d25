import type { OptimizerName } from "@stepwell/sdk";
import { corners, markOf } from "./marks.js";

/** The mark of an optimizer in its colour. */
export function MarkIcon({ name, isHollow = false }: { readonly name: OptimizerName; readonly isHollow?: boolean }) {
  const { shape } = markOf(name);
  const points = corners(shape).map(([x, y]) => `${x},${y}`);
  return (
    <svg class={`mark of-${name}${isHollow ? " hollow" : ""}`} viewBox="-1.7 -1.7 3.4 3.4" aria-hidden="true">
      {points.length === 0 ? <circle r="1" /> : <polygon points={points.join(" ")} />}
    </svg>
  );
}
