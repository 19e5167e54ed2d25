// Types of training by several processes.

import type { GroupOptions } from "../generated/settings.js";

/** The place of a process in its group. Options that are left out come from the environment. */
export interface ProcessGroupOptions extends GroupOptions {
  /** The name or address of the host where the processes meet: `MASTER_ADDR`. */
  readonly host?: string;
  /**
   * The network interface that this process uses: its name, or an address or host name that it has; several have commas between them. By
   * default `GLOO_SOCKET_IFNAME`, or else the interface that reaches the host.
   */
  readonly interface?: string;
}

/** The group of a process. */
export interface ProcessGroup {
  /** The number of this process, from 0. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
}

/** How elements of several processes become one. `mean` is for elements of floating point. */
export type ReduceOperation = "sum" | "mean" | "min" | "max" | "product";
