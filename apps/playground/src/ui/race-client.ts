// The page's side of a race: the worker's reports so far.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import type { RaceReply, RaceRequest, RacerFrame } from "../messages.js";
import type { RaceSettings } from "../race.js";
import { type Edit, pointSize } from "../racer.js";

/** One optimizer's path. */
export interface Track {
  /** x, y, loss and evaluations of each point. */
  points: Float64Array;
  /** Points that are there. */
  count: number;
  isRacing: boolean;
  arrival: number | undefined;
  edits: readonly Edit[];
}

/** Points after going back, compared with the points of the first run. */
export interface Replay {
  readonly from: number;
  same: number;
  different: number;
}

interface Saved {
  readonly clock: number;
  readonly bytes: number;
}

export class RaceClient {
  readonly tracks = new Map<OptimizerName, Track>();
  clock = 0;
  isPlaying = false;
  isReady = false;
  saved: Saved | undefined;
  replay: Replay | undefined;
  /** The last error of the worker, with its optimizer. */
  refusal: { readonly optimizer: OptimizerName | undefined; readonly message: string } | undefined;
  readonly #worker: Worker;
  readonly #listeners = new Set<() => void>();
  #settings: RaceSettings | undefined;
  #race = 0;
  /** The paths before going back, as far as they have not been made again. */
  #before = new Map<OptimizerName, Track>();

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<RaceReply>) => this.#take(data));
    worker.addEventListener("error", ({ message }) =>
      this.#take({ type: "refused", optimizer: undefined, message: `The engine cannot be started: ${message}` }),
    );
  }

  /** Calls back whenever something has changed; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The settings at the start of the race. */
  get settings(): RaceSettings | undefined {
    return this.#settings;
  }

  start(settings: RaceSettings, until: number): void {
    this.#settings = settings;
    this.#race++;
    this.saved = undefined;
    this.replay = undefined;
    this.refusal = undefined;
    this.#before.clear();
    this.tracks.clear();
    this.clock = 0;
    this.#send({ type: "start", settings, clock: 0, until });
  }

  play(speed: number): void {
    this.isPlaying = true;
    this.#send({ type: "play", speed });
  }

  pause(): void {
    this.#send({ type: "pause" });
  }

  step(): void {
    this.#send({ type: "step" });
  }

  edit(optimizer: OptimizerName, group: number, options: OptionRow): void {
    this.refusal = undefined;
    this.#send({ type: "edit", optimizer, group, options });
  }

  save(): void {
    this.#send({ type: "save" });
  }

  restore(): void {
    this.#send({ type: "restore" });
  }

  #send(request: RaceRequest): void {
    this.#worker.postMessage(request);
  }

  #take(reply: RaceReply): void {
    if (reply.type === "ready") this.isReady = true;
    else if (reply.type === "saved") this.saved = reply;
    else if (reply.type === "restored") this.#goBack(reply.clock);
    else if (reply.type === "refused") this.refusal = reply;
    else if (reply.race === this.#race) {
      this.clock = reply.clock;
      this.isPlaying = reply.isPlaying;
      for (const racer of reply.racers) this.#extend(racer);
    }
    for (const listener of this.#listeners) listener();
  }

  #goBack(clock: number): void {
    this.refusal = undefined;
    this.replay = { from: clock, same: 0, different: 0 };
    for (const [optimizer, track] of this.tracks) {
      const longest = this.#before.get(optimizer);
      if (!longest || longest.count < track.count) this.#before.set(optimizer, { ...track });
      // The points after the clock are made again; L-BFGS may have been ahead of it.
      let count = track.count;
      while (count > 1 && evaluationsBefore(track, count - 1) >= clock) count--;
      this.tracks.set(optimizer, { ...track, points: track.points.slice(), count, arrival: undefined });
    }
  }

  #extend({ optimizer, points, from, isRacing, arrival, edits }: RacerFrame): void {
    const track = this.tracks.get(optimizer) ?? emptyTrack();
    this.tracks.set(optimizer, track);
    const count = from + points.length / pointSize;
    if (track.points.length < count * pointSize) {
      const larger = new Float64Array(Math.max(count, 2 * track.count, 256) * pointSize);
      larger.set(track.points.subarray(0, track.count * pointSize));
      track.points = larger;
    }
    track.points.set(points, from * pointSize);
    track.count = count;
    Object.assign(track, { isRacing, arrival, edits });
    this.#compare(optimizer, points, from);
  }

  #compare(optimizer: OptimizerName, points: Float64Array, from: number): void {
    const before = this.#before.get(optimizer);
    if (!before || !this.replay) return;
    for (let index = 0; index < points.length; index += pointSize) {
      const at = from * pointSize + index;
      if (at >= before.count * pointSize) return;
      const isSame = [0, 1, 2, 3].every((offset) => Object.is(points[index + offset], before.points[at + offset]));
      if (isSame) this.replay.same++;
      else this.replay.different++;
    }
  }
}

function emptyTrack(): Track {
  return { points: new Float64Array(0), count: 0, isRacing: true, arrival: undefined, edits: [] };
}

/** The evaluations that a racer had before it made a point. */
function evaluationsBefore(track: Track, point: number): number {
  return track.points[(point - 1) * pointSize + 3] ?? 0;
}
