// A training as a promise of its history and as a stream of its events.

import { StepwellError } from "../../errors.js";
import { nextTurn } from "../../values/event-loop.js";
import { refuseReceiver } from "../../values/refuse.js";
import type { TrainingPlan } from "./fit.js";
import type { Progress } from "./fit-progress.js";
import type { FitEvent, FitHistory, TrainingPosition } from "./fit-types.js";
import type { TrainingProcesses } from "./training-processes.js";

/**
 * A training that `fit` has made: a promise of its history, or, for a caller that iterates it, a stream of its events. Either of them,
 * once: to await it after an iteration has begun is an error, and so is the reverse.
 *
 * It begins when it is awaited or iterated, and else by itself in the next turn of the event loop.
 */
export class Training implements Promise<FitHistory>, AsyncIterable<FitEvent> {
  readonly #events: AsyncGenerator<FitEvent, void, undefined>;
  readonly #progress: Progress;
  readonly #processes: TrainingProcesses;
  #history: Promise<FitHistory> | undefined;
  #isIterated = false;

  /** @internal */
  constructor(events: AsyncGenerator<FitEvent, void, undefined>, { progress, processes }: TrainingPlan) {
    this.#events = events;
    this.#progress = progress;
    this.#processes = processes;
    nextTurn(() => {
      if (!this.#isIterated) this.#run();
    });
  }

  static #check(receiver: Training): Training {
    return #events in Object(receiver) ? receiver : refuseReceiver("Training", receiver);
  }

  /** The name of the class. */
  get [Symbol.toStringTag](): string {
    return "Training";
  }

  /**
   * Where the training is after its last step, as plain data. With module, optimizer and the state of the generator, a training goes on from
   * there: option `resume` of `fit`. A file of the option `checkpoint` has all of them.
   */
  get position(): TrainingPosition {
    return Training.#check(this).#progress.position;
  }

  /** The events of the training. It works only while the next one is awaited. */
  [Symbol.asyncIterator](): AsyncGenerator<FitEvent, void, undefined> {
    Training.#check(this);
    if (this.#isIterated) throw twice("is iterated already: its events are read once");
    if (this.#history) {
      throw twice(
        "runs already: iterate it in the turn of the event loop in which fit was called, and do not await it",
      );
    }
    this.#isIterated = true;
    return this.#processes.mayBeMany ? told(this.#events, this.#processes) : this.#events;
  }

  /** As `then` of a promise. */
  // biome-ignore lint/suspicious/noThenProperty: a training is awaited.
  then<Result = FitHistory, Failure = never>(
    onfulfilled?: ((history: FitHistory) => Result | PromiseLike<Result>) | null,
    onrejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return Training.#check(this).#run().then(onfulfilled, onrejected);
  }

  /** As `catch` of a promise. */
  catch<Failure = never>(
    onrejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<FitHistory | Failure> {
    return Training.#check(this).#run().catch(onrejected);
  }

  /** As `finally` of a promise. */
  finally(onfinally?: (() => void) | null): Promise<FitHistory> {
    return Training.#check(this).#run().finally(onfinally);
  }

  #run(): Promise<FitHistory> {
    if (this.#isIterated) return Promise.reject(twice("is iterated: its last event has the reason why it ended"));
    this.#history ??= historyOf(this.#events, this.#progress);
    return this.#history;
  }
}

/** The events for the program of a process: of all but the first, the last one alone. */
async function* told(
  events: AsyncGenerator<FitEvent, void, undefined>,
  processes: TrainingProcesses,
): AsyncGenerator<FitEvent, void, undefined> {
  for await (const event of events) if (processes.isFirst || event.type === "done") yield event;
}

const twice = (given: string) => new StepwellError("ERR_ARGUMENT", `fit: the training ${given}`);

async function historyOf(events: AsyncIterable<FitEvent>, progress: Progress): Promise<FitHistory> {
  let steps: number | undefined;
  for await (const event of events) {
    if (event.type === "step") steps = event.step;
    else if (event.type === "done") {
      const { type: _, ...end } = event;
      return { epochs: progress.epochs, steps: steps ?? progress.step, ...end };
    }
  }
  throw new StepwellError("ERR_INTERNAL", "fit: a training without an end");
}
