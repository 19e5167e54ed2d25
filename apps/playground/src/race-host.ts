// The worker's side of a race: carries out the page's requests, and reports the state about thirty times a second.

import type { Api } from "@stepwell/sdk";
import type { RaceReply, RaceRequest } from "./messages.js";
import { Race, type SavedRace } from "./race.js";
import { pointSize } from "./racer.js";

type Post = (reply: RaceReply, transfer: ArrayBuffer[]) => void;

/** Milliseconds between two frames. */
const frameTime = 33;

export class RaceHost {
  readonly #api: Api;
  readonly #post: Post;
  #race: Race | undefined;
  #number = 0;
  #until = 0;
  /** Points that each racer's path had in the last frame. */
  #told: number[] = [];
  #saved: SavedRace | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(api: Api, post: Post) {
    this.#api = api;
    this.#post = post;
  }

  /** Carries out a request of the page. A request with an error changes nothing. */
  take(request: RaceRequest): void {
    try {
      this.#do(request);
    } catch (error) {
      const optimizer = "optimizer" in request ? request.optimizer : undefined;
      this.#post({ type: "refused", optimizer, message: error instanceof Error ? error.message : String(error) }, []);
    }
  }

  #do(request: RaceRequest): void {
    switch (request.type) {
      case "start": {
        const race = Race.start(this.#api, request.settings);
        this.#replace(race);
        this.#number++;
        this.#until = request.until;
        race.advance(request.clock);
        this.#tell();
        return;
      }
      case "play":
        this.#play(request.speed);
        return;
      case "pause":
        this.#pause();
        this.#tell();
        return;
      case "step":
        this.#pause();
        this.#race?.advance(1);
        this.#tell();
        return;
      case "edit":
        this.#race?.edit(request.optimizer, request.group, request.options);
        this.#tell();
        return;
      case "save": {
        if (!this.#race) return;
        this.#saved = this.#race.save();
        this.#post({ type: "saved", clock: this.#saved.clock, bytes: sizeOf(this.#saved) }, []);
        return;
      }
      case "restore": {
        if (!this.#saved) return;
        const race = Race.restore(this.#api, this.#saved);
        this.#replace(race);
        this.#told = race.racers.map((racer) => racer.steps + 1);
        this.#post({ type: "restored", clock: race.clock }, []);
        this.#tell();
        return;
      }
    }
  }

  #replace(race: Race): void {
    this.#race?.free();
    this.#race = race;
    this.#told = race.racers.map(() => 0);
  }

  #play(speed: number): void {
    this.#pause();
    let due = 0;
    let before = performance.now();
    const beat = () => {
      const now = performance.now();
      // A page that was in the background does not make up for it.
      due += (Math.min(now - before, 4 * frameTime) / 1000) * speed;
      before = now;
      const race = this.#race;
      if (!race || due < 1) return;
      const evaluations = Math.min(Math.floor(due), this.#until - race.clock);
      due -= Math.floor(due);
      race.advance(evaluations);
      if (race.clock >= this.#until) this.#pause();
      this.#tell();
    };
    this.#timer = setInterval(beat, frameTime);
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    const race = this.#race;
    if (!race) return;
    const racers = race.racers.map((racer, index) => {
      const from = this.#told[index] ?? 0;
      this.#told[index] = racer.steps + 1;
      return {
        optimizer: racer.settings.optimizer,
        points: Float64Array.from(racer.path.slice(from * pointSize)),
        from,
        isRacing: racer.isRacing,
        arrival: racer.arrival,
        edits: racer.edits,
      };
    });
    const frame = { race: this.#number, clock: race.clock, racers, isPlaying: this.#timer !== undefined };
    this.#post(
      { type: "frame", ...frame },
      racers.map(({ points }) => points.buffer),
    );
  }
}

/** Bytes of the numbers that a saved race has. */
function sizeOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "number") return 8;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + sizeOf(part), 0);
}
