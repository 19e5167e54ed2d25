// The process group that this process is in.

import type { ProcessGroup } from "../../types/process-groups.js";

/** The group; undefined before `initProcessGroup` and after `destroyProcessGroup`. */
export let joinedGroup: ProcessGroup | undefined;

/** Keeps the group that was joined, or forgets the one that was left. */
export function setJoinedGroup(group: ProcessGroup | undefined): void {
  joinedGroup = group;
}
