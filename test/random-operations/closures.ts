// Closures for `step`: good ones, and those that throw, free, edit, convert, step or return what they should not.

import * as k from "@stepwell/sdk";
import { hostileValue } from "./hostile.js";
import { InvariantViolation } from "./invariants.js";
import type { Entry } from "./shadow.js";
import { inputOf } from "./values.js";
import { heldBy, isHandle, type World } from "./world.js";

/** More closures inside one another than that only call `step` and return a number. */
const deepest = 2;

/** An error whose cause is itself. */
const cyclicError = () => {
  const error = new Error("a closure of the caller's");
  error.cause = error;
  return error;
};

const chainedError = (length: number) => {
  let error = new Error("the innermost");
  for (let i = 0; i < length; i++) error = new Error("a link", { cause: error });
  return error;
};

const unprintable = () => ({
  toString: () => {
    throw new Error("no text");
  },
});

/** Exceptions by name. */
export const exceptions: Readonly<Record<string, () => unknown>> = {
  "an error": () => new Error("a closure of the caller's"),
  "a StepwellError": () => new k.StepwellError("ERR_ARGUMENT", "an error of Stepwell's, made by the caller"),
  "an error that is its own cause": cyclicError,
  "an error with 5000 causes": () => chainedError(5000),
  "an object whose text throws": unprintable,
  "a frozen error": () => Object.freeze(new TypeError("frozen")),
  "a string": () => "a string",
  "a number": () => 7,
  undefined: () => undefined,
  null: () => null,
  "a symbol": () => Symbol("thrown"),
  "an object without a prototype": () => Object.create(null),
  "a promise": () => Promise.resolve(1),
};

const exceptionNames = Object.keys(exceptions);

type Maker = (world: World, stepper: Entry, another: (world: World) => void) => unknown;

const makers: Readonly<Record<string, Maker>> = {
  /** Computes gradients as a program does. */
  trains: (world, stepper) => {
    const { random } = world;
    const handle = stepper.handle as k.OptimizerHandle;
    world.call(random.pick(["zerograd", "nograd"]), handle);
    const module = world.any("module")?.handle;
    if (module === undefined) return random.number();
    const output = world.call<k.TensorHandle>("forward", module, inputOf(world));
    const loss = world.call<k.TensorHandle>("mse", output, world.call("tensor", output));
    world.call("backward", loss, ...(random.chance(0.3) ? [handle] : []));
    world.call("free", output);
    return random.chance(0.5) ? loss : world.call("take", loss);
  },
  "sets gradients": (world) => {
    for (const { handle } of world.shadow.of("tensor").slice(0, 3)) {
      world.call("grad", handle, world.call("tensor", handle));
    }
    return world.random.number();
  },
  "returns a number": (world) => world.random.number(),
  "returns anything": (world) => {
    world.isTainted = true;
    return hostileValue(world);
  },
  "returns NaN": (world) => {
    world.isTainted = true;
    return world.random.pick([Number.NaN, Number.POSITIVE_INFINITY]);
  },
  "returns a promise": () => Promise.resolve(1),
  "returns a tensor": (world) => world.any("tensor")?.handle ?? 1,
  throws: (world) => {
    const name = world.random.pick(exceptionNames);
    world.log?.(`//   throws ${name} out of the closure`);
    const exception = exceptions[name]?.();
    world.thrown.push(exception);
    throw exception;
  },
  "frees its optimizer": (world, stepper) => {
    world.call("free", stepper.handle);
    return 1;
  },
  "frees everything": (world) => {
    world.free();
    return 1;
  },
  "steps again": (world, stepper) => world.call("step", stepper.handle, () => 1),
  "steps itself without a closure": (world, stepper) => world.call("step", stepper.handle),
  "adds parameters": (world, stepper) => {
    const added = world.any("tensor", "module");
    if (added) world.call("opt", stepper.handle, world.random.int(2), added.handle);
    return 1;
  },
  "converts a module": (world) => {
    const module = world.any("module");
    if (module) world.call("to", module.handle, world.random.pick(["double", "float"]));
    return 1;
  },
  "does something else": (world, _, another) => {
    for (let i = world.random.int(3); i >= 0; i--) {
      try {
        another(world);
      } catch (error) {
        if (error instanceof InvariantViolation) throw error;
      }
    }
    return world.random.number();
  },
};

const names = Object.keys(makers);

/** The results of the calls of a closure. */
export interface Outcome {
  calls: number;
  /** Its exception, which the step has to throw too. */
  thrown?: { readonly error: unknown };
  /** Handles that it returned, which a step frees. */
  readonly returned: Set<k.AnyHandle>;
}

/** A closure for a step of an optimizer or a model; `another` makes one more operation. */
export function closureFor(
  world: World,
  stepper: Entry,
  outcome: Outcome,
  another: (world: World) => void,
): () => unknown {
  const name = world.depth >= deepest ? "returns a number" : world.random.pick(names);
  const closure = () => {
    world.depth += 1;
    outcome.calls += 1;
    world.log?.(`//   in the closure that ${name}:`);
    try {
      const returned = makers[name]?.(world, stepper, another);
      const handle = heldBy(returned);
      if (isHandle(handle)) {
        outcome.returned.add(handle);
        world.touch();
      }
      return returned;
    } catch (error) {
      outcome.thrown = { error };
      world.thrown.push(error);
      throw error;
    } finally {
      world.depth -= 1;
    }
  };
  return Object.defineProperty(closure, "name", { value: `closure that ${name}` });
}
