// The standings: the legend of the chart, whose marks hide and show racers, with live numbers and learning rates.

import type { OptimizerName } from "@stepwell/sdk";
import type { Groups } from "../address.js";
import { pointSize } from "../racer.js";
import { MarkIcon } from "./mark.js";
import { displayOrder, markOf } from "./marks.js";
import type { RaceClient, Track } from "./race-client.js";
import { RateField } from "./rate-field.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: RaceClient;
  readonly options: { readonly [Name in OptimizerName]: Groups };
  readonly hidden: readonly OptimizerName[];
  readonly selected: OptimizerName;
  readonly onToggle: (name: OptimizerName) => void;
  readonly onSelect: (name: OptimizerName) => void;
  readonly onRate: (name: OptimizerName, lr: number) => void;
}

export function Standings({ client, options, hidden, selected, onToggle, onSelect, onRate }: Props) {
  useChanges(client);
  const places = ranking(client.tracks);
  return (
    <table class="standings">
      <caption class="unseen">The racers</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Shown</span>
          </th>
          <th scope="col">Optimizer</th>
          <th scope="col">Rate</th>
          <th scope="col" class="number">
            Loss
          </th>
          <th scope="col" class="number" title="Evaluations of the gradient until the loss was 10⁻⁶">
            Arrived
          </th>
        </tr>
      </thead>
      <tbody>
        {displayOrder.map((name, index) => {
          const track = client.tracks.get(name);
          const isHidden = hidden.includes(name);
          const { label } = markOf(name);
          return (
            <tr key={name} class={`${name === selected ? "selected" : ""} ${isHidden ? "is-hidden" : ""}`}>
              <td>
                <button
                  type="button"
                  class="icon"
                  aria-pressed={!isHidden}
                  aria-label={`Show ${label}`}
                  title={`Show or hide ${label} (${index + 1})`}
                  onClick={() => onToggle(name)}
                >
                  <MarkIcon name={name} isHollow={isHidden} />
                </button>
              </td>
              <th scope="row">
                <button
                  type="button"
                  class="name"
                  aria-pressed={name === selected}
                  title={`Options and code of ${label}`}
                  onClick={() => onSelect(name)}
                >
                  {label}
                </button>
              </th>
              <td>
                <RateField name={name} value={options[name][0].lr as number} onRate={(lr) => onRate(name, lr)} />
              </td>
              <td class="number">
                <Loss track={track} />
              </td>
              <td class="number">
                <Arrival track={track} place={places.get(name)} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Loss({ track }: { readonly track: Track | undefined }) {
  if (!track || track.count === 0) return <>–</>;
  const loss = track.points[(track.count - 1) * pointSize + 2] as number;
  return (
    <data value={String(loss)} data-loss>
      {shown(loss)}
    </data>
  );
}

function Arrival({ track, place }: { readonly track: Track | undefined; readonly place: number | undefined }) {
  if (track && !track.isRacing) return <span class="lost">lost</span>;
  if (track?.arrival === undefined) return <span class="quiet">…</span>;
  return (
    <>
      <data value={String(track.arrival)}>{track.arrival}</data>
      <span class={`place place-${place}`} title={`Place ${place}`}>
        {place}
      </span>
    </>
  );
}

/** The places of those that have arrived; with as many evaluations, they share one. */
function ranking(tracks: ReadonlyMap<OptimizerName, Track>): ReadonlyMap<OptimizerName, number> {
  const arrived = [...tracks].flatMap(([name, { arrival }]) => (arrival === undefined ? [] : [{ name, arrival }]));
  return new Map(
    arrived.map(({ name, arrival }) => [name, 1 + arrived.filter((other) => other.arrival < arrival).length]),
  );
}

/** A loss in few letters. */
export function shown(loss: number): string {
  if (!Number.isFinite(loss)) return "∞";
  if (loss === 0) return "0";
  if (loss >= 0.01 && loss < 1000) return loss.toPrecision(3);
  return loss.toExponential(1).replace("-", "−");
}
