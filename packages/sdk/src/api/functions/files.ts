// Modules in files.

import type { LoadOptions } from "../../generated/settings.js";
import type { AnyModule } from "../../types/objects.js";
import type { LoadReport } from "../../types/results.js";
import { client } from "../client.js";

/**
 * Saves parameters and buffers by name, in the safetensors format. The file is replaced as a whole or not at all, even in a
 * crash. It keeps its mode, and its owner if the system allows that. A link is followed, also to a file that does not exist yet.
 * While it writes, there is a file `.stepwell-….tmp` in the same folder. The next save in that folder removes such files of killed
 * processes.
 */
export function save(module: AnyModule, path: string): void;
export function save(...args: readonly unknown[]): unknown {
  return client.call("save", args);
}

/**
 * Sets every parameter and buffer of a module from a file in the safetensors format, such as
 * `safetensors.torch.save_file(module.state_dict(), path)` writes. A file that fails changes nothing.
 *
 * Names and shapes must be the same. Types must be the same too, unless `cast` converts them, as PyTorch's `load_state_dict`
 * always does. A number that is too large for the type becomes infinite. A file of an older version may lack
 * `num_batches_tracked`, which then stays.
 *
 * @example
 * ```ts
 * load(m, "model.safetensors", { cast: true });
 * const { missing, unexpected, mismatched } = load(m, "pretrained.safetensors", { strict: false });
 * ```
 */
export function load(module: AnyModule, path: string, options?: LoadOptions & { readonly strict?: true }): void;
/** Sets all tensors that fit by name, shape and type, and reports the others. A file that cannot be read is still an error. */
export function load(module: AnyModule, path: string, options: LoadOptions & { readonly strict: false }): LoadReport;
/** Sets parameters and buffers from a file, and returns a report if `strict` is false. */
export function load(module: AnyModule, path: string, options?: LoadOptions): LoadReport | undefined;
export function load(...args: readonly unknown[]): unknown {
  return client.call("load", args);
}
