// Plain JavaScript: one fused loop over Float32Array, and a hand-written classifier.

import type { Request } from "../child.js";
import { gradients, moved, parameters } from "../numbers.js";
import { converting, flatOf, tableOf } from "./conversions.js";
import { adam } from "./plain-adam.js";
import { classifier } from "./plain-classifier.js";
import { type Candidate, serve } from "./serve.js";
import { batchOf } from "./training.js";

await serve(1, (request) => {
  if (request.do === "make") return stepping(request);
  if (request.do === "train") return classifier(batchOf(request.batch));
  if (request.do === "convert") {
    const { shape } = request;
    const loops = {
      make: flatOf,
      elements: (flat: Float32Array) => flat,
      read: (flat: Float32Array) => tableOf(flat, shape),
    };
    return converting({ ...loops, free: () => {} }, request);
  }
  throw new Error("there is no such thing in plain JavaScript");
});

function stepping({ shapes, optimizer }: Request & { do: "make" }): Candidate {
  if (optimizer !== "adam") throw new Error("only Adam was written");
  const tensors = shapes.map(parameters);
  const all = shapes.map(gradients);
  const step = adam(tensors, all, 1e-3);
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) step();
    },
    moved: () => moved(tensors),
  };
}
