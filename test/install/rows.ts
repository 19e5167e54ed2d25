import { type Libtorch, libtorchs, type Result, run } from "./machine.js";
import type { Project } from "./managers.js";
import { programs, trained } from "./programs.js";

/** A row: its words, and the check that says how it ended. */
export interface Row {
  readonly words: readonly string[];
  /** Returns how it ended, in few words. Throws an error that says what was expected. */
  readonly check: () => string | Promise<string>;
}

/** The sentence of the documentation for a machine without libtorch. */
const fallback = /StepwellWarning: .*engine in Rust/;

/** Checks a training, on libtorch if it is there and otherwise on the engine in Rust with one warning. */
export function expectTraining({ status, stdout, stderr }: Result, libtorch: Libtorch): string {
  const engine = libtorch === "there" ? "native" : "rust";
  const warnings = stderr.match(new RegExp(fallback, "g"))?.length ?? 0;
  const isQuiet = libtorch === "there" ? stderr === "" : warnings === 1;
  if (status === 0 && stdout === trained(engine) && isQuiet) {
    return `0 1 1 0 on ${engine}${warnings ? ", one warning" : ""}`;
  }
  throw new Error(`expected ${JSON.stringify(trained(engine))}, given exit code ${status}\n${stdout}\n${stderr}`);
}

type Form = keyof typeof programs;

/** The rows of a project on a Node: forms of a module, each with libtorch and without. */
export function nodeRows(
  words: readonly string[],
  node: () => readonly string[],
  project: () => Project,
  forms: readonly Form[] = ["ESM", "CommonJS", "worker"],
): readonly Row[] {
  return libtorchs.flatMap((libtorch) =>
    forms.map((form) => ({
      words: [...words, form, `libtorch ${libtorch}`],
      check: () => {
        const [command = "", ...args] = [...node(), programs[form]];
        return expectTraining(run(command, args, project().folder, { libtorch }), libtorch);
      },
    })),
  );
}
