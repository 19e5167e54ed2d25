// The process group that this process is in.

import { callAsync } from "../../client/asynchronous-calls.js";
import { StepwellError } from "../../errors.js";
import type { ProcessGroup } from "../../types/process-groups.js";
import { placeOf } from "../../values/process-place.js";
import { client } from "../client.js";

/** The group; undefined before it is joined and after it is left. */
export let joinedGroup: ProcessGroup | undefined;

/** Joins the group at the place that options of `initProcessGroup` and the environment give. `where` names the call in messages. */
export async function joinGroup(where: "initProcessGroup" | "fit", options?: unknown): Promise<ProcessGroup> {
  const { host, interface: network, ...place } = placeOf(where, options);
  joinedGroup = (await callOfGroup("initProcessGroup", [host, network, place], where)) as ProcessGroup;
  return joinedGroup;
}

/** Leaves the group. */
export async function leaveGroup(args: readonly unknown[]): Promise<void> {
  await callOfGroup("destroyProcessGroup", args);
  joinedGroup = undefined;
}

/** Calls a command that waits for the other processes, on the thread of the engine. */
export async function callOfGroup(command: string, args: readonly unknown[], name = command): Promise<unknown> {
  if (client.hasThread) return callAsync(client, command, args, { name });
  const message = `${name}: WebAssembly trains in one process: use the native engine`;
  throw new StepwellError("ERR_UNSUPPORTED", message);
}
