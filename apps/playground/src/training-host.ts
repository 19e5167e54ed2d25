// The worker's side of a training.

import type { Api } from "@stepwell/sdk";
import { type StepResult, Training, type TrainingSettings } from "./digits.js";
import { pixels, type SplitDigits } from "./digits-data.js";
import type { TrainingReply, TrainingRequest } from "./messages.js";

type Post = (reply: TrainingReply, transfer: Transferable[]) => void;

/** Milliseconds of training between two frames; a large batch takes longer than that. */
const frameTime = 33;
/** Tests of an epoch, at the same steps in every training. */
const testsPerEpoch = 2;

export class TrainingHost {
  readonly #api: Api;
  readonly #post: Post;
  readonly #load: () => Promise<SplitDigits>;
  #digits: SplitDigits | undefined;
  #training: Training | undefined;
  #run = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(api: Api, post: Post, load: () => Promise<SplitDigits>) {
    this.#api = api;
    this.#post = post;
    this.#load = load;
  }

  /** Carries out the page's requests in order. The first one loads the digits. */
  take(request: TrainingRequest): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      try {
        this.#digits ??= await this.#load();
        this.#do(request, this.#digits);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#post({ type: "training refused", message }, []);
      }
    });
    return this.#queue;
  }

  #do(request: TrainingRequest, digits: SplitDigits): void {
    switch (request.type) {
      case "train":
        this.#begin(request.settings, digits);
        return;
      case "train on":
        this.#stop();
        this.#timer = setTimeout(() => this.#beat(), 0);
        return;
      case "train off":
        this.#stop();
        this.#tell([], true);
        return;
      case "train once":
        this.#stop();
        if (this.#training && !this.#training.isDone) this.#tell([this.#training.advance(true)], true);
        return;
      case "rate":
        this.#training?.setRate(request.optimizer, request.lr);
        return;
      case "read": {
        const image = request.image.map((grey) => (grey - digits.mean) / digits.deviation);
        this.#read(request.image, image, undefined);
        return;
      }
      case "show": {
        const { images, labels } = digits.test;
        const image = images.slice(request.index * pixels, (request.index + 1) * pixels);
        const grey = image.map((value) => value * digits.deviation + digits.mean);
        this.#read(grey, image, labels[request.index]);
        return;
      }
    }
  }

  #begin(settings: TrainingSettings, digits: SplitDigits): void {
    this.#stop();
    this.#training?.free();
    this.#training = undefined;
    this.#training = new Training(this.#api, digits, settings);
    this.#run++;
    this.#tell([], true);
  }

  #beat(): void {
    const training = this.#training;
    if (!training || training.isDone) {
      this.#stop();
      return;
    }
    const results: (readonly StepResult[])[] = [];
    const start = performance.now();
    let isTestDue = false;
    while (!isTestDue && (results.length === 0 || performance.now() - start < frameTime)) {
      const before = Math.floor(training.epoch * testsPerEpoch);
      results.push(training.advance(results.length === 0));
      isTestDue = training.isDone || Math.floor(training.epoch * testsPerEpoch) > before;
    }
    if (training.isDone) this.#stop();
    else this.#timer = setTimeout(() => this.#beat(), 0);
    this.#tell(results, isTestDue);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(results: readonly (readonly StepResult[])[], tests: boolean): void {
    const training = this.#training;
    if (!training) return;
    const accuracies = tests ? training.accuracies() : [];
    const contenders = training.settings.contenders.map(({ optimizer, options }, index) => ({
      optimizer,
      losses: Float64Array.from(results, (step) => step[index]?.loss ?? Number.NaN),
      lr: results.at(-1)?.[index]?.lr ?? options.lr,
      accuracy: accuracies[index],
      layers: results[0]?.[index]?.layers ?? [],
    }));
    const { step, steps, epoch } = training;
    const isPlaying = this.#timer !== undefined;
    this.#post(
      { type: "trained", run: this.#run, step, steps, epoch, contenders, isPlaying },
      contenders.map(({ losses }) => losses.buffer),
    );
  }

  #read(grey: Float32Array, image: Float32Array, label: number | undefined): void {
    const training = this.#training;
    if (!training) return;
    const readings = training.predict(image).map((probabilities, index) => ({
      optimizer: (training.settings.contenders[index] as TrainingSettings["contenders"][number]).optimizer,
      probabilities,
    }));
    this.#post({ type: "reading", image: grey, label, readings }, []);
  }
}
