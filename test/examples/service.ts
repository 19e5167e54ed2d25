// The service of the examples in a process of its own, and a client of it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("@stepwell/example-service/main"));

/** The state from which a service goes on. */
export interface Resumed {
  readonly version: number;
  readonly trips: number;
}

/** A service that runs. */
export interface RunningService {
  readonly address: string;
  readonly resumed: Resumed;
  /** Its output so far. */
  output(): string;
  /** Sends a signal. Resolves to how the process ended. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts the service on what a folder has, with a checkpoint every 50 ms. Rejects with its output if it ends. */
export async function startService(folder: string, settings: NodeJS.ProcessEnv = {}): Promise<RunningService> {
  const env = { ...process.env, PORT: "0", DATA_FOLDER: folder, CHECKPOINT_SECONDS: "0.05", ...settings };
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const read = (text: unknown) => {
    output += String(text);
  };
  child.stdout?.on("data", read);
  child.stderr?.on("data", read);
  const { address, ...resumed } = await firstLines(child, () => output);
  return {
    address,
    resumed,
    output: () => output,
    end: async (signal) => {
      const ended = once(child, "exit");
      child.kill(signal);
      const [code, by] = (await ended) as [number | null, string | null];
      return { code, signal: by };
    },
  };
}

function firstLines(child: ChildProcess, output: () => string): Promise<Resumed & { readonly address: string }> {
  return new Promise((resolve, reject) => {
    const read = () => {
      const line = output()
        .split("\n")
        .find((line) => line.includes('"msg":"resumed"') && line.endsWith("}"));
      const [address] = /http:\/\/[\d.]+:\d+/.exec(output()) ?? [];
      if (line && address) resolve({ address, ...JSON.parse(line) });
    };
    child.stdout?.on("data", read);
    child.once("close", (code) => reject(new Error(`the service ended with ${code}: ${output()}`)));
  });
}

/** Posts JSON. The answer is its status and its body; undefined if the connection broke. */
export async function post(address: string, path: string, body: object) {
  try {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(address + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, number>> };
  } catch {
    return undefined;
  }
}
