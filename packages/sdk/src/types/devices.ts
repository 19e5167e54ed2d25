import type { Device } from "./arguments.js";

/** A CUDA device. */
export interface CudaDevice {
  /** Its name in the k-api, such as `cuda:0`. */
  readonly device: Device;
  /** The name of the product; empty if the driver does not tell it. */
  readonly name: string;
  /** Bytes of its memory; 0 if the driver does not tell them. */
  readonly memory: number;
  /** The compute capability, such as `9.0`; empty if the driver does not tell it. */
  readonly capability: string;
}

/** A report on CUDA. All properties are always present. */
export interface CudaStatus {
  /** Whether there is a device that can be used. */
  readonly available: boolean;
  /** The version of libtorch with its build, such as `2.11.0+cu130`; null for other engines. */
  readonly libtorch: string | null;
  /** The path of libtorch's CUDA library; null if libtorch has none. */
  readonly library: string | null;
  /** Whether the process has loaded that library. */
  readonly loaded: boolean;
  /** The newest version of CUDA that the driver supports, such as `13.0`; null without a driver. */
  readonly driver: string | null;
  /** The devices that can be used, in the order of their numbers. */
  readonly devices: readonly CudaDevice[];
  /** The missing piece; null if a device can be used. */
  readonly missing: string | null;
  /** The remedy, as a sentence; null if a device can be used. */
  readonly remedy: string | null;
}

/** Bytes of the memory of a device. Figures after `allocated` are there for a CUDA device. */
export interface MemoryUse {
  /** The device. */
  readonly device: Device;
  /** On the CPU an estimate for the objects of this session. On a CUDA device the bytes of all tensors of this process. */
  readonly allocated: number;
  /** Bytes that libtorch has taken from the device: in use, or kept for later tensors. */
  readonly reserved?: number;
  /** The most bytes that tensors have had at a time. */
  readonly peak?: number;
  /** Bytes that no process has taken. */
  readonly free?: number;
  /** All bytes of the device. */
  readonly total?: number;
}
