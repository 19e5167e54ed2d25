// Observers of a training: each gets every event of `fit`.

import type { EpochFigures, FitEvent, FitHistory } from "@stepwell/sdk";

/** Shows or records a training. */
export interface TrainingObserver {
  /** Called before the first event. */
  begin?(): void | Promise<void>;
  /** Called with each event, after the step that it reports. */
  event(event: FitEvent): void | Promise<void>;
  /** Called once at the end, also after an error. */
  end?(): void | Promise<void>;
}

/**
 * Runs a training, and gives its events to observers, in their order. Returns the history as `await model.fit(…)` does.
 *
 * An error of an observer ends the training after the present step, as an error of the training itself.
 *
 * @example
 * ```ts
 * const history = await observe(model.fit(data, { epochs: 3 }), progressBar());
 * ```
 */
export async function observe(
  training: AsyncIterable<FitEvent>,
  ...observers: readonly TrainingObserver[]
): Promise<FitHistory> {
  const epochs: EpochFigures[] = [];
  let steps = 0;
  let end: Pick<FitHistory, "reason" | "best"> = { reason: "aborted" };
  const begun: TrainingObserver[] = [];
  let failure: { readonly reason: unknown } | undefined;
  // Taken at once: a training that is not iterated begins by itself while observers begin.
  const events = training[Symbol.asyncIterator]();
  try {
    for (const observer of observers) {
      await observer.begin?.();
      begun.push(observer);
    }
    for await (const event of { [Symbol.asyncIterator]: () => events }) {
      if (event.type === "step") steps = event.step;
      else if (event.type === "epoch") {
        const { type: _, ...figures } = event;
        epochs.push(figures);
      } else if (event.type === "done") {
        const { type: _, ...rest } = event;
        end = rest;
      }
      for (const observer of observers) await observer.event(event);
    }
  } catch (error) {
    failure = { reason: error };
  }
  const ends = await Promise.allSettled(begun.map(async (observer) => await observer.end?.()));
  // The error of the training comes before an error of an end.
  failure ??= ends.find((end) => end.status === "rejected");
  if (failure) throw failure.reason;
  return { epochs, steps, ...end };
}
