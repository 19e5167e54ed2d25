// Whether a call may draw random numbers, as the native engine decides it.

import type { BindingArgument, BindingResult } from "../binding.js";
import { drawingModules } from "../generated/drawing.js";
import { idsOfKind, objectKinds } from "../generated/object-kinds.js";

type Run = (command: string, encoded: readonly BindingArgument[]) => BindingResult;

/** The columns of a row of a module that tell whether it draws. */
interface Row {
  readonly module: string;
  readonly options: Readonly<Record<string, BindingResult>>;
}

/** The passes, with whether they train, and whether they are of a model with its loss. */
const passes: Readonly<Record<string, readonly [trains: boolean, isOfModel: boolean]>> = {
  run: [true, true],
  batch: [true, true],
  testrun: [false, true],
  testbatch: [false, true],
  evaluate: [false, false],
};

/** Whether a pass may draw. An object that cannot be read draws nothing: the call says why. */
export function mayDraw(run: Run, command: string, encoded: readonly BindingArgument[]): boolean {
  const pass = Object.hasOwn(passes, command) ? passes[command] : undefined;
  if (!pass) return false;
  const [trains, isOfModel] = pass;
  const handle = encoded[0];
  try {
    const outline = run("outline", encoded.slice(0, 1)) as unknown;
    if (objectKinds[Math.floor(Number(handle) / idsOfKind)] !== "model")
      return draws(outline as readonly Row[], trains);
    const [rows, loss] = outline as readonly [readonly Row[], readonly string[]];
    if (isOfModel && loss[0] === "callback") return true;
    const { shuffle } = run("train", encoded.slice(0, 1)) as { readonly shuffle: boolean };
    return (isOfModel && trains && shuffle) || draws(rows, trains);
  } catch {
    return false;
  }
}

function draws(rows: readonly Row[], trains: boolean): boolean {
  return rows.some(({ module, options }) => {
    const [, option, inUse] = drawingModules.find(([kind]) => kind === module) ?? ["", "dropout", false];
    return (trains || inUse) && (option === undefined || (options[option] ?? 0) !== 0);
  });
}
