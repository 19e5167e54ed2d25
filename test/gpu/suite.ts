// Runs files of tests on a device, in this process. The arguments are the device and the paths; reports go to the parent process.

import { register } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type File, startTests, type Task, type Test, type VitestRunner } from "@vitest/runner";
import { createOn } from "./device-binding.js";

/** Messages to the parent, in the order in which things happen. */
export type Report =
  /** The device cannot be used, for this reason; nothing else follows. */
  | { readonly unusable: string }
  /** A file starts. */
  | { readonly file: string }
  | { readonly test: string; readonly state: "passed" | "failed" | "skipped"; readonly message?: string };

const report = (message: Report) => process.send?.(message);

/** In milliseconds, for a test or a hook that hangs. The limit of the part ends one that never yields. */
const timeout = 60_000;

const config: VitestRunner["config"] = {
  root: import.meta.dirname,
  setupFiles: [],
  name: undefined,
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: timeout,
  hookTimeout: timeout,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

const runner: VitestRunner = {
  config,
  importFile: (path) => import(pathToFileURL(path).href),
  onAfterRunTask: (test: Test) => {
    const { state, errors } = test.result ?? {};
    const message = errors?.[0]?.message ?? "";
    if (state === "fail") report({ test: nameOf(test), state: "failed", message });
    else report({ test: nameOf(test), state: state === "pass" ? "passed" : "skipped" });
  },
};

/** The names of a test and of the suites around it, without the file. */
function nameOf(task: Task): string {
  const { suite } = task;
  return suite && suite !== task.file ? `${nameOf(suite)} > ${task.name}` : task.name;
}

/** Reports errors outside of tests: of imports and of hooks. */
function reportSuites(task: File | Task): void {
  if (task.type !== "suite") return;
  const [error] = task.result?.errors ?? [];
  if (error) report({ test: nameOf(task), state: "failed", message: error.message });
  for (const child of task.tasks) reportSuites(child);
}

/** The reason why no tensor can be made on the device; undefined if one can. */
async function deviceFault(device: string): Promise<string | undefined> {
  try {
    const k = await import("@stepwell/sdk");
    const x = k.tensor([0]);
    const made = k.device(x);
    k.free(x);
    return made === device ? undefined : `a tensor is on ${made} instead of ${device}`;
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return code ? `${code}: ${message}` : message;
  }
}

const [device = "cpu", ...files] = process.argv.slice(2);
register("./resolve.js", import.meta.url);
createOn(device);
const unusable = await deviceFault(device);
if (unusable !== undefined) report({ unusable });
else {
  for (const file of files) {
    report({ file });
    for (const task of await startTests([resolve(file)], runner)) reportSuites(task);
  }
}
process.disconnect?.();
