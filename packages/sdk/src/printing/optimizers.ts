// Optimizers, losses and models as text.

import type { LossScale } from "../generated/settings.js";
import type { Handle } from "../handle.js";
import type { TextStyle } from "../inspect.js";
import type { Call } from "./call.js";
import { numberText } from "./elements.js";
import { moduleText } from "./modules.js";
import { optionsText } from "./options.js";
import { counted, elementsOf, type LossOutline, lossOf, type ModelOutline, type OptimizerOutline } from "./outline.js";

/** Groups that a text shows. */
const MAX_GROUPS = 20;

/** An optimizer: a line for each group, with its rate and the options that are not the defaults. */
export function optimizerText(call: Call, handle: Handle, outline: OptimizerOutline, style: TextStyle): string {
  const [definition, schedule] = outline;
  const { optimizer, options, parms } = definition;
  const mode = definition.fused === false ? " of the tensor library" : definition.offload ? " in host memory" : "";
  const head = `Optimizer ${optimizer}${mode}`;
  const lines = options.slice(0, MAX_GROUPS).map((row, group) => {
    const own = parms.filter(({ parmgroup }) => parmgroup === group);
    const elements = own.reduce((sum, { size }) => sum + elementsOf(size), 0);
    const counts = `${counted(own.length, "parameter")} of ${counted(elements, "element")}`;
    return `group ${group}${optionsText(row, style)}, ${counts}`;
  });
  if (options.length > MAX_GROUPS) lines.push(`… ${options.length - MAX_GROUPS} more groups`);
  if (schedule !== null) {
    const { schedule: kind, ...others } = schedule as { readonly schedule: string };
    lines.push(`schedule ${kind}${optionsText(others, style)}`);
  }
  const scale = call("lossscale", [handle]) as LossScale | undefined;
  if (scale) lines.push(`loss scale ${style.paint(numberText(scale.scale), "number")}`);
  const skipped = call("skipped", [handle]) as number;
  if (skipped > 0) lines.push(`${counted(skipped, "step")} skipped`);
  if (style.depth < 1) return `${head}, ${counted(options.length, "group")}`;
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** `Loss smoothl1(beta: 0.5, reduce: "mean")`. */
export function lossText(outline: LossOutline, style: TextStyle): string {
  const { loss, ...options } = lossOf(outline);
  return `Loss ${loss}${optionsText(options, style)}`;
}

/** A model: its three parts. */
export function modelText(call: Call, handle: Handle, outline: ModelOutline, style: TextStyle): string {
  const [module, loss, optimizer] = outline;
  if (style.depth < 1) return "Model";
  const inner = { ...style, depth: style.depth - 1 };
  const own = call("module", [handle]);
  try {
    return partsText([
      moduleText(call, module, call("parmnames", [own]) as readonly string[], inner),
      lossText(loss, inner),
      optimizerText(call, handle, optimizer, inner),
    ]);
  } finally {
    call("release", [own]);
  }
}

/** The texts of the three parts as one. */
export function partsText(parts: readonly string[]): string {
  return ["Model", ...parts].join("\n").replaceAll("\n", "\n  ");
}
