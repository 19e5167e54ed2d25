// F3: an error of each system call of a save, once or from then on, is a StepwellError that leaves the old file.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { filesOf, ready, restore, saved, scratchFilesOf } from "./kills.js";
import type { SaveAnswer, SaveConfig } from "./programs/save.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";
import type { Saver } from "./savers.js";
import { attachToInject, attachToList, type Call, callsBetween, straceProblem, wasBetween } from "./strace.js";

const errors = ["ENOSPC", "EIO", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EMFILE", "EINTR"];

async function sweep({ folder: parent, scale, isOver }: Context, saver: Saver): Promise<Outcome> {
  const tally = new Tally();
  const folder = join(parent, "errors");
  const isProduct = saver === "product";
  const widths = isProduct ? sized(scale, [8], [8, 800], [8, 800]) : [8];
  for (const width of widths) {
    const config = (steps: number): SaveConfig => ({
      path: join(folder, "run"),
      optimizer: "adam",
      width,
      steps,
      saver,
    });
    restore(folder, "[]");
    const before = await saved(folder, config(1));
    const program = await ready(config(2));
    const trace = await attachToList(program.pid);
    await program.ask<SaveAnswer>("save");
    let files = openFilesOf(program.pid);
    const calls = callsBetween(await trace.detach());
    const after = filesOf(folder);
    const renamed = calls.findIndex(({ name }) => name.startsWith("rename"));
    const chosen = isProduct ? sized(scale, ["ENOSPC", "EIO"], errors, errors) : ["ENOSPC"];
    const cases = calls.flatMap((call, i) =>
      chosen.flatMap((error) => [false, true].map((forever) => ({ call, error, forever, isLate: i > renamed }))),
    );
    for (const { call, error, forever, isLate } of cases) {
      // A call that is interrupted for ever is repeated for ever.
      if (isOver() || (error === "EINTR" && forever)) continue;
      restore(folder, before);
      const injected = await attachToInject(program.pid, call, `error=${error}`, forever);
      program.tell("save");
      await injected.passed();
      const lines = await injected.detach();
      const answer = await program.answer<SaveAnswer>();
      const problem = wasBetween(lines, /\(INJECTED\)/)
        ? problemOf(answer, call, isLate, { found: filesOf(folder), before, after, scratch: scratchFilesOf(folder) })
        : "the error did not happen there";
      tally.check(problem && `${saver}, width ${width}, ${error} ${forever ? "from" : "at"} ${call.text}: ${problem}`);
      const again = await program.ask<SaveAnswer>("save");
      if (again.code !== undefined || filesOf(folder) !== after || (isProduct && scratchFilesOf(folder) > 0))
        tally.fail(`${error} at ${call.text}: the next save fails: ${again.message ?? "other files"}`);
      const open = openFilesOf(program.pid);
      // A call of `close` that is not made leaves the file open.
      if (open > files && call.name !== "close")
        tally.fail(`${error} at ${call.text}: ${open - files} files are still open`);
      files = open;
      if (!isProduct && tally.found > 0) break;
    }
    await program.kill();
  }
  return tally.outcome();
}

const openFilesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

interface State {
  readonly found: string;
  readonly before: string;
  readonly after: string;
  readonly scratch: number;
}

function problemOf({ code, message }: SaveAnswer, call: Call, isLate: boolean, state: State): string | undefined {
  const { found, before, after, scratch } = state;
  if (scratch > 0) return `${scratch} scratch files are left`;
  if (code === undefined) return found === after ? undefined : "it says that it has saved, and has not";
  if (code !== "ERR_FILE") return `the error is ${code}: ${message}`;
  // After the rename the new file is there, and only a power cut could lose it.
  if (isLate && found !== after) return "neither the old file nor the new one";
  if (isLate)
    return /: it has the new content, /.test(message ?? "") ? undefined : `the error is as before: ${message}`;
  return found === before ? undefined : `the old file has changed, by an error of ${call.name}`;
}

export const ioErrors: Rig = {
  fault: "F3",
  name: "io-errors",
  about:
    "an error of each system call of a save is ERR_FILE, leaves the old file and no other, and the next save works",
  problem: straceProblem,
  run: (context) => sweep(context, "product"),
  planted: {
    "a save in place": (context) => sweep(context, "in place"),
    "a scratch file that is left": (context) => sweep(context, "without removal of its scratch file"),
    "errors that are ignored": (context) => sweep(context, "without a look at errors"),
  },
};
