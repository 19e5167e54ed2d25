// The differences between the engines, as data. Every test of contract, parity and transcript runs on each of them, and expects
// equal results unless this table says otherwise.

import { createRequire } from "node:module";
import { type Dtype, type EngineName, engine } from "@stepwell/sdk";

interface Differences {
  /** How an optimizer can be implemented: `true` is Stepwell's own, `false` the tensor library's. */
  readonly implementations: readonly boolean[];
  /** The types of numbers that tensors have. */
  readonly dtypes: readonly Dtype[];
  /** The numbers of threads that can be set. */
  readonly threads: readonly number[];
  /** Whether files are read and written piece by piece, so that one takes no memory of its size. */
  readonly streamsFiles: boolean;
  /** Whether asynchronous calls run on a thread, which has no functions of the program. Otherwise they run in turns of the event loop. */
  readonly hasThread: boolean;
  /** Whether a backward is refused whose graph reaches a parameter that an asynchronous call has. */
  readonly leasedGraphs: boolean;
  /** The largest size of a dimension that is not cut off. */
  readonly largestSize: number;
  /** Whether normalisation keeps all digits of a mean that is far from 0; libtorch's kernels round it to 32 bits. */
  readonly exactMeans: boolean;
  /** Operations on tensors that the engine does not have. */
  readonly lacking: readonly string[];
  /** The code of the binding's own error for a value that it cannot convert. */
  readonly refusal: string;
}

const exact = ["float", "double", "long", "bool"] as const;

const linearAlgebra =
  "det logdet slogdet mrank inverse pinverse solve trisolve lstsq chol cholx cholinverse cholsolve lu lux lun lusolve qr " +
  "householder svd svdvals eigh eigvalsh nnorm";

const table: Readonly<Record<EngineName, Differences>> = {
  native: {
    implementations: [true, false],
    dtypes: [...exact, "half", "bfloat16"],
    threads: [1, 2, 3],
    streamsFiles: true,
    hasThread: true,
    leasedGraphs: true,
    largestSize: Number.MAX_SAFE_INTEGER,
    exactMeans: false,
    lacking: [],
    refusal: "InvalidArg",
  },
  rust: {
    implementations: [true],
    dtypes: exact,
    threads: [1, 2, 3],
    streamsFiles: true,
    hasThread: true,
    leasedGraphs: true,
    largestSize: Number.MAX_SAFE_INTEGER,
    exactMeans: true,
    lacking: linearAlgebra.split(" "),
    refusal: "InvalidArg",
  },
  wasm: {
    implementations: [true],
    dtypes: exact,
    threads: [1],
    streamsFiles: false,
    hasThread: false,
    leasedGraphs: false,
    largestSize: 2 ** 32 - 1,
    exactMeans: true,
    lacking: linearAlgebra.split(" "),
    refusal: "ERR_ARGUMENT",
  },
};

/** The properties of the engine that runs. */
export const differences = table[engine];

/** The types in the list that the engine has. */
export function supported<Name extends Dtype>(...dtypes: readonly Name[]): readonly Name[] {
  return dtypes.filter((dtype) => differences.dtypes.includes(dtype));
}

/** The package of each engine, or an entry of it. */
const enginePackages = { native: "@stepwell/native", rust: "@stepwell/native/rust", wasm: "@stepwell/wasm" } as const;

/** The package of the engine that runs. */
export const enginePackage = enginePackages[engine];

/** The engine itself, with a session of its own, without the SDK around it. */
export const binding = (
  createRequire(import.meta.url)(enginePackage) as {
    open(): { call(command: string, args: readonly unknown[]): unknown };
  }
).open();

/** Whether the engine lacks an operation with these arguments: powers of an inverse and norms of singular values are linear algebra. */
export function isLacking(name: string, args: readonly unknown[]): boolean {
  const isInverse = name === "power" && Number(args[1]) < 0;
  const isOfSingularValues = name === "mnorm" && Math.abs(Number(args[1] ?? 2)) === 2;
  return differences.lacking.includes(name) || (differences.lacking.length > 0 && (isInverse || isOfSingularValues));
}
