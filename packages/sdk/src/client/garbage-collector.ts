// Garbage collection on request, as Node allows it.

interface Builtins {
  getBuiltinModule?(name: string): unknown;
  cpuUsage(): { readonly user: number };
}
interface V8 {
  setFlagsFromString(flag: string): void;
}
interface Vm {
  runInNewContext(code: string): unknown;
  createContext(globals: object, options: { readonly microtaskMode: "afterEvaluate" }): object;
  readonly Script: new (code: string) => { runInContext(context: object): unknown };
}

/** Garbage collection on request, which a page does not have. */
export interface GarbageCollector {
  /** Collects garbage at once. */
  readonly collect: () => void;
  /** Processor time of the process so far, in milliseconds. Other programs on the machine do not change it. */
  readonly time: () => number;
}

/**
 * Collects garbage, such that a `WeakRef` of a collected object is empty afterwards. Undefined in a page,
 * where no program can ask for that.
 *
 * JavaScript keeps the object of a new `WeakRef` until the job ends, and a training loop may be a single job. The end of the
 * microtasks of a context ends that in Node, also within a job.
 */
export function garbageCollector(): GarbageCollector | undefined {
  const { process, gc } = globalThis as { readonly process?: Builtins; readonly gc?: unknown };
  try {
    const vm = process?.getBuiltinModule?.("node:vm") as Vm | undefined;
    const v8 = process?.getBuiltinModule?.("node:v8") as V8 | undefined;
    if (process === undefined || vm === undefined || v8 === undefined) return undefined;
    const collect = typeof gc === "function" ? (gc as () => void) : collectorOf(v8, vm);
    const context = vm.createContext({}, { microtaskMode: "afterEvaluate" });
    const nothing = new vm.Script("0");
    return {
      collect: () => {
        nothing.runInContext(context);
        collect();
      },
      time: () => process.cpuUsage().user / 1000,
    };
  } catch {
    return undefined;
  }
}

/** The function `gc`, which V8 gives to contexts that are made while its flag is set. */
function collectorOf(v8: V8, vm: Vm): () => void {
  v8.setFlagsFromString("--expose-gc");
  try {
    return vm.runInNewContext("gc") as () => void;
  } finally {
    v8.setFlagsFromString("--no-expose-gc");
  }
}
