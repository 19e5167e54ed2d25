// The object of a handle as text. Writing a text changes no object, no random numbers and no graph, and never throws.

import type { StepwellError } from "../errors.js";
import { Handle } from "../handle.js";
import type { TextStyle } from "../inspect.js";
import { brief } from "../values/describe.js";
import type { Call } from "./call.js";
import { moduleText } from "./modules.js";
import { lossText, modelText, optimizerText } from "./optimizers.js";
import {
  type LossOutline,
  type ModelOutline,
  type ModuleOutline,
  type OptimizerOutline,
  type TensorOutline,
  tensorsOf,
} from "./outline.js";
import { tensorsText, tensorText } from "./tensors.js";

/** The object of a handle as text; its kind and a reason if it cannot be read. */
export function objectText(call: Call, handle: Handle, style: TextStyle): string {
  const kind = Handle.kindOf(handle);
  try {
    return written(call, handle, kind, style);
  } catch (error) {
    return `${title(kind)} (${reason(error)})`;
  }
}

function written(call: Call, handle: Handle, kind: ReturnType<typeof Handle.kindOf>, style: TextStyle): string {
  const outline = call("outline", [handle]);
  switch (kind) {
    case "tensor":
      return tensorText(call, handle, tensorsOf(outline)[0] as TensorOutline, style);
    case "vector":
    case "dictionary":
      return tensorsText(title(kind), tensorsOf(outline), style);
    case "module":
      return moduleText(
        call,
        outline as readonly ModuleOutline[],
        call("parmnames", [handle]) as readonly string[],
        style,
      );
    case "optimizer":
      return optimizerText(call, handle, outline as OptimizerOutline, style);
    case "loss":
      return lossText(outline as LossOutline, style);
    case "model":
      return modelText(call, handle, outline as ModelOutline, style);
  }
}

const title = (kind: string) => kind.charAt(0).toUpperCase() + kind.slice(1);

function reason(error: unknown): string {
  const { code, message } = error as StepwellError;
  switch (code) {
    case "ERR_HANDLE_FREED":
      return "freed";
    case "ERR_HANDLE_INVALID":
      return "of an engine that reset() has replaced";
    case "ERR_ENGINE_POISONED":
      return "lost: its engine has stopped, and reset() starts another";
    default:
      return brief(String(message));
  }
}
