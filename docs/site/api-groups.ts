// The public symbols, in groups of pages.

import { type PublicSymbol, publicSymbols } from "./symbols.js";

/** A page of symbols. */
export interface ApiPage {
  /** The last part of its address. */
  readonly file: string;
  readonly title: string;
  readonly symbols: readonly PublicSymbol[];
}

/** Pages with a heading in the table of contents. */
export interface ApiGroup {
  readonly name: string;
  readonly text: string;
  readonly pages: readonly ApiPage[];
}

/** The groups, and where their symbols are declared. A symbol is in the first group whose pattern its file fits. */
const groups: readonly (readonly [name: string, text: string, pattern: RegExp])[] = [
  ["functions", "Functions", /^node\/functions\//],
  ["classes", "Classes", /^(?:node\/(?:fluent|exports|start)|errors|handle|specifications)/],
  ["options", "Options", /^generated\//],
  ["types", "Types", /./],
];

/** Files whose symbols are on the page of another one. */
const pageOfFile: Readonly<Record<string, string>> = {
  "node/fluent/builder": "builders",
  "node/fluent/recipe": "builders",
  "node/fluent/fit-types": "fit",
  "node/fluent/training": "fit",
  "node/fluent/index": "held-objects",
  "node/fluent/step": "held-objects",
  "node/fluent/held-object": "held-objects",
  "node/exports": "package",
  "node/start": "package",
  binding: "engine",
};

const titles: Readonly<Record<string, string>> = {
  "classes/model": "Model",
  "classes/module": "Module",
  "classes/optimizer": "Optimizer",
  "classes/tensor": "Tensor",
  "classes/layers": "layers",
  "classes/presets": "presets",
  "classes/seq": "seq",
  "options/layer-forms": "Forms of layers",
  "options/options": "Optimizers",
};

const pageNameOf = ({ file, name }: PublicSymbol) => {
  // Each layer has types that only join names of the layer with PyTorch's.
  if (file === "generated/layers" && !name.endsWith("Options")) return "layer-forms";
  return pageOfFile[file] ?? file.split("/").at(-1) ?? file;
};

/** A name of a file as words. */
function titleOf(name: string): string {
  const words = name.replaceAll(/[_-]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function grouped(): readonly ApiGroup[] {
  const symbols = publicSymbols();
  const groupOf = ({ file }: PublicSymbol) => groups.find(([, , pattern]) => pattern.test(file))?.[0];
  return groups.map(([name, text]) => {
    const own = symbols.filter((symbol) => groupOf(symbol) === name);
    const files = [...new Set(own.map(pageNameOf))].sort();
    const pages = files.map((file) => ({
      file,
      title: titles[`${name}/${file}`] ?? titleOf(file),
      symbols: own.filter((symbol) => pageNameOf(symbol) === file),
    }));
    return { name, text, pages };
  });
}

/** All groups. Two bundles of one process share them, since reading the declarations takes seconds. */
const shared = globalThis as { stepwellApiGroups?: readonly ApiGroup[] };
shared.stepwellApiGroups ??= grouped();
export const apiGroups: readonly ApiGroup[] = shared.stepwellApiGroups;

/** The address of a symbol, without the mark of a heading. */
export const addressOfSymbol: ReadonlyMap<string, string> = new Map(
  apiGroups.flatMap(({ name, pages }) =>
    pages.flatMap(({ file, symbols }) =>
      symbols.map((symbol) => [symbol.name, `/api/${name}/${file}#${anchorOf(symbol.name)}`] as const),
    ),
  ),
);

/** The id of a symbol's heading. Two names may differ in capitals alone. */
export function anchorOf(name: string): string {
  return /[A-Z]/.test(name)
    ? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^-/, "type-")
    : name;
}
