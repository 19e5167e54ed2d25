// A server in a process of its own, and load on it by autocannon.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { tripsOf } from "./trips.js";

/** A server that runs. */
export interface Server {
  readonly address: string;
  /** Sends SIGTERM. Resolves to the exit code, or to the signal. */
  stop(): Promise<number | string>;
}

/** Starts a program of Node, whose first line with an address says that it listens. */
export async function start(program: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { address: await addressOf(child), stop: () => stop(child) };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (text) => {
      output += String(text);
      const [found] = /http:\/\/[\d.]+:\d+/.exec(output) ?? [];
      if (found) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
}

function stop(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? ""));
    child.kill("SIGTERM");
  });
}

/** The programs: the service of the example, and Fastify alone. */
export const programs = {
  service: fileURLToPath(import.meta.resolve("@stepwell/example-service/main")),
  alone: fileURLToPath(new URL("./alone.js", import.meta.url)),
} as const;

const trips = tripsOf(7, 1000);

/** Requests in turn: a trip that was made after every four questions. */
const requests = trips.map(({ minutes, ...trip }, index) => {
  const isMade = index % 5 === 4;
  return {
    method: "POST" as const,
    path: isMade ? "/trips" : "/estimates",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(isMade ? { ...trip, minutes } : trip),
  };
});

/** The outcome of a load. Times are in milliseconds. */
export interface Outcome {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Connections that failed, timeouts, and answers that are not 2xx. */
  readonly errors: number;
}

/** Loads a server for some seconds: at a rate per second, or as fast as the connections get answers. */
export async function load(
  address: string,
  options: { readonly seconds: number; readonly connections: number; readonly rate?: number },
): Promise<Outcome> {
  const { seconds, connections, rate } = options;
  const result = await autocannon({
    url: address,
    requests,
    connections,
    duration: seconds,
    // In seconds. If the machine is busy, an answer is late, which is not an error.
    timeout: 60,
    // autocannon 8 corrects the times of a rate by an interval of a millisecond, whatever the rate: up to seconds for an idle server.
    ...(rate === undefined ? {} : { overallRate: rate, ignoreCoordinatedOmission: true }),
  });
  const { errors, timeouts, non2xx, latency } = result;
  return {
    requests: result.requests.total,
    perSecond: result.requests.average,
    p50: latency.p50,
    p99: latency.p99,
    max: latency.max,
    errors: errors + timeouts + non2xx,
  };
}

/** Posts trips, so that weights are published, and waits until the service says so. */
export async function teach(address: string, count: number): Promise<void> {
  for (const trip of tripsOf(3, count)) {
    const body = JSON.stringify(trip);
    const answer = await fetch(`${address}/trips`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    if (!answer.ok) throw new Error(`POST /trips: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }
  while (!(await fetch(`${address}/health`)).ok) await new Promise((resolve) => setTimeout(resolve, 10));
}
