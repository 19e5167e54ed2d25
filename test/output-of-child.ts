import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";

/** The end of a process, with all that it has printed. */
export interface ChildOutput {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** Waits for the end of a process that has just started. */
export async function outputOf(child: ChildProcessWithoutNullStreams): Promise<ChildOutput> {
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    error += text;
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, out, error };
}
