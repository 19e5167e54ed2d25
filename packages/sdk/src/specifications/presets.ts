import { presets as generated } from "../generated/presets.js";

/** Options that stand for a published variant of an optimizer. The learning rate is not among them. They cannot be changed. */
export const presets: typeof generated = /* @__PURE__ */ frozen(generated);

/** Freezes a dictionary and the dictionaries in it. */
function frozen<Data extends object>(data: Data): Data {
  for (const value of Object.values(data)) if (typeof value === "object" && value !== null) frozen(value);
  return Object.freeze(data);
}
