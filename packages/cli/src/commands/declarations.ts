// The declarations of the SDK with their documentation: functions, and the options of optimizers and layers.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A declaration of a function. */
export interface Signature {
  readonly about: string;
  readonly declaration: string;
}

const folder = () => {
  const root = dirname(createRequire(import.meta.url).resolve("@stepwell/sdk/package.json"));
  return join(root, "commonjs", "dist");
};

/** The functions of the SDK by name. */
export function functionSignatures(): ReadonlyMap<string, readonly Signature[]> {
  const found = new Map<string, Signature[]>();
  const functions = join(folder(), "node", "functions");
  for (const file of readdirSync(functions).filter((file) => file.endsWith(".d.ts"))) {
    const text = readFileSync(join(functions, file), "utf8");
    for (const [, comment = "", declaration = "", name = ""] of text.matchAll(
      /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?export declare (function (\w+)[\s\S]*?;)$/gm,
    )) {
      const entry = { about: withoutStars(comment), declaration: declaration.replace(/\s+/g, " ") };
      found.set(name, [...(found.get(name) ?? []), entry]);
    }
  }
  return found;
}

/** The text of each option by its name: of the optimizers and layers by their names, and `implementation`, which is of each optimizer. */
export function optionTexts(): {
  readonly named: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly implementation: Readonly<Record<string, string>>;
} {
  const read = (...path: readonly string[]) => readFileSync(join(folder(), ...path), "utf8");
  const named = new Map<string, Readonly<Record<string, string>>>();
  for (const [file, list] of [
    ["options.d.ts", "OptionsOf"],
    ["layers.d.ts", "LayerOptionsOf"],
  ] as const) {
    const text = read("generated", file);
    for (const [, name = "", type = ""] of bodyOf(text, list).matchAll(/readonly (\w+): (\w+);/g)) {
      named.set(name, textsOf(bodyOf(text, type)));
    }
  }
  return { named, implementation: textsOf(bodyOf(read("types", "arguments.d.ts"), "Implementation")) };
}

function bodyOf(text: string, name: string): string {
  return new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? "";
}

/** The texts of an interface. The names of PyTorch are a part of the text of the option that they stand for. */
function textsOf(body: string): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [, comment = "", name = ""] of body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)\??:/g)) {
    const about = withoutStars(comment).replaceAll("\n", " ");
    const originals = /^(?:PyTorch's name|JavaScript's spelling) of (.*)\.$/.exec(about)?.[1];
    // The default has a column of its own.
    if (originals === undefined) texts[name] = about.replace(/ Default (?!.* Default ).*\.$/, "");
    for (const [, original = ""] of originals?.matchAll(/`(\w+)`/g) ?? []) {
      if (about.startsWith("PyTorch")) texts[original] = `${texts[original]} In PyTorch: ${name}.`;
    }
  }
  return texts;
}

function withoutStars(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").replaceAll(/\{@link (\w+)\}/g, "$1"))
    .join("\n")
    .trim();
}
