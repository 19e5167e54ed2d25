// The object of a handle as JSON.

import type { TypedTensor } from "../binding.js";
import { StepwellError } from "../errors.js";
import { Handle } from "../handle.js";
import { type LossOutline, lossOf, type ModelOutline } from "../printing/outline.js";
import { withJson } from "../values/json.js";

/** The object of a handle as `JSON.stringify` writes it. Exact: `tensor`, `module` and `opt` make the object of it again. */
export function jsonOf(call: (command: string, args: readonly unknown[]) => unknown, handle: Handle): unknown {
  const stateOf = (object: unknown) => withJson(call("state", [object]));
  const kind = Handle.kindOf(handle);
  switch (kind) {
    case "tensor":
      // The method that `withJson` defines.
      return (withJson(call("data", [handle]) as TypedTensor) as TypedTensor & { toJSON(): unknown }).toJSON();
    case "module":
    case "optimizer":
      return stateOf(handle);
    case "loss":
      return withJson(lossOf(call("outline", [handle]) as LossOutline));
    case "model": {
      const [, loss] = call("outline", [handle]) as ModelOutline;
      const parts = [call("module", [handle]), call("opt", [handle])];
      try {
        const [module, optimizer] = parts.map(stateOf);
        return { module, loss: withJson(lossOf(loss)), optimizer };
      } finally {
        for (const part of parts) call("release", [part]);
      }
    }
    default: {
      const message = `toJSON: expected an object that has JSON, given a ${kind}: write the tensors that it was made of`;
      throw new StepwellError("ERR_ARGUMENT", message);
    }
  }
}
