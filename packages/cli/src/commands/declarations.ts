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

/** Folders and a file whose declarations the SDK exports, if not all of them. */
const sources = [join("node", "functions"), join("node", "fluent"), join("specifications", "seq.d.ts")];

/** The declarations of a folder, or of a file. */
function declarationsIn(source: string): readonly string[] {
  const path = join(folder(), source);
  const files = source.endsWith(".d.ts") ? [path] : readdirSync(path).map((file) => join(path, file));
  return files.filter((file) => file.endsWith(".d.ts")).map((file) => readFileSync(file, "utf8"));
}

/** The functions of the SDK by the names that it exports, and the methods of its classes, such as `Model.fit`. */
export function functionSignatures(exported: ReadonlySet<string>): ReadonlyMap<string, readonly Signature[]> {
  const found = new Map<string, Signature[]>();
  const add = (name: string, comment: string, declaration: string) => {
    const entry = { about: withoutStars(comment), declaration: declaration.replace(/\s+/g, " ") };
    found.set(name, [...(found.get(name) ?? []), entry]);
  };
  for (const source of sources) {
    for (const text of declarationsIn(source)) {
      for (const [, comment = "", declaration = "", name = ""] of text.matchAll(
        // Within the type of an argument lines that end are followed by lines that are indented, or by its brace.
        /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?export declare ((?:function|const) (\w+)[\s\S]*?;)$(?!\n[ }])/gm,
      )) {
        add(name, comment, declaration);
      }
      for (const [, kind = "", body = ""] of text.matchAll(/^export declare class (\w+)[\s\S]*?\{\n([\s\S]*?)^\}/gm)) {
        if (!exported.has(kind)) continue;
        for (const [, comment = "", declaration = "", name = ""] of body.matchAll(
          /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^ {4}((?:static )?(\w+)[<(][\s\S]*?;)$(?!\n {5}| {4}\})/gm,
        )) {
          if (name !== "constructor") add(`${kind}.${name}`, comment, declaration);
        }
      }
    }
  }
  const renamed = readFileSync(join(folder(), "node", "exports.d.ts"), "utf8");
  for (const [, name = "", other = ""] of renamed.matchAll(/export \{ (\w+) as (\w+) \}/g)) {
    found.set(other, found.get(name) ?? []);
  }
  return new Map([...found].filter(([name]) => name.includes(".") || exported.has(name)));
}

/** Options of several things, as the declarations describe them. */
interface DeclaredOptions {
  /** The text of each option by its name, by the names of the things. */
  readonly named: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** The options without a default. */
  readonly required: ReadonlyMap<string, readonly string[]>;
}

/** Options in the declarations: of the optimizers and layers, of each optimizer as a whole, and of schedules. */
export function optionTexts(): DeclaredOptions & {
  readonly implementation: Readonly<Record<string, string>>;
  /** Other names of layers. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  readonly schedules: DeclaredOptions;
} {
  const read = (...path: readonly string[]) => readFileSync(join(folder(), ...path), "utf8");
  const named = new Map<string, Readonly<Record<string, string>>>();
  const required = new Map<string, readonly string[]>();
  const aliases = new Map<string, readonly string[]>();
  for (const [file, list] of [
    ["options.d.ts", "OptionsOf"],
    ["layers.d.ts", "LayerOptionsOf"],
  ] as const) {
    const text = read("generated", file);
    for (const [, name = "", type = ""] of bodyOf(text, list).matchAll(/readonly (\w+): (\w+);/g)) {
      const body = bodyOf(text, type);
      named.set(name, textsOf(body));
      required.set(name, requiredIn(body));
      // Layers of one kind have the type that is named after it.
      const kind = type.replace(/Options$/, "").toLowerCase();
      if (kind !== name) aliases.set(kind, [...(aliases.get(kind) ?? []), name]);
    }
  }
  const schedules = schedulesIn(read("generated", "schedules.d.ts"));
  const implementation = textsOf(bodyOf(read("types", "arguments.d.ts"), "Implementation"));
  return { named, required, aliases, implementation, schedules };
}

function schedulesIn(text: string): DeclaredOptions {
  const [named, required] = [new Map<string, Record<string, string>>(), new Map<string, readonly string[]>()];
  // An option that can have the name of PyTorch instead is in a choice after the others.
  for (const [, type = "", body = ""] of text.matchAll(/export type (\w+)ScheduleOptions = ([\s\S]*?)\n\}\)?;/g)) {
    named.set(type.toLowerCase(), textsOf(body));
    required.set(type.toLowerCase(), requiredIn(body));
  }
  return { named, required };
}

function bodyOf(text: string, name: string): string {
  return new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? "";
}

/** The options without a default. An option may be absent under one of its names. */
function requiredIn(body: string): readonly string[] {
  const comments = body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)\??:/g);
  const isRequired = (about: string) =>
    !/ Default [\s\S]*\.\s*$/.test(about) && !/^\s*(PyTorch|JavaScript)'s /.test(about);
  return [...new Set([...comments].filter(([, about = ""]) => isRequired(about)).map(([, , name = ""]) => name))];
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
