// Modules as trees.

import type { TextStyle } from "../inspect.js";
import { brief } from "../values/describe.js";
import type { Call } from "./call.js";
import { optionsText } from "./options.js";
import { counted, elementsOf, type ModuleOutline, type TensorOutline, tensorsOf } from "./outline.js";

/** Modules of a tree that a text shows: a screen of 24 lines twice. */
const MAX_MODULES = 50;

/** A module of a tree with its place in it. */
interface Place {
  readonly row: ModuleOutline;
  /** Its name, or its position among its siblings. */
  readonly key: string;
  /** The tensors that no module before it has. */
  readonly own: readonly TensorOutline[];
}

/**
 * A module as a tree: a line for each module, with its options and the elements of its parameters. `names` has the dotted name of
 * each parameter once, at its first place.
 */
export function moduleText(
  call: Call,
  rows: readonly ModuleOutline[],
  names: readonly string[],
  style: TextStyle,
): string {
  const places = placesOf(rows, new Set(names));
  const [root, ...others] = places as readonly [Place, ...Place[]];
  const head = `Module ${layerText(call, root.row, style)}, ${parametersText(places.flatMap(({ own }) => own))}`;
  const inDepth = others.filter(({ row }) => row.depth <= style.depth);
  const shown = inDepth.slice(0, MAX_MODULES);
  const lines = shown.map(
    (place) => `${"  ".repeat(place.row.depth)}${brief(place.key)}: ${lineText(call, place, style)}`,
  );
  if (shown.length < others.length) lines.push(`  … ${counted(others.length - shown.length, "module")} more`);
  return [head, ...lines].join("\n");
}

function placesOf(rows: readonly ModuleOutline[], names: ReadonlySet<string>): readonly Place[] {
  // Prefixes of dotted names, and numbers of siblings so far, by depth.
  const [prefixes, siblings]: [string[], number[]] = [[], []];
  return rows.map((row) => {
    const { depth, name, parms } = row;
    const position = siblings[depth] ?? 0;
    siblings.splice(depth, Infinity, position + 1);
    const key = name === "" ? String(position) : name;
    const prefix = depth === 0 ? "" : `${prefixes[depth - 1]}${key}.`;
    prefixes[depth] = prefix;
    return { row, key, own: tensorsOf(parms).filter((parm) => names.has(prefix + parm.name)) };
  });
}

function lineText(call: Call, { row, own }: Place, style: TextStyle): string {
  const layer = layerText(call, row, style);
  if (row.parms.length === 0) return layer;
  const tied = row.parms.length - own.length;
  if (tied === row.parms.length) return `${layer}, tied`;
  return `${layer}, ${parametersText(own)}${tied > 0 ? `, ${tied} tied` : ""}`;
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
function parametersText(parms: readonly TensorOutline[]): string {
  const elements = parms.reduce((sum, { size }) => sum + elementsOf(size), 0);
  const frozen = parms.filter((parm) => !parm.grad).length;
  const kinds = [...new Set(parms.flatMap(({ dtype, device }) => [dtype, device]))];
  const others = kinds.filter((kind) => kind !== "float" && kind !== "cpu");
  const texts = [`${counted(parms.length, "parameter")} of ${counted(elements, "element")}`, ...others];
  if (frozen > 0) texts.push(frozen === parms.length ? "frozen" : `${frozen} frozen`);
  return texts.join(", ");
}
