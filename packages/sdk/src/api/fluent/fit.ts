// The training of a model, as events.

import type { Target } from "../api.js";
import type { TensorData } from "../arrays.js";
import type { TensorHandle } from "../handle.js";
import type { DoneEvent, FitEvent } from "./fit.js";
import { add, figuresOf, measuring, type Sums, type Trained, withTensors } from "./measure.js";
import type { Plan } from "./plan.js";
import { batchOf, inOrder, type Rows } from "./rows.js";
import { beginTraining, endTraining } from "./trainings.js";

const aborted: DoneEvent = { type: "done", reason: "aborted" };

/** Trains, and tells of each step. Where it cannot begin, nothing has been done. */
export async function* train(trained: Trained, plan: Plan): AsyncGenerator<FitEvent, void, undefined> {
  const training = beginTraining(trained);
  try {
    yield* events(trained, plan);
  } finally {
    endTraining(training);
  }
}

async function* events(trained: Trained, plan: Plan): AsyncGenerator<FitEvent, void, undefined> {
  const { api, optimizer } = trained;
  const { data, validation, epochs, size, droplast, shuffle = true, advance = "step", signal } = plan;
  const end = droplast ? data.count - (data.count % size) : data.count;
  const steps = epochs * Math.ceil(end / size);
  const scheduled = api.schedule(optimizer) !== undefined;
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = shuffle ? api.randperm(data.count) : inOrder(data.count);
    const sums = { loss: 0, right: 0, rows: 0 };
    for (let from = 0; from < end; from += size) {
      if (await stopped(signal)) return yield aborted;
      const loss = trainBatch(trained, batchOf(data, order, from, size), sums, plan.step);
      if (scheduled && advance === "step") api.advance(optimizer, loss);
      step += 1;
      yield { type: "step", epoch, step, steps, loss };
    }
    const work = validation && measuring(trained, validation, size);
    let next = work?.next();
    while (next?.done === false) {
      if (await stopped(signal)) return yield aborted;
      next = work?.next();
    }
    if (await stopped(signal)) return yield aborted;
    const figures = figuresOf(trained, data, sums);
    const measured = next?.done ? next.value : undefined;
    if (scheduled && advance === "epoch") api.advance(optimizer, (measured ?? figures).loss);
    yield { type: "epoch", epoch, ...figures, ...(measured && { validation: measured }) };
  }
  yield { type: "done", reason: "finished" };
}

/** Gives timers and signals a turn of the event loop, and tells whether that ended the training. */
async function stopped(signal: AbortSignal | undefined): Promise<boolean> {
  await turn();
  return signal?.aborted === true;
}

/** Makes a step on a batch, and returns the loss before it. */
function trainBatch(trained: Trained, batch: Rows, sums: Sums, options: Plan["step"]): number {
  const { api, module, loss, optimizer } = trained;
  const { clipnorm, clipvalue, nonfinite } = options;
  // The line search of L-BFGS compares gradients, so each of them is clipped where it is computed.
  const clips = api.objtype(optimizer) === "lbfgs";
  let first = true;
  const closure = (input: TensorHandle | TensorData, target: Target) => {
    api.zerograd(optimizer);
    const output = api.forward(module, input);
    try {
      const lost = api[loss](output, target);
      try {
        const value = api.tensor(lost) as number;
        if (first) add(trained, sums, batch, output, value);
        first = false;
        api.backward(lost, optimizer);
        if (clips && clipnorm) api.clip(optimizer, clipnorm);
        if (clips && clipvalue) api.clipv(optimizer, clipvalue);
        return value;
      } finally {
        api.free(lost);
      }
    } finally {
      api.free(output);
    }
  };
  // L-BFGS calls it as often as its line search asks; the others take it too and call it once.
  return withTensors(trained, batch, (input, target) =>
    api.step(optimizer, () => closure(input, target), clips ? (nonfinite ? { nonfinite } : {}) : options),
  );
}

/** Lets everything else that waits have its turn. Browsers have no `setImmediate`. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}
