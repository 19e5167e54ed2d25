// The classes have a member for every function that takes an object first.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";

/** A model has a module and an optimizer, whose members do for it. */
const classes = { tensor: k.Tensor, module: k.Module, optimizer: k.Optimizer } as const;
type ClassKind = keyof typeof classes;

/** Members under another name than the one of their function; a function of several classes may have one for each. */
const names: Readonly<Record<string, string | Readonly<Partial<Record<ClassKind, string>>>>> = {
  classof: "kind",
  objtype: { tensor: "dtype", module: "type", optimizer: "type" },
  size: { tensor: "shape" },
  tensorcount: "tensorCount",
  free: "dispose",
  gradflag: "requiresGrad",
  zerograd: "zeroGrad",
  nograd: "noGrad",
  clipv: "clipValue",
  copyto: "copyTo",
  tensor: "values",
  childnames: "childNames",
  parmnames: "parameters",
  parms: "parameterDictionary",
  parm: "parameter",
  copyparms: "copyParameters",
  freeze: { tensor: "requiresGrad" },
  unfreeze: { tensor: "requiresGrad" },
  opt: "definition",
  lossscale: "lossScale",
};

/** Functions without a member, with the reason. */
const without: Readonly<Record<string, string>> = {
  vector: "JavaScript has lists",
  cat: "takes a list",
  stack: "takes a list",
  multidot: "takes a list",

  model: "the constructor of Model",
  ...Object.fromEntries(
    "distributed allReduce broadcast allGather reduceScatter"
      .split(" ")
      .map((name) => [name, "a call of all processes of a group"]),
  ),
  gain: "takes no object",

  ...Object.fromEntries(
    "knormal kuniform xnormal xuniform snormal tnormal orthogonal dirac fill filldiagonal normal uniform lognormal exponential geometric cauchy random"
      .split(" ")
      .map((name) => [name, "writes in place, and takes several objects or a selection"]),
  ),
  ...Object.fromEntries(
    "dim itemsize info leaf same"
      .split(" ")
      .map((name) => [name, "properties of the class say it: shape, dtype, device"]),
  ),
  ...Object.fromEntries(
    "children modules moduletypes parmtypes buffer buffers buffernames"
      .split(" ")
      .map((name) => [
        name,
        "a class that extends Module has the name for its own members, such as `readonly children = [...]`",
      ]),
  ),
  ...Object.fromEntries(
    "input target datasize batchinit restore shuffle unshuffle testinput testtarget testsize testinit testrestore"
      .split(" ")
      .map((name) => [name, "a program that sets the data has it"]),
  ),
};

/** The functions, with the kinds that their first parameter has by its declarations. */
function declared(): ReadonlyMap<string, ReadonlySet<ClassKind>> {
  const root = fileURLToPath(new URL("../../packages/sdk/commonjs/dist/node/functions/", import.meta.url));
  const found = new Map<string, Set<ClassKind>>();
  for (const file of readdirSync(root).filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, name, first] of text.matchAll(
      /export declare function (\w+)(?:<[^(]*>)?\((?:\.\.\.)?\w+\??: ([^,;]*?)[,)]/gs,
    )) {
      const kinds = found.get(name as string) ?? new Set();
      found.set(name as string, kinds);
      for (const kind of Object.keys(classes) as ClassKind[]) {
        const takesAll =
          /\bAnyObject\b/.test(first as string) || (/\bParameters\b/.test(first as string) && kind !== "optimizer");
        if (takesAll || new RegExp(`\\bAny${kind}\\b`, "i").test(first as string)) kinds.add(kind);
      }
    }
  }
  return found;
}

it("every function that takes an object first is a member, or an exception with a reason", () => {
  const functions = declared();
  expect(functions.size).toBeGreaterThan(60);
  const members: string[] = [];
  for (const [name, kinds] of functions) {
    for (const kind of name in without ? [] : kinds) {
      const renamed = names[name] ?? name;
      members.push(`${kind}.${typeof renamed === "string" ? renamed : (renamed[kind] ?? name)}`);
    }
  }
  expect(members.length).toBeGreaterThan(65);
  const isThere = (member: string) => {
    const [kind, key] = member.split(".") as [ClassKind, string];
    return key in classes[kind].prototype;
  };
  expect(members.filter((member) => !isThere(member))).toEqual([]);
});
