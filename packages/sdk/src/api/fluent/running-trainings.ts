// The list of running trainings. A second one of the same parameters would train them between the steps of the first.

import { hasCode, StepwellError } from "../../errors.js";
import type { AnyHandle, ModuleHandle, OptimizerHandle } from "../../handle.js";
import { classof } from "../functions/objects.js";
import { opt } from "../functions/optimizers.js";

/** The objects that a training trains. */
interface TrainedObjects {
  readonly module: ModuleHandle;
  readonly optimizer: OptimizerHandle;
}

/** The objects of a training with the processes that make it. */
interface BegunTraining extends TrainedObjects {
  readonly processes: { readonly meetsOthers: boolean };
}

/** A training that is running. */
interface RunningTraining extends BegunTraining {
  /** The parameters that it trains. */
  readonly pointers: ReadonlySet<number>;
}

/** Trainings on the engine of this entry. */
const running = new Set<WeakRef<RunningTraining>>();

/** Fails if a training is running that shares the module, the optimizer or a trained parameter. */
export function checkTraining(objects: TrainedObjects): void {
  const { module, optimizer } = objects;
  const pointers = running.size > 0 ? pointersOf(objects) : [];
  for (const reference of running) {
    const training = reference.deref();
    // A freed object is no longer trained, and another one may have its address.
    if (!training || !isLive(training.module) || !isLive(training.optimizer)) continue;
    const shares = module === training.module || optimizer === training.optimizer;
    if (shares || pointers.some((pointer) => training.pointers.has(pointer))) {
      const message =
        "fit: a training of this module, optimizer or parameters is running: end it before another begins";
      throw new StepwellError("ERR_ARGUMENT", message);
    }
  }
}

/** Begins a training. It runs until it is ended, or until it is garbage. */
export function beginTraining(begun: BegunTraining): RunningTraining {
  checkTraining(begun);
  if (begun.processes.meetsOthers && meetsOthers()) {
    const message =
      "fit: another training with these processes is running, whose exchanges would be mixed up: await it";
    throw new StepwellError("ERR_BUSY", message);
  }
  const { module, optimizer, processes } = begun;
  const training = { module, optimizer, processes, pointers: new Set(pointersOf(begun)) };
  running.add(new WeakRef(training));
  return training;
}

/** Ends a training. */
export function endTraining(training: RunningTraining): void {
  for (const reference of running) {
    const other = reference.deref();
    if (!other || other === training) running.delete(reference);
  }
}

/** Whether a training of several processes is running. */
export const meetsOthers = (): boolean =>
  [...running].some((reference) => reference.deref()?.processes.meetsOthers === true);

const pointersOf = ({ optimizer }: TrainedObjects) => opt(optimizer, false).parms.map(({ pointer }) => pointer);

function isLive(handle: AnyHandle): boolean {
  try {
    classof(handle);
    return true;
  } catch (error) {
    // A step that is not over has it.
    return hasCode(error, "ERR_BUSY");
  }
}
