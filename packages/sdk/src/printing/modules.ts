// Modules as trees.

import type { TextStyle } from "../inspect.js";
import { brief } from "../values/describe.js";
import type { Call } from "./call.js";
import { optionsText } from "./options.js";
import { counted, elementsOf, type ModuleOutline, tensorsOf } from "./outline.js";

/** Modules of a tree that a text shows: a screen of 24 lines twice. */
const MAX_MODULES = 50;

/** A module as a tree: a line for each module, with its options and the elements of its parameters. */
export function moduleText(call: Call, rows: readonly ModuleOutline[], style: TextStyle): string {
  const [root, ...others] = rows as readonly [ModuleOutline, ...ModuleOutline[]];
  const head = `Module ${layerText(call, root, style)}, ${parametersText(rows)}`;
  const inDepth = others.filter((row) => row.depth <= style.depth);
  const shown = inDepth.slice(0, MAX_MODULES);
  const lines = shown.map((row, i) => `${"  ".repeat(row.depth)}${key(shown, i)}${lineText(call, row, style)}`);
  if (shown.length < others.length) lines.push(`  … ${counted(others.length - shown.length, "module")} more`);
  return [head, ...lines].join("\n");
}

/** The name of a module, or its position among its siblings. */
function key(rows: readonly ModuleOutline[], index: number): string {
  const { depth, name } = rows[index] as ModuleOutline;
  if (name !== "") return `${brief(name)}: `;
  let position = 0;
  for (let i = index - 1; i >= 0 && (rows[i] as ModuleOutline).depth >= depth; i--) {
    if ((rows[i] as ModuleOutline).depth === depth) position += 1;
  }
  return `${position}: `;
}

function lineText(call: Call, row: ModuleOutline, style: TextStyle): string {
  const layer = layerText(call, row, style);
  return row.parms.length === 0 ? layer : `${layer}, ${parametersText([row])}`;
}

/** A kind with the options that differ from its defaults. */
function layerText(call: Call, { module, options }: ModuleOutline, style: TextStyle): string {
  const names = Object.keys(options);
  if (names.length === 0) return module;
  const defaults = call("help", [module]) as { readonly [name: string]: unknown };
  const changed = names.filter((name) => JSON.stringify(options[name]) !== JSON.stringify(defaults[name]));
  return module + optionsText(Object.fromEntries(changed.map((name) => [name, options[name]])), style);
}

/** The number of parameters and of their elements; how many are frozen, and the types other than `float`. */
function parametersText(rows: readonly ModuleOutline[]): string {
  const parms = rows.flatMap((row) => tensorsOf(row.parms));
  const elements = parms.reduce((sum, { size }) => sum + elementsOf(size), 0);
  const frozen = parms.filter((parm) => !parm.grad).length;
  const kinds = [...new Set(parms.flatMap(({ dtype, device }) => [dtype, device]))];
  const others = kinds.filter((kind) => kind !== "float" && kind !== "cpu");
  const texts = [`${counted(parms.length, "parameter")} of ${counted(elements, "element")}`, ...others];
  if (frozen > 0) texts.push(frozen === parms.length ? "frozen" : `${frozen} frozen`);
  return texts.join(", ");
}
