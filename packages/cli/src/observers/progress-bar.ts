// The progress of a training: a bar on a terminal, a line for each epoch elsewhere.

import type { EpochEvent, FitEvent } from "@stepwell/sdk";
import { SingleBar } from "cli-progress";
import type { OutputStream } from "../output/environment.js";
import { figure, whole } from "../output/numbers.js";
import type { TrainingObserver } from "./observer.js";

/** Where and how progress is shown. */
export interface ProgressOptions {
  /** A stream; a bar is drawn if it is a terminal. Default: `process.stderr`. */
  readonly stream?: OutputStream;
  /** Epochs of the training, for the text. Default: the number is not shown. */
  readonly epochs?: number;
  /** Samples of an epoch, for a rate in samples a second. Default: the rate is in steps. */
  readonly samples?: number;
}

/** Shows the progress of a training. */
export function progressBar({ stream = process.stderr, epochs, samples }: ProgressOptions = {}): TrainingObserver {
  const clock = rateClock(samples);
  const text = { epochs };
  return stream.isTTY ? bar(stream, text, clock) : lines(stream, text, clock);
}

interface Texts {
  readonly epochs: number | undefined;
}

function bar(stream: OutputStream, { epochs }: Texts, clock: RateClock): TrainingObserver {
  const single = new SingleBar({
    stream,
    format: "{bar}  epoch {epoch}  step {value}/{total}  loss {loss}{measured}  {rate}  {eta_formatted} left",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    fps: 10,
    hideCursor: null,
    // A narrow terminal gets the beginning of the line, and not a new line for each update.
    linewrap: false,
    // The program saves a checkpoint after Ctrl-C.
    gracefulExit: false,
  });
  let measured = "";
  let isStarted = false;
  return {
    event(event: FitEvent) {
      if (event.type === "done" || event.type === "checkpoint") return;
      const epoch = `${event.epoch}${epochs === undefined ? "" : `/${epochs}`}`;
      if (event.type === "epoch") {
        clock.epoch();
        measured = measuredText(event);
        if (isStarted) single.update({ measured });
        return;
      }
      const payload = { epoch, loss: figure(event.loss), measured, rate: clock.step() };
      // A stream does not tell its number of steps.
      const total = event.steps ?? event.step;
      if (isStarted) {
        single.setTotal(total);
        single.update(event.step, payload);
      } else single.start(total, event.step, payload);
      isStarted = true;
    },
    end: () => single.stop(),
  };
}

function lines(stream: OutputStream, { epochs }: Texts, clock: RateClock): TrainingObserver {
  return {
    event(event: FitEvent) {
      if (event.type === "step") clock.step();
      if (event.type !== "epoch") return;
      const number =
        epochs === undefined ? `${event.epoch}` : `${String(event.epoch).padStart(String(epochs).length)}/${epochs}`;
      stream.write(
        `epoch ${number}  loss ${figure(event.loss)}${accuracy(event)}${measuredText(event)}  ${clock.epoch()}\n`,
      );
    },
  };
}

const accuracy = ({ accuracy }: { readonly accuracy?: number }) =>
  accuracy === undefined ? "" : `  accuracy ${accuracy.toFixed(1)} %`;

const measuredText = ({ validation }: EpochEvent) =>
  validation ? `  validation ${figure(validation.loss)}${accuracy(validation)}` : "";

/** Measures the rate of a training. */
interface RateClock {
  /** Counts a step, and returns the rate of the whole training. */
  step(): string;
  /** Returns the rate of the epoch that ends. */
  epoch(): string;
}

function rateClock(samples: number | undefined): RateClock {
  const started = performance.now();
  let [steps, begun, stepsBefore] = [0, started, 0];
  const seconds = (since: number) => Math.max(performance.now() - since, 1e-3) / 1000;
  return {
    step() {
      steps += 1;
      return `${whole(steps / seconds(started))} steps/s`;
    },
    epoch() {
      const time = seconds(begun);
      const text =
        samples === undefined ? `${whole((steps - stepsBefore) / time)} steps/s` : `${whole(samples / time)} samples/s`;
      [begun, stepsBefore] = [performance.now(), steps];
      return text;
    },
  };
}
