// `stepwell doctor`: says which engines train on this machine, and the remedy for those that do not.

import { spawn } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { CudaStatus, EngineInfo, EngineName } from "@stepwell/sdk";
import { CommandError, exitCodes } from "../command-error.js";
import { type Environment, printResult } from "../output/environment.js";
import { byteCount } from "../output/numbers.js";
import { textTable } from "../output/text-table.js";
import { packageVersion, version } from "../output/versions.js";

/** The report of an engine on itself. */
export interface EngineReport {
  /** The engine. */
  readonly engine: EngineName;
  /** Whether a training gave the right result. */
  readonly trains: boolean;
  /** Threads of an operation. */
  readonly threads?: number;
  /** The libtorch that runs. */
  readonly libtorch?: EngineInfo["libtorch"];
  /** Devices of CUDA. */
  readonly cuda?: CudaStatus;
  /** The error, if it does not train. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Everything that `doctor` finds. */
export interface DoctorReport {
  /** Versions of packages and of Node; null for a package that is not installed. */
  readonly versions: Readonly<Record<string, string | null>>;
  /** The machine. */
  readonly machine: {
    readonly platform: string;
    readonly processor: string;
    readonly cores: number;
    readonly memory: number;
  };
  /** Environment variables that change the engine, as they are set. */
  readonly variables: Readonly<Record<string, string>>;
  /** All engines, the best one first. */
  readonly engines: readonly EngineReport[];
  /** The engine that programs get here; null if none trains. */
  readonly used: EngineName | null;
  /** Whether programs can train. */
  readonly works: boolean;
}

/** All engines, the best one first, with the names for people. */
const labels: Readonly<Record<EngineName, string>> = { native: "native", rust: "Rust", wasm: "WebAssembly" };
const engineNames = Object.keys(labels) as EngineName[];

/** Variables that change which engine runs, and how. */
const variables = ["STEPWELL_ENGINE", "LIBTORCH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "STEPWELL_CUDA"];

/** Runs the command. */
export async function doctor(environment: Environment): Promise<void> {
  const report = await examine();
  printResult(environment, describe(report), report);
  if (!report.works) {
    throw new CommandError("ERR_ENGINE", "doctor: training does not work on this machine", exitCodes.failed);
  }
}

/** Examines this machine. Each engine runs in a process of its own: a crash of one is a finding. */
export async function examine(): Promise<DoctorReport> {
  const engines = await Promise.all(engineNames.map(tryEngine));
  const wanted = process.env.STEPWELL_ENGINE;
  const usable = engines.filter(({ engine, trains }) => trains && (!wanted || wanted === engine));
  const used = usable[0]?.engine ?? null;
  return {
    versions: {
      "@stepwell/cli": version,
      "@stepwell/sdk": packageVersion("@stepwell/sdk"),
      node: process.versions.node,
    },
    machine: {
      platform: `${process.platform}-${process.arch}`,
      processor: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      memory: totalmem(),
    },
    variables: Object.fromEntries(
      variables.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]])),
    ),
    engines,
    used,
    works: used !== null,
  };
}

/** Trains with an engine in another process. */
export async function tryEngine(engine: EngineName): Promise<EngineReport> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("engine-trial.js", import.meta.url))], {
    env: { ...process.env, STEPWELL_ENGINE: engine },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (bytes) => {
    stdout += bytes;
  });
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  const end = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (status, signal) => resolve(signal ? `signal ${signal}` : `status ${status}`));
  });
  try {
    return JSON.parse(stdout) as EngineReport;
  } catch {
    const last = stderr.trim().split("\n").at(-1) ?? "";
    return {
      engine,
      trains: false,
      error: { code: "ERR_ENGINE", message: `its process ended by ${end}. ${last}`.trim() },
    };
  }
}

function describe({ versions, machine, variables, engines, used }: DoctorReport): string {
  const rows = [
    ...Object.entries(versions).map(([name, version]) => [name, version ?? "not installed"]),
    ["platform", machine.platform],
    ["processor", `${machine.processor}, ${machine.cores} cores, ${byteCount(machine.memory)}`],
    ...Object.entries(variables).map(([name, value]) => [name, value || '""']),
    ...engines.flatMap(engineRows),
  ];
  const verdict = used ? `Training works, on the ${labels[used]} engine.` : "Training does not work here.";
  return [textTable(rows), "", verdict, ...remedies(engines, variables.STEPWELL_ENGINE)].join("\n");
}

function engineRows({ engine, trains, threads, libtorch, cuda, error }: EngineReport): (readonly string[])[] {
  if (!trains) return [[engine, `does not train: ${error?.code}: ${error?.message}`]];
  const rows: (readonly string[])[] = [[engine, `trains, ${threads} ${threads === 1 ? "thread" : "threads"}`]];
  if (libtorch) rows.push(["libtorch", `${libtorch.version}, ${libtorch.path} (found by ${libtorch.source})`]);
  for (const { device, name, memory } of cuda?.devices ?? []) rows.push([device, `${name}, ${byteCount(memory)}`]);
  if (cuda && !cuda.available && engine === "native") rows.push(["cuda", `none: ${cuda.missing}`]);
  if (cuda?.library && libtorch)
    rows.push([
      "nccl",
      libtorch.nccl
        ? `${libtorch.nccl}, which no GPU has run yet`
        : "none: processes exchange tensors of the CPU alone",
    ]);
  return rows;
}

/** Sentences that say how to get an engine that does not run. The messages of errors name the command. */
function remedies(engines: readonly EngineReport[], wanted: string | undefined): readonly string[] {
  if (wanted && !Object.hasOwn(labels, wanted)) return ["Unset STEPWELL_ENGINE, or set it to native, rust or wasm."];
  const failing = engines.find(({ engine, trains }) => engine === wanted && !trains);
  if (failing && engines.some(({ trains }) => trains)) return ["Unset STEPWELL_ENGINE to use the engine that trains."];
  const native = engines.find(({ engine, trains }) => engine === "native" && !trains);
  return native ? [`For the native engine, which is faster: ${native.error?.message}`] : [];
}
