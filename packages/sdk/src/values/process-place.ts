// The place of a process in its group: from options, and else from the environment.

import { StepwellError } from "../errors.js";
import type { ProcessGroupOptions } from "../types/process-groups.js";
import { describeValue } from "./describe.js";
import { namedOptions } from "./named-options.js";
import { refuse } from "./refuse.js";

/** The place of a process, as the engine takes it. */
export interface ProcessPlace {
  host: string;
  interface: string | null;
  rank?: unknown;
  size?: unknown;
  port?: unknown;
  timeout?: unknown;
  hosts?: unknown;
}

const names = ["rank", "size", "host", "port", "timeout", "hosts", "interface"] as const;

/** The variables of torchrun, by option. */
const variables = { rank: "RANK", size: "WORLD_SIZE", host: "MASTER_ADDR", port: "MASTER_PORT" } as const;

/** Whether torchrun or `stepwell launch` has started this process. One variable without the other is an error of {@link placeOf}. */
export const wasLaunched = () => {
  const env = globalThis.process?.env ?? {};
  return env[variables.rank] !== undefined || env[variables.size] !== undefined;
};

/** The place that options and the environment give. `fit` has no options, and takes the environment alone. */
export function placeOf(where: "initProcessGroup" | "fit", options?: unknown): ProcessPlace {
  const given = options === undefined ? {} : namedOptions<ProcessGroupOptions>(where, options, names);
  const env = globalThis.process?.env ?? {};
  const number = (option: "rank" | "size" | "port"): unknown =>
    given[option] ?? wholeNumber(where, option, env[variables[option]]);
  const [rank, size] = [number("rank"), number("size")];
  const host = given.host ?? env[variables.host] ?? missing(where, "host");
  if (typeof host !== "string") refuse(`${where}: host`, "the name or address of a host", host);
  const network = given.interface ?? (env.GLOO_SOCKET_IFNAME || null);
  if (network !== null && typeof network !== "string") {
    refuse(`${where}: interface`, "the name or address of a network interface", network);
  }
  // The program of torchrun opens the port itself.
  const hosts = given.hosts ?? (env.TORCHELASTIC_USE_AGENT_STORE === "True" ? false : undefined);
  return {
    host,
    interface: network,
    rank,
    size,
    port: number("port"),
    ...(given.timeout !== undefined && { timeout: given.timeout }),
    ...(hosts !== undefined && { hosts }),
  };
}

function wholeNumber(where: string, option: "rank" | "size" | "port", text: string | undefined): number {
  if (text === undefined) return missing(where, option);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const message = `${where}: expected a whole number in the variable ${variables[option]}, given ${describeValue(text)}`;
  throw new StepwellError("ERR_ARGUMENT", message);
}

function missing(where: string, option: keyof typeof variables): never {
  const other = where === "fit" ? "join a group by initProcessGroup before" : `give the option ${option}`;
  const advice = `start the program with torchrun or \`stepwell launch\`, or ${other}`;
  throw new StepwellError("ERR_ARGUMENT", `${where}: the variable ${variables[option]} is not set: ${advice}`);
}
