// Puts every new tensor and module of the native engine on a device, below the SDK: tests run there as they are.

import { createRequire } from "node:module";

type Call = (command: string, args: readonly unknown[]) => unknown;

/** Makes sessions that are opened from now on create their objects on the device, unless a call names another one. */
export function createOn(device: string): void {
  const native = createRequire(import.meta.url)("@stepwell/native") as { open(): { readonly call: Call } };
  const { open } = native;
  native.open = () => {
    const session = open();
    return { ...session, call: creatingOn(device, session.call) };
  };
}

function creatingOn(device: string, call: Call): Call {
  /** Calls with the numbers among the values as tensors on the device. Their handles are released afterwards. */
  const withTensors = (
    command: string,
    values: readonly unknown[],
    make: (values: readonly unknown[]) => unknown[],
  ) => {
    const made: bigint[] = [];
    const tensors = values.map((value) => {
      const tensor = tensorOf(value);
      if (tensor !== undefined) made.push(tensor);
      return tensor ?? value;
    });
    try {
      return call(command, make(tensors));
    } finally {
      if (made.length > 0) call("release", made);
    }
  };
  /** The tensor of numbers; undefined for a handle, and for values that the command itself refuses. */
  const tensorOf = (value: unknown) => {
    if (typeof value === "bigint" || value === null || typeof value !== "object") return undefined;
    try {
      return call("tensor", [value, device]) as bigint;
    } catch (error) {
      if (/^ERR_(?:DEVICE|MEMORY)$/.test((error as { readonly code?: string }).code ?? "")) throw error;
      return undefined;
    }
  };
  const moved = (module: unknown) => {
    try {
      call("to", [module, device]);
      return module;
    } catch (error) {
      call("release", [module]);
      throw error;
    }
  };
  return (command, args) => {
    const [first, ...rest] = args;
    switch (command) {
      case "tensor":
      case "full": {
        // Calls with too few arguments fail as they do without a device.
        const isNew =
          command === "full" ? typeof rest[0] === "number" : first !== undefined && typeof first !== "bigint";
        return call(command, isNew && !rest.some(namesDevice) ? [...args, device] : args);
      }
      case "module":
        return typeof first === "bigint" ? call(command, args) : moved(call(command, args));
      case "vector":
        return withTensors(command, args, (tensors) => [...tensors]);
      case "dict": {
        if (first === null || typeof first !== "object" || Array.isArray(first)) return call(command, args);
        const names = Object.keys(first);
        return withTensors(command, Object.values(first), (tensors) => [
          Object.fromEntries(names.map((name, i) => [name, tensors[i]])),
          ...rest,
        ]);
      }
      default:
        return call(command, args);
    }
  };
}

function namesDevice(option: unknown): boolean {
  if (typeof option === "string") return /^(?:cpu$|cuda)/.test(option);
  return option !== null && typeof option === "object" && "device" in option;
}
