// The page docs/reference/coverage.md: names of the k-api, and names of Stepwell for them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { table } from "./table.js";

/** Names of the k-api by group, with their source. */
interface Names {
  readonly source: string;
  readonly functions: Readonly<Record<string, readonly string[]>>;
  readonly modules: Readonly<Record<string, readonly string[]>>;
  readonly losses: Readonly<Record<string, readonly string[]>>;
}

export type Kind = "functions" | "modules" | "losses";

const file = join(import.meta.dirname, "kapi.json").replace("/test/dist/", "/test/");
export const names = JSON.parse(readFileSync(file, "utf8")) as Names;

/** Another name here, for a name of the k-api whose meaning it has. Names in lower case need no entry. */
export const renamed: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  functions: {
    amend: "copyto",
    bcelogit1: "bcewithlogits",
    bcelogit2: "bcewithlogits",
    eforward: "evaluate",
    In: "isin",
    numel: "elements",
    obj: "leaks",
    sgn: "sign",
    View: "reshape",
  },
  modules: {
    batchnorm1d: "batchnorm",
    batchnorm2d: "batchnorm",
    batchnorm3d: "batchnorm",
    drop: "dropout",
    embed: "embedding",
    instancenorm1d: "instancenorm",
    instancenorm2d: "instancenorm",
    instancenorm3d: "instancenorm",
  },
  losses: { bcelogits: "bcewithlogits" },
};

/** Functions of the k-api with a name that has another meaning here. */
const differing: Readonly<Record<string, string>> = {
  data: "the data of a model; here the elements of a tensor",
  eye: "fills a given tensor; here makes one of a size",
  gradient: "the gradient of a tensor; here makes a function with a backward of its own",
  memory: "the order of a tensor's dimensions in memory; here bytes in use",
  ones: "fills a given tensor; here makes one of a shape",
  reset: "the storage of a tensor; here the session",
  zeros: "fills a given tensor; here makes one of a shape",
};

/** Why names of a group are missing. */
const reasons: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  functions: {
    elementwise: "`angle` is for complex numbers.",
    comparison: "`isreal` is for complex numbers.",
    "linear algebra":
      "The WebAssembly engine reports `ERR_UNSUPPORTED`. Results of `eig` and `eigvals` are complex, and no engine has complex tensors.",
    spectral: "Most results are complex, and no engine here has complex tensors.",
    creation: "Functions that write into a tensor in place; `makegrid` arranges images in a grid.",
    "shape and views":
      "A program here sees no view of memory: no tensor is an `alias` of another, and none changes its shape in place.",
    indexing: "`indices` is for sparse tensors. `amend(tensor, values)` is `copyto(values, tensor)` here.",
    "sparse and complex": "No engine here has sparse or complex tensors.",
    "functional forms of layers": "`randomcrop` and `randomflip` transform data.",
    "modules and models": "A module has no mode of training here: `forward` trains and `evaluate` does not.",
    "data and batches of a model": "`data(input(model))` and `data(target(model))` are the elements.",
    gradients: "The graph has no names here; `backstep` is `backward` and `step`.",
    objects:
      "Pointers and reference counts of the process of k; `String(object)` and `classof` describe an object here.",
    "properties of tensors": "Memory layout is not visible here: a program sees elements in row-major order.",
    session: "`engineInfo` has the versions. A call names its CUDA device, and images are not written.",
  },
  modules: {
    "data transforms": "Not planned: a program transforms its data before `train`.",
  },
  losses: { losses: "`pairwise` and `similar` are distances." },
};

/** Options of modules that are refused, by group. */
const refusedOptions: Readonly<Record<string, string>> = {
  convolution: 'Padding is a number for each dimension: `pad: "same"` is `ERR_OPTION_TYPE`.',
  activation: "No module writes into its input: `inplace` is `ERR_OPTION_UNKNOWN`.",
  attention: "Layers of transformers have biases: `bias` is `ERR_OPTION_UNKNOWN`, except in `attention`.",
  embedding: "Gradients are dense and are not scaled: `sparse` and `scale` are `ERR_OPTION_UNKNOWN`.",
};

function errorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String((error as Error).message);
  }
  throw new Error("no error");
}

/** Names after "one of" in the error about an unknown name. */
const listed = (call: () => unknown) =>
  errorOf(call)
    .replace(/^.*one of /, "")
    .split(", ");

/** Names that a program can use here. */
export const present: Readonly<Record<Kind, ReadonlySet<string>>> = {
  functions: new Set(Object.entries(k).flatMap(([name, value]) => (typeof value === "function" ? [name] : []))),
  // A message is cut after some names; the help has all layers and containers. Functions make the two others.
  modules: new Set([
    ...k.help("module").map((row) => row.module as string),
    "parmdict",
    k.objtype(k.callback((x) => x)),
  ]),
  losses: new Set(listed(() => k.loss("nothing" as k.LossName))),
};

/** The name here for a name of the k-api, if there is one. */
export function nameHere(kind: Kind, name: string): string | undefined {
  if (kind === "functions" && Object.hasOwn(differing, name)) return undefined;
  return [renamed[kind][name], name, name.toLowerCase()].find((here) => here !== undefined && present[kind].has(here));
}

/** Names with a name here, and all names. */
export function count(kind: Kind, group?: string): readonly [number, number] {
  const all = group === undefined ? Object.values(names[kind]).flat() : (names[kind][group] ?? []);
  return [all.filter((name) => nameHere(kind, name) !== undefined).length, all.length];
}

const percentage = (kind: Kind) => {
  const [has, all] = count(kind);
  return `${((100 * has) / all).toFixed(1)} %`;
};

const titles: Readonly<Record<Kind, string>> = {
  functions: "Functions",
  modules: "Kinds of modules",
  losses: "Losses",
};
const kinds = Object.keys(titles) as readonly Kind[];

function section(kind: Kind): string {
  const groups = Object.entries(names[kind]).map(([group, all]) => {
    const [has, of] = count(kind, group);
    const rows = all.map((name) => {
      const here = nameHere(kind, name);
      const absent = kind === "functions" && differing[name] !== undefined ? `- (${differing[name]})` : "-";
      return [`\`${name}\``, here === undefined ? absent : `\`${here}\``];
    });
    const reason = reasons[kind][group];
    if (has < of && reason === undefined) throw new Error(`no reason for ${kind}, ${group}`);
    if (has === of && reason !== undefined) throw new Error(`a reason for nothing: ${kind}, ${group}`);
    const heading = `### ${titles[kind]}: ${group}, ${has} of ${of}\n`;
    const options = kind === "modules" ? refusedOptions[group] : undefined;
    const notes = [reason, options].filter((note) => note !== undefined).map((note) => `${note}\n`);
    return [heading, ...notes, table(["k-api", "here"], rows), ""].join("\n");
  });
  return `## ${titles[kind]}\n\n${groups.join("\n")}`;
}

/** The page. */
export function page(): string {
  const counts = kinds.map((kind) => [titles[kind], ...count(kind).map(String), percentage(kind)]);
  return `# Coverage of the k-api

Written by \`test/docs/coverage.test.ts\` from the names that the package exports; not to be edited. A name counts if a function,
module or loss here has its meaning. It may have fewer options. A dash marks a name without one.

The names of the k-api are from ${names.source.replace(/:.*/, "")}.

${table(["names", "here", "k-api", "share"], counts)}

${kinds.map(section).join("\n")}`;
}
