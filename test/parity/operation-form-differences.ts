// The operations and forms of operation_forms.json whose results differ from PyTorch's, each group for a reason.

interface Group {
  readonly reason: string;
  readonly forms: readonly string[];
  readonly operations: string;
}

const keysOf = (groups: readonly Group[]): readonly string[] =>
  groups.flatMap(({ forms, operations }) =>
    operations.split(" ").flatMap((name) => forms.map((form) => `${name} ${form}`)),
  );

const floatsOnly = "expected a floating-point tensor: the result would be rounded";

const refused: readonly (Group & { readonly code: string })[] = [
  {
    reason: "factors of 16 bits cannot be made by `lu`",
    code: "ERR_DTYPE",
    forms: ["half", "bfloat16"],
    operations: "lun",
  },
  {
    reason: floatsOnly,
    code: "ERR_DTYPE",
    forms: ["long"],
    operations:
      "relu6 softsign hardtanh tanhshrink threshold localnorm avgpool1d maxpool2d avgpool2d maxpool3d avgpool3d lppool1d lppool2d",
  },
  {
    reason: "a fraction is refused as a factor of whole numbers, where PyTorch drops its fraction",
    code: "ERR_DTYPE",
    forms: ["long"],
    operations: "addcmul",
  },
  {
    reason: "truth values are not numbers",
    code: "ERR_DTYPE",
    forms: ["bool"],
    operations: "sign square max min sort argsort msort outer addr scatteradd power unfold fold lppool1d lppool2d",
  },
  {
    reason: "no whole number stands for NaN or infinity",
    code: "ERR_DTYPE",
    forms: ["special"],
    operations: "cast",
  },
  {
    reason: "samples are checked",
    code: "ERR_(SHAPE|OPTION_RANGE|ARGUMENT)",
    forms: ["special", "empty first"],
    operations: "fmaxpool2d fmaxpool3d",
  },
  {
    reason: "pivots are checked",
    code: "ERR_SHAPE",
    forms: ["empty first"],
    operations: "lun",
  },
];

/** Where PyTorch has a result and Stepwell refuses: the code of the error, by operation and form. */
export const refusals: ReadonlyMap<string, string> = new Map(
  refused.flatMap((group) => keysOf([group]).map((key) => [key, group.code] as const)),
);

/** Where PyTorch refuses and Stepwell has a result, which equals the one of the numbers as doubles. */
export const answers: ReadonlySet<string> = new Set(
  keysOf([
    { reason: "PyTorch has no kernel of 16 bits", forms: ["half", "bfloat16"], operations: "trace pdist avgpool3d" },
    {
      reason: "whole numbers and truth values become floats, as in other operations",
      forms: ["long", "bool"],
      operations:
        "lerp addcdiv dist det inverse slogdet logdet mrank pinverse solve trisolve lstsq cholx cholinverse cholsolve lu lux lusolve " +
        "qr svdvals householder eigvalsh prelu similar rmsnorm",
    },
    { reason: "as before; the matrix of truth values has no factor", forms: ["long"], operations: "chol" },
    {
      reason: "truth values become floats",
      forms: ["bool"],
      operations:
        "addcmul mvlgamma bilinear trace pairwise zscore conv1d conv2d conv3d convtranspose1d convtranspose2d convtranspose3d linear",
    },
    { reason: "PyTorch divides by 0, which ends the process", forms: ["empty"], operations: "pdist" },
    { reason: "a tensor without dimensions stays as it is", forms: ["0-dim"], operations: "fftshift ifftshift" },
  ]),
);

/** Where Stepwell computes in float and PyTorch in whole numbers or truth values: the elements are equal, and their dtype differs. */
export const floats: ReadonlySet<string> = new Set(
  keysOf([
    {
      reason: "layers compute in floats",
      forms: ["long"],
      operations: "bilinear conv1d conv2d conv3d convtranspose1d convtranspose2d convtranspose3d linear",
    },
    { reason: "linear algebra computes in floats", forms: ["long", "bool"], operations: "lun" },
  ]),
);

/** Where PyTorch rounds to 16 bits between two operations, and Stepwell at the end: the result is compared with the one of doubles. */
export const roundedOnce: ReadonlySet<string> = new Set(["tanhshrink half", "tanhshrink bfloat16"]);
