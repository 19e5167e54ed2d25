// The accuracy of each optimizer at each batch size, with its best learning rate, and the state of the present training.

import type { OptimizerName } from "@stepwell/sdk";
import { batches, epochs } from "../digits-setup.js";
import { digitRates } from "../generated/digit-rates.js";
import { MarkIcon } from "./mark.js";
import { corners, markOf } from "./marks.js";
import type { TrainingClient } from "./training-client.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: TrainingClient;
  readonly batch: number;
  readonly contenders: readonly OptimizerName[];
  readonly onBatch: (batch: number) => void;
}

const [width, height] = [560, 380];
const [left, right, top, bottom] = [38, 14, 14, 30];
const [lowest, highestShare] = [0.78, 0.98];

const across = (index: number) => left + (index * (width - left - right)) / (batches.length - 1);
const up = (share: number) => {
  const part = (Math.max(lowest, share) - lowest) / (highestShare - lowest);
  return height - bottom - part * (height - top - bottom);
};

export function BatchChart({ client, batch, contenders, onBatch }: Props) {
  useChanges(client, 200);
  const chosen = (batches as readonly number[]).indexOf(batch);
  const half = (across(1) - across(0)) / 2;
  const winner = best(contenders, batch);
  return (
    <section class="card" aria-labelledby="batch-title">
      <h2 id="batch-title">Test accuracy by batch size</h2>
      <p class="quiet small">
        {epochs} epochs, each optimizer at the best rate of a sweep. A filled mark is measured; the ring is your
        training now.
      </p>
      <svg class="batch-chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={summary(contenders)}>
        <rect class="chosen" x={across(chosen) - half} y={top} width={2 * half} height={height - top - bottom} rx="6" />
        {[0.8, 0.85, 0.9, 0.95].map((share) => (
          <g key={share} class="grid">
            <line x1={left} x2={width - right} y1={up(share)} y2={up(share)} />
            <text x={left - 8} y={up(share) + 4} text-anchor="end">
              {Math.round(share * 100)}%
            </text>
          </g>
        ))}
        {batches.map((size, index) => (
          <text key={size} class="axis" x={across(index)} y={height - 8} text-anchor="middle">
            {size}
          </text>
        ))}
        {contenders.map((name) => {
          const points = batches.map((size) => digitRates[name]?.[size]?.accuracy ?? 0);
          return (
            <g key={name} class={`of-${name}`}>
              <polyline
                class="curve"
                points={points.map((share, index) => `${across(index)},${up(share)}`).join(" ")}
              />
              {points.map((share, index) => (
                <SvgMark key={batches[index]} name={name} x={across(index)} y={up(share)} />
              ))}
            </g>
          );
        })}
        {contenders.map((name) => {
          const test = client.contenders.get(name)?.tests.at(-1);
          if (!test || client.step === 0) return null;
          return <circle key={name} class={`now of-${name}`} cx={across(chosen)} cy={up(test.accuracy)} r="8" />;
        })}
        {batches.map((size, index) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the slider below does the same, for keyboards too
          <rect
            key={size}
            class="target"
            x={across(index) - half}
            y={0}
            width={2 * half}
            height={height}
            onClick={() => onBatch(size)}
          />
        ))}
      </svg>
      <label class="batch">
        <span>Batch size</span>
        <input
          type="range"
          min="0"
          max={batches.length - 1}
          step="1"
          value={chosen}
          aria-valuetext={`${batch} digits`}
          onInput={(event) => onBatch(batches[Number(event.currentTarget.value)] ?? batch)}
        />
        <output>{batch}</output>
      </label>
      {winner && (
        <p class="winner">
          <MarkIcon name={winner.name} /> At {batch}, {markOf(winner.name).label} reads the most:{" "}
          {(winner.accuracy * 100).toFixed(1)} %, with {Math.floor((8000 / batch) * epochs)} steps.
        </p>
      )}
    </section>
  );
}

function SvgMark({ name, x, y }: { readonly name: OptimizerName; readonly x: number; readonly y: number }) {
  const size = 4.5;
  const points = corners(markOf(name).shape).map(([dx, dy]) => `${x + size * dx},${y + size * dy}`);
  return points.length === 0 ? <circle cx={x} cy={y} r={size} /> : <polygon points={points.join(" ")} />;
}

function best(contenders: readonly OptimizerName[], batch: number) {
  const found = contenders.map((name) => ({ name, accuracy: digitRates[name]?.[batch]?.accuracy ?? 0 }));
  return found.toSorted((a, b) => b.accuracy - a.accuracy)[0];
}

/** The chart in words. */
function summary(contenders: readonly OptimizerName[]): string {
  return batches
    .map((size) => `batch ${size}: ${markOf(best(contenders, size)?.name ?? "sgd").label} is best`)
    .join("; ");
}
