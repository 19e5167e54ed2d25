// Which trainings are running, so that none is begun that would train the parameters of another between its steps.

import { StepwellError } from "../errors.js";
import type { AnyHandle } from "../handle.js";
import type { Trained } from "./measure.js";

/** A training that is running. */
interface Training extends Pick<Trained, "api" | "module" | "optimizer"> {
  /** The parameters that it trains. */
  readonly pointers: ReadonlySet<number>;
}

/** The trainings of an engine. */
const running = new WeakMap<Trained["api"], Set<WeakRef<Training>>>();

/** Fails if a training is running that shares the module, the optimizer or a trained parameter. */
export function checkTraining(trained: Trained): void {
  const { api, module, optimizer } = trained;
  const trainings = running.get(api) ?? new Set();
  const pointers = trainings.size > 0 ? pointersOf(trained) : [];
  for (const reference of trainings) {
    const training = reference.deref();
    // What was freed is trained no more, and another object may be where it was.
    if (!training || !isLive(trained, training.module) || !isLive(trained, training.optimizer)) continue;
    const shares = module === training.module || optimizer === training.optimizer;
    if (shares || pointers.some((pointer) => training.pointers.has(pointer))) {
      const message =
        "fit: a training of this module, optimizer or parameters is running: end it before another begins";
      throw new StepwellError("ERR_ARGUMENT", message);
    }
  }
}

/** Begins a training. It runs until it is ended, or until nobody has it any more who could end it. */
export function beginTraining(trained: Trained): Training {
  checkTraining(trained);
  const { api, module, optimizer } = trained;
  const training = { api, module, optimizer, pointers: new Set(pointersOf(trained)) };
  const trainings = running.get(api) ?? new Set();
  running.set(api, trainings.add(new WeakRef(training)));
  return training;
}

/** Ends a training. */
export function endTraining(training: Training): void {
  const trainings = running.get(training.api) ?? new Set();
  for (const reference of trainings) {
    const other = reference.deref();
    if (!other || other === training) trainings.delete(reference);
  }
}

const pointersOf = ({ api, optimizer }: Trained) => api.opt(optimizer, false).parms.map(({ pointer }) => pointer);

function isLive({ api }: Trained, handle: AnyHandle): boolean {
  try {
    api.classof(handle);
    return true;
  } catch {
    return false;
  }
}
