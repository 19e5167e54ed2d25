// Play, pause, step, start again; save and go back; speed.

import { speeds } from "../address.js";
import { markOf } from "./marks.js";
import type { RaceClient } from "./race-client.js";
import { useChanges } from "./use-client.js";

interface Props {
  readonly client: RaceClient;
  readonly speed: number;
  readonly until: number;
  readonly onPlay: () => void;
  readonly onStep: () => void;
  readonly onReset: () => void;
  readonly onSave: () => void;
  readonly onRestore: () => void;
  readonly onSpeed: (speed: number) => void;
}

export function Transport(props: Props) {
  const { client, speed, until, onPlay, onStep, onReset, onSave, onRestore, onSpeed } = props;
  useChanges(client);
  const share = Math.log(speed / speeds.least) / Math.log(speeds.most / speeds.least);
  return (
    <div class="transport">
      <div class="buttons">
        <button type="button" class="primary" onClick={onPlay} title="Space">
          <Icon path={client.isPlaying ? "M6 4h4v16H6zM14 4h4v16h-4z" : "M7 4l13 8-13 8z"} />
          {client.isPlaying ? "Pause" : client.clock >= until ? "Again" : "Play"}
        </button>
        <button type="button" onClick={onStep} title="One evaluation (.)">
          <Icon path="M5 4l10 8-10 8zM17 4h3v16h-3z" />
          Step
        </button>
        <button type="button" onClick={onReset} title="Start again (R)">
          <Icon path="M12 5V1L6 6l6 5V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z" />
          Reset
        </button>
        <span class="divider" />
        <button type="button" onClick={onSave} title="Keep the state of every optimizer (S)">
          Save
        </button>
        <button type="button" onClick={onRestore} disabled={!client.saved} title="Go back to what was kept (B)">
          {client.saved ? `Back to ${client.saved.clock}` : "Go back"}
        </button>
      </div>
      <label class="speed">
        <span>Speed</span>
        <input
          type="range"
          min="0"
          max="1"
          step="0.01"
          value={share}
          aria-valuetext={`${speed} evaluations a second`}
          onInput={(event) => onSpeed(fromShare(Number(event.currentTarget.value)))}
        />
        <output>{speed}/s</output>
      </label>
      <p class="clock" aria-live="off">
        <data value={String(client.clock)} id="clock">
          {client.clock}
        </data>{" "}
        of {until} evaluations
        <ReplayNote client={client} />
      </p>
      <p class="news" role="status">
        {news(client)}
      </p>
    </div>
  );
}

/** Who has arrived last. */
function news({ tracks }: RaceClient): string {
  const arrived = [...tracks]
    .flatMap(([name, { arrival }]) => (arrival === undefined ? [] : [{ name, arrival }]))
    .sort((a, b) => a.arrival - b.arrival);
  const last = arrived.at(-1);
  if (!last) return "On the way down.";
  const label = markOf(last.name).label;
  const place = arrived.length === 1 ? "first" : arrived.length === tracks.size ? "last" : `number ${arrived.length}`;
  return `${label} is there ${place}, after ${last.arrival} gradients.`;
}

/** The result of comparing the points after going back with the first ones. */
function ReplayNote({ client: { replay } }: { readonly client: RaceClient }) {
  if (!replay) return null;
  const { same, different, from } = replay;
  if (same + different === 0) return <span class="note"> Went back to {from}.</span>;
  return different === 0 ? (
    <output class="note good" id="replay" data-same={same}>
      {same} points made again, identical to the last bit
    </output>
  ) : (
    <output class="note" id="replay" data-same={same}>
      {different} of {same + different} points differ, as something was changed
    </output>
  );
}

export function Icon({ path }: { readonly path: string }) {
  return (
    <svg class="symbol" viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

function fromShare(share: number): number {
  return Math.round(speeds.least * (speeds.most / speeds.least) ** share);
}
