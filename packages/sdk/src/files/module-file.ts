// The file of a module: its tensors by name, which are set from any safetensors file.

import type { TypedTensor } from "../binding.js";
import { brief } from "../values/describe.js";
import { type Arguments, flags } from "./arguments.js";
import type { Calls } from "./calls.js";
import { applyAll } from "./changes.js";
import { arrayOf } from "./element-types.js";
import { elementChange } from "./given-tensors.js";
import { objectOf } from "./json.js";
import { checkTies, LoadReport, type NamedTensor, namedTensors, savedTensors } from "./load-report.js";
import { layoutOf } from "./module-layout.js";
import { tensorOf } from "./plain-data.js";
import { type SavedFile, writeFile } from "./safetensors.js";
import { Selection, selecting } from "./selection.js";

function tensorsOf(calls: Calls, module: bigint): readonly NamedTensor[] {
  const { parameters, buffers } = layoutOf(calls, module);
  return namedTensors(calls, module, [...parameters, ...buffers], calls.tensorsOf(module), (name) => name);
}

/** The bytes of the file of a module. A tensor that it has twice is there under its first name. */
export function moduleBytes(calls: Calls, module: bigint, place: string): Uint8Array {
  const first = new Map<number, NamedTensor>();
  for (const tensor of tensorsOf(calls, module)) if (!first.has(tensor.identity)) first.set(tensor.identity, tensor);
  const arrays = Array.from(first.values(), ({ name, handle }) =>
    tensorOf(name, calls.call("data", handle) as TypedTensor),
  );
  return writeFile(arrays, objectOf({}), place);
}

/** Sets the tensors of a module from a file, all or none. With `strict: false` those that fit, and returns a report of the others. */
export function loadModule(calls: Calls, module: bigint, args: Arguments, open: () => SavedFile): unknown {
  const given = args.options();
  args.finish();
  const [selection, others] = Selection.take(given);
  const defaults = { cast: false, strict: true, verify: true };
  const { cast, strict, verify } = flags("load", others, defaults, selecting);
  const file = open();
  if (verify) file.verify();
  const all = tensorsOf(calls, module);
  const names = selection.names(
    all.map(({ name }) => name),
    file,
  );
  const own = savedTensors(
    all.filter(({ name }) => names.selects(name)),
    names,
  );
  const report = new LoadReport(own, names, cast);
  if (strict) report.requireAll(brief(file.place), "the module does not have");
  checkTies(report.matched, file.place);
  applyAll(
    report.matched.map(({ own, saved, dtype }) =>
      elementChange(calls, own.handle, () => ({ ...arrayOf(dtype, saved.bytes, saved.shape) })),
    ),
  );
  return strict ? undefined : report.result;
}
