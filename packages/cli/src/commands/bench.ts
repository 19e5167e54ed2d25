// `stepwell bench`: this machine's speed with each engine, and with Python's torch if it is installed.

import { type ChildProcess, spawn } from "node:child_process";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CommandError, exitCodes } from "../command-error.js";
import { type Environment, printResult } from "../output/environment.js";
import { textTable } from "../output/text-table.js";
import { version } from "../output/versions.js";
import { type BenchCase, benchCases, torchProgram } from "./bench-cases.js";

/** The median of a case with a contender, over all rounds. */
export interface BenchResult {
  readonly case: BenchCase;
  readonly contender: string;
  readonly seconds: number;
  /** The median over rounds of its time over the time of the first contender. */
  readonly ratio: number;
}

/** Rounds, in which contenders take turns: a busy machine slows all of them. */
const ROUNDS = 7;

/** Runs the command for about so many seconds. */
export async function bench(seconds: number, environment: Environment): Promise<void> {
  const contenders = await startAll();
  try {
    if (contenders.length === 0) {
      throw new CommandError("ERR_ENGINE", "bench: no engine starts here; stepwell doctor says why", exitCodes.failed);
    }
    const results = await measure(contenders, seconds);
    const machine = `${cpus()[0]?.model.trim()}, ${process.platform}-${process.arch}, Node ${process.versions.node}, Stepwell ${version}`;
    const names = contenders.map(({ name }) => name);
    printResult(environment, `${table(results, names)}\n\n${machine}`, { machine, rounds: ROUNDS, results });
  } finally {
    for (const { child } of contenders) child.kill();
  }
}

interface Contender {
  readonly name: string;
  readonly child: ChildProcess;
  /** Sends a line, and returns the line of the answer; undefined after the end of the process. */
  ask(line: string): Promise<string | undefined>;
}

async function startAll(): Promise<readonly Contender[]> {
  const program = fileURLToPath(new URL("bench-engine.js", import.meta.url));
  const started = [
    await start("native", process.execPath, [program], { STEPWELL_ENGINE: "native" }),
    await start("Rust", process.execPath, [program], { STEPWELL_ENGINE: "rust" }),
    await start("WebAssembly", process.execPath, [program], { STEPWELL_ENGINE: "wasm" }),
    // Idle threads sleep, as the package of the native engine has set it for its own: on a busy machine they would take its time.
    await start("torch", "python3", ["-c", torchProgram], {
      OMP_WAIT_POLICY: process.env.OMP_WAIT_POLICY ?? "passive",
    }),
  ];
  return started.filter((contender) => contender !== undefined);
}

/** In milliseconds; a contender has hung if its start takes longer. Python imports torch in up to 20 s on a busy machine. */
const START_LIMIT = 120_000;

/** Starts a contender; undefined if it does not run here. */
async function start(
  name: string,
  command: string,
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<Contender | undefined> {
  const child = spawn(command, args, { env: { ...process.env, ...variables }, stdio: ["pipe", "pipe", "ignore"] });
  // A program that is absent, or that has ended.
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : (value as string);
  };
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, START_LIMIT, undefined);
  });
  const [word, release] = ((await Promise.race([next(), tooLate])) ?? "").split(" ");
  clearTimeout(timer);
  if (word !== "ready") {
    child.kill("SIGKILL");
    child.stdout.destroy();
    return undefined;
  }
  return {
    name: release === undefined ? name : `${name} ${release}`,
    child,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
  };
}

async function measure(contenders: readonly Contender[], seconds: number): Promise<readonly BenchResult[]> {
  const cases = Object.keys(benchCases) as BenchCase[];
  const slice = (seconds * 1000) / (ROUNDS + 1) / cases.length / contenders.length;
  const times = new Map<string, number[]>();
  // The first round warms caches and compilers, and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of cases) {
      for (const contender of contenders) {
        const answer = Number(await contender.ask(`${name} ${slice}`));
        if (!(answer > 0))
          throw new CommandError("ERR_ENGINE", `bench: ${contender.name} ended in ${name}`, exitCodes.failed);
        const key = `${name} ${contender.name}`;
        if (round > 0) times.set(key, [...(times.get(key) ?? []), answer]);
      }
    }
  }
  const [first] = contenders;
  return cases.flatMap((name) =>
    contenders.map((contender) => {
      const own = times.get(`${name} ${contender.name}`) ?? [];
      const base = times.get(`${name} ${first?.name}`) ?? [];
      const ratio = median(own.map((time, round) => time / (base[round] ?? time)));
      return { case: name, contender: contender.name, seconds: median(own), ratio };
    }),
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function table(results: readonly BenchResult[], contenders: readonly string[]): string {
  const rows = (Object.keys(benchCases) as BenchCase[]).map((name) => [
    benchCases[name],
    ...contenders.map((contender, index) => {
      const found = results.find((result) => result.case === name && result.contender === contender);
      const time = `${((found?.seconds ?? 0) * 1e6).toFixed(0)} µs`;
      return index === 0 ? time : `${time} (${found?.ratio.toFixed(2)} x)`;
    }),
  ]);
  return textTable(
    [["", ...contenders], ...rows],
    contenders.map((_, index) => index + 1),
  );
}
