// The model of a training: JSON, or a module of TypeScript or JavaScript.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyModule } from "@stepwell/sdk";
import { CommandError, fileError, formatError, usageError } from "../command-error.js";
import { isThrown, thrownProperty, thrownText } from "../thrown.js";
import { codeError, runModelCode } from "./model-code.js";

/** The shapes that a model must fit, for a function that makes one. */
export interface ModelShapes {
  /** Sizes of one input. */
  readonly inputs: readonly number[];
  /** The number of classes, or of numbers of one target. */
  readonly outputs: number;
  /** The texts of the classes; null if targets are numbers. */
  readonly classes: readonly string[] | null;
}

/** A model as the file of a run keeps it. */
export type ModelSource =
  | { readonly kind: "json"; readonly specification: unknown }
  | { readonly kind: "module"; readonly path: string };

const isJson = (argument: string) => /^\s*[[{"]/.test(argument);

/** The file that the argument `--model` names; undefined for JSON. */
export const modelFile = (argument: string) => (isJson(argument) ? undefined : argument);

/** Reads the argument `--model`: JSON, the path of a JSON file, or the path of a module. */
export function readModelSource(argument: string): ModelSource {
  if (isJson(argument)) return { kind: "json", specification: parseJson("--model", argument) };
  if (argument.endsWith(".json")) {
    let text: string;
    try {
      text = readFileSync(argument, "utf8");
    } catch (error) {
      throw fileError(argument, error);
    }
    return { kind: "json", specification: parseJson(argument, text) };
  }
  if (!/\.[cm]?[jt]s$/.test(argument)) {
    throw usageError(`--model: expected JSON, or the name of a .json, .js or .ts file, given "${argument}"`);
  }
  try {
    readFileSync(argument);
  } catch (error) {
    throw fileError(argument, error);
  }
  return { kind: "module", path: resolve(argument) };
}

function parseJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw formatError(where, `expected JSON: ${(error as Error).message}`);
  }
}

/** Makes the module of a model. Its weights come from the generator of the session. Without shapes, a function may not take them. */
export async function makeModule(source: ModelSource, shapes: ModelShapes | null): Promise<AnyModule> {
  const { module } = await import("@stepwell/sdk");
  const make = module as (specification: unknown) => AnyModule;
  if (source.kind === "json") return make(await specificationOf(source.specification));
  const exported = await importModel(source.path);
  if (shapes === null && typeof exported === "function" && exported.length > 0) {
    throw usageError(`${source.path}: it exports a function of the shapes of data, which this command does not have`);
  }
  try {
    const made: unknown =
      typeof exported === "function" ? await runModelCode(source.path, () => exported(shapes)) : exported;
    return isModule(made) ? made : make(made);
  } catch (error) {
    throw modelError(source, error);
  }
}

/** An exception of the user's code as an error that names its file; errors of the SDK, and of this program, as they are. */
export function modelError(source: ModelSource, error: unknown): unknown {
  return source.kind === "json" ? error : codeError(source.path, error);
}

/** Whether a value is a module of either layer: an object with a handle, or a handle. */
const isModule = (value: unknown): value is AnyModule =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) !== Object.prototype;

/** JSON as a specification. A list whose first element is a container, such as `["sequential", ["linear", 4, 3], "relu"]`, is `seq`. */
async function specificationOf(json: unknown): Promise<unknown> {
  if (!Array.isArray(json)) return json;
  const [head, ...rest] = json;
  const { seq } = await import("@stepwell/sdk");
  const children = await Promise.all(rest.map(specificationOf));
  try {
    return (seq as (...parts: readonly unknown[]) => unknown)(head, ...children);
  } catch {
    // The head is the kind of a layer; `module` checks the rest.
    return json;
  }
}

/** The default export of a module, or its export `model`. */
async function importModel(path: string): Promise<unknown> {
  let model: unknown;
  try {
    const exported = Object(await runModelCode(path, () => importFile(path)));
    model = exported.model ?? exported.default;
  } catch (error) {
    if (isThrown(error, CommandError)) throw error;
    const isOfSdk = thrownProperty(error, "name") === "StepwellError";
    const code = isOfSdk ? String(thrownProperty(error, "code")) : "ERR_FORMAT";
    throw new CommandError(code, `${path}: it cannot be imported: ${thrownText(error)}`);
  }
  if (model === undefined) throw formatError(path, "expected a default export or an export model, given neither");
  return model;
}

/**
 * Imports a file. Node takes `.ts` since version 22.18 only, and `.js` or `.ts` with `import` only where `package.json` has the type
 * `module`, so jiti does.
 */
async function importFile(path: string): Promise<unknown> {
  if (/\.[cm]js$/.test(path)) return await import(pathToFileURL(path).href);
  const { createJiti } = await import("jiti");
  // The caches of jiti would be files next to the model.
  return await createJiti(import.meta.url, { fsCache: false, moduleCache: true }).import(path);
}
