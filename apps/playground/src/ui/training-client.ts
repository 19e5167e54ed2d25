// The page's side of a training: the worker's reports so far.

import type { OptimizerName } from "@stepwell/sdk";
import type { TrainingSettings } from "../digits.js";
import type { TrainingReply, TrainingRequest } from "../messages.js";
import type { LayerStep } from "../trust.js";

/** One contender. */
export interface Contender {
  /** The mean loss of each batch. */
  readonly losses: number[];
  /** Tests: the epochs that had been trained, and the share of the digits that were read. */
  readonly tests: { readonly epoch: number; readonly accuracy: number }[];
  lr: number;
  layers: readonly LayerStep[];
}

export type Reading = Extract<TrainingReply, { readonly type: "reading" }>;

export class TrainingClient {
  readonly contenders = new Map<OptimizerName, Contender>();
  step = 0;
  steps = 0;
  epoch = 0;
  isPlaying = false;
  /** Whether the digits are there. */
  isReady = false;
  reading: Reading | undefined;
  refusal: string | undefined;
  readonly #worker: Worker;
  readonly #listeners = new Set<() => void>();
  #run = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<TrainingReply>) => this.#take(data));
    worker.addEventListener("error", ({ message }) =>
      this.#take({ type: "training refused", message: `The engine cannot be started: ${message}` }),
    );
  }

  /** Calls back whenever something has changed; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(settings: TrainingSettings): void {
    this.#run++;
    this.contenders.clear();
    this.step = 0;
    this.epoch = 0;
    this.reading = undefined;
    this.refusal = undefined;
    this.send({ type: "train", settings });
  }

  play(): void {
    this.isPlaying = true;
    this.send({ type: "train on" });
  }

  send(request: TrainingRequest): void {
    this.#worker.postMessage(request);
  }

  #take(reply: TrainingReply): void {
    if (reply.type === "training refused") this.refusal = reply.message;
    else if (reply.type === "reading") this.reading = reply;
    else if (reply.type === "trained" && reply.run === this.#run) {
      this.isReady = true;
      const { step, steps, epoch, isPlaying } = reply;
      Object.assign(this, { step, steps, epoch, isPlaying });
      for (const { optimizer, losses, lr, accuracy, layers } of reply.contenders) {
        const contender = this.contenders.get(optimizer) ?? { losses: [], tests: [], lr, layers: [] };
        this.contenders.set(optimizer, contender);
        contender.losses.push(...losses);
        contender.lr = lr;
        if (layers.length > 0) contender.layers = layers;
        if (accuracy !== undefined && contender.tests.at(-1)?.epoch !== epoch)
          contender.tests.push({ epoch, accuracy });
      }
    } else return;
    for (const listener of this.#listeners) listener();
  }
}
