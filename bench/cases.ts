// A case: contenders that take turns in one run.

import type { Request } from "./child.js";
import { type Contender, contenders, inRust, plain } from "./contenders.js";
import type { Model } from "./models.js";
import { count } from "./numbers.js";
import type { Optimizer } from "./optimizers.js";

/** One contender of a case. */
export interface Entrant {
  readonly label: string;
  readonly contender: Contender;
  readonly request: Request;
  /** Minimum memory traffic of a step, in bytes. */
  readonly bytes: number;
  /** Entrants with an equal mark must have equal parameters after an equal number of steps. */
  readonly same: boolean;
}

export interface Case {
  /** `section/what/threads` */
  readonly id: string;
  readonly threads: number;
  /** Ratios are relative to the first one. */
  readonly entrants: readonly Entrant[];
  /** Whether the memory stream is timed before every turn. */
  readonly yardstick: boolean;
  /** The duration of all rounds. */
  readonly seconds: number;
  /** Milliseconds of a turn, unless a step takes longer. */
  readonly turn: number;
  /** Whether the report shows the difference to the first entrant. */
  readonly difference?: boolean;
  /** Whether imports in fresh processes are timed instead of steps. */
  readonly starts?: boolean;
  /** Whether peak memory is measured instead of time. */
  readonly memory?: boolean;
}

/** The size of the memory stream: 256 MiB, far more than any cache. */
export const streamed = { shapes: [[1 << 26]], bytes: 8 * 2 ** 26 } as const;

export const threads = [1, 2] as const;

export function stepping(contender: Contender, model: Model, optimizer: Optimizer, label = contender.name): Entrant {
  const { optimizer: name, options, bytes } = optimizer;
  const implementation = contender.implementation ?? "";
  return {
    label,
    contender,
    request: { do: "make", implementation, optimizer: name, options, shapes: model.shapes },
    bytes: bytes * count(model.shapes),
    same: true,
  };
}

export function training(contender: Contender, batch: number): Entrant {
  const implementation = contender.implementation ?? "";
  const request: Request = { do: "train", implementation, batch };
  return { label: contender.name, contender, request, bytes: 0, same: true };
}

/** One optimizer on one model, with all contenders or the given ones. */
export function race(
  section: string,
  model: Model,
  optimizer: Optimizer,
  threads: number,
  options: { readonly by?: readonly Contender[]; readonly seconds?: number; readonly turn?: number } = {},
): Case {
  const parameters = count(model.shapes);
  const large = parameters >= 1 << 24;
  // Plain JavaScript has one speed, which smaller models show, and so has a call.
  const everybody = large ? contenders.filter((one) => one !== plain && one !== inRust) : contenders;
  const by = options.by ?? everybody;
  return {
    id: `${section}/${model.name} ${optimizer.name}/${threads}`,
    threads,
    entrants: by.map((contender) => stepping(contender, model, optimizer)),
    yardstick: large,
    seconds: options.seconds ?? 5,
    turn: options.turn ?? 30,
  };
}
