// Tensors, vectors and dictionaries as text.

import type { TypedTensor } from "../binding.js";
import type { Handle } from "../handle.js";
import type { TextStyle } from "../inspect.js";
import { brief } from "../values/describe.js";
import type { Call } from "./call.js";
import { elementsText, excerptOf } from "./elements.js";
import { counted, elementsOf, type TensorOutline } from "./outline.js";

/** Tensors of a list that a text shows. */
const MAX_LISTED = 20;

/** `Tensor float [2, 3] cpu [[1, 2, 3], [4, 5, 6]]`. */
export function tensorText(call: Call, handle: Handle, tensor: TensorOutline, style: TextStyle): string {
  const head = `Tensor ${propertiesText(tensor, style)}`;
  const excerpt = excerptOf(tensor.size);
  if (excerpt === undefined) return `${head} … ${counted(elementsOf(tensor.size), "element")}`;
  const { data } = call("pick", [handle, excerpt.indices]) as TypedTensor;
  const text = elementsText(excerpt, data, style);
  return `${head}${text.includes("\n") ? "\n" : " "}${text}`;
}

/** A vector or a dictionary, a line for each tensor. */
export function tensorsText(kind: string, tensors: readonly TensorOutline[], style: TextStyle): string {
  const head = `${kind} of ${counted(tensors.length, "tensor")}`;
  if (style.depth < 1 || tensors.length === 0) return head;
  const lines = tensors
    .slice(0, MAX_LISTED)
    .map((tensor, i) => `  ${kind === "Vector" ? i : brief(tensor.name)}: ${propertiesText(tensor, style)}`);
  if (tensors.length > MAX_LISTED) lines.push(`  … ${tensors.length - MAX_LISTED} more`);
  return [head, ...lines].join("\n");
}

function propertiesText({ dtype, size, device, grad }: TensorOutline, style: TextStyle): string {
  const sizes = size.map((n) => style.paint(String(n), "number")).join(", ");
  return `${style.paint(dtype, "special")} [${sizes}] ${device}${grad ? " grad" : ""}`;
}
