// Programs of this folder in processes of their own, which speak in lines.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { watch } from "./time-limit.js";

const folder = new URL("./programs/", import.meta.url).href.replace("/test/faults/", "/test/dist/faults/");

/** In milliseconds, without waits for a core: a program that takes longer hangs. */
const patience = 120_000;

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Whether it was ended because it took too long. */
  readonly hung: boolean;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** A program with its options that runs Node, such as valgrind. */
  readonly under?: readonly string[];
  /** In milliseconds without waits for a core, until a program counts as hanging. */
  readonly limit?: number;
}

export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<End>;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #closed = false;

  constructor(
    name: string,
    config: unknown,
    { env = {}, flags = [], under = [], limit = patience }: ProgramOptions = {},
  ) {
    const path = fileURLToPath(new URL(`${name}.js`, folder));
    const [command = process.execPath, ...args] = [...under, process.execPath, ...flags, path, JSON.stringify(config)];
    this.child = spawn(command, args, {
      env: { ...process.env, STEPWELL_ENGINE: "native", ...env },
    });
    // A child that was killed does not read.
    this.child.stdin.on("error", () => {});
    createInterface({ input: this.child.stdout })
      .on("line", (line) => {
        const next = this.#waiting.shift();
        if (next) next(line);
        else this.#lines.push(line);
      })
      .on("close", () => {
        this.#closed = true;
        for (const next of this.#waiting.splice(0)) next(undefined);
      });
    let stderr = "";
    let hung = false;
    this.child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const unwatch = watch(this.pid, limit, () => {
      hung = true;
      this.child.kill("SIGKILL");
    });
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        unwatch();
        resolve({ code, signal, stderr, hung });
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The next line, or undefined after the last one. */
  line(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#closed) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The lines that have come and were not read. */
  taken(): readonly string[] {
    return this.#lines.splice(0);
  }

  tell(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /** Tells a program, and waits for its answer in JSON. */
  async ask<Answer>(line: string): Promise<Answer> {
    this.tell(line);
    return this.answer<Answer>();
  }

  /** The next line, as JSON. */
  async answer<Answer>(): Promise<Answer> {
    const line = await this.line();
    if (line === undefined) throw new Error(`the program ended: ${JSON.stringify(await this.ended)}`);
    return JSON.parse(line) as Answer;
  }

  async kill(): Promise<End> {
    this.child.kill("SIGKILL");
    return this.ended;
  }
}

/** Runs a program to its end, and returns its lines of JSON. A program that fails is a problem. */
export async function report<Line>(
  name: string,
  config: unknown,
  options?: ProgramOptions,
): Promise<{ readonly lines: readonly Line[]; readonly problem?: string }> {
  const program = new Program(name, config, options);
  program.child.stdin.end();
  const lines: Line[] = [];
  for (let line = await program.line(); line !== undefined; line = await program.line()) {
    try {
      lines.push(JSON.parse(line) as Line);
    } catch {
      return { lines, problem: `it printed ${line}` };
    }
  }
  const { code, signal, stderr, hung } = await program.ended;
  if (hung) return { lines, problem: `it hangs after ${JSON.stringify(lines.at(-1))}` };
  if (code === 0 && stderr === "") return { lines };
  return {
    lines,
    problem: `it ended with ${signal ?? code} after ${JSON.stringify(lines.at(-1))}: ${stderr.trim().slice(-500)}`,
  };
}
