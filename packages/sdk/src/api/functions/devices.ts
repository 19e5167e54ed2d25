// Functions of devices: which ones there are, what is missing, their memory, and waiting for their work.

import type { Device } from "../../types/arguments.js";
import type { CudaStatus, MemoryUse } from "../../types/devices.js";
import { isList } from "../../values/plain-data.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";

/** How many CUDA devices can be used. */
export function cudadevices(): number;
/** The names of the CUDA devices that can be used, first `cuda`, which stands for the first one. Empty without one. */
export function cudadevices(names: readonly []): readonly Device[];
export function cudadevices(...[names, ...surplus]: readonly unknown[]): number | readonly Device[] {
  if (names !== undefined && (!isList(names) || names.length > 0)) {
    refuse("cudadevices", "nothing, or an empty list for the names, as argument 1", names);
  }
  refuseSurplus("cudadevices", surplus);
  const { devices } = cudaStatus();
  if (names === undefined) return devices.length;
  return devices.length === 0 ? [] : ["cuda", ...devices.map(({ device }) => device)];
}

/**
 * Reports what the engine found of CUDA: the build of libtorch, the driver and the devices. If no device can be used, the report says
 * what is missing and what to do. Takes no memory on a device.
 */
export function cudaStatus(): CudaStatus;
export function cudaStatus(...args: readonly unknown[]): CudaStatus {
  const { libtorch } = client;
  if (libtorch === undefined) {
    refuseSurplus("cudaStatus", args);
    return withoutCuda;
  }
  const found = client.call("cudaStatus", args) as Pick<
    CudaStatus,
    "loaded" | "driver" | "devices" | "missing" | "remedy"
  >;
  const available = found.devices.length > 0;
  return { available, libtorch: libtorch.version, library: libtorch.cudaLibrary, ...found };
}

/** The report of an engine without libtorch. */
const withoutCuda: CudaStatus = {
  available: false,
  libtorch: null,
  library: null,
  loaded: false,
  driver: null,
  devices: [],
  missing: "this engine computes on the CPU alone",
  remedy: "Run the program in Node with the native engine, on a libtorch with CUDA.",
};

/**
 * Bytes that are in use on a device.
 *
 * @param device - default `cpu`
 * @throws `StepwellError` with `ERR_DEVICE` if the device cannot be used
 */
export function memory(device?: Device): MemoryUse;
export function memory(...args: readonly unknown[]): unknown {
  return client.call("memory", args);
}

/**
 * Waits until a device has done all work that was given to it. Operations on a CUDA device return before they are done, and reading
 * elements waits by itself. So only a measurement of time needs this. Also called `synchronize`.
 *
 * @param device - default: every CUDA device
 * @throws `StepwellError` with `ERR_DEVICE` if the device cannot be used, or if work on it has failed
 */
export function sync(device?: Device): void;
export function sync(...args: readonly unknown[]): void {
  client.call("sync", args);
}
