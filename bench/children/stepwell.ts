// Stepwell, on the engine whose package is the argument; with libtorch's own optimizers too.

import type * as sdk from "@stepwell/sdk";
import type { Request } from "../child.js";
import { gradients, moved, parameters } from "../numbers.js";
import { type Conversion, converting } from "./conversions.js";
import { type Candidate, serve } from "./serve.js";
import { type Batch, batchOf, classes, hidden, learningRate, pixels, weights } from "./training.js";

const [engine = "@stepwell/sdk"] = process.argv.slice(2);
const api: typeof sdk = await import(engine);

/** Options of an implementation; none of Stepwell's own. */
const implementations: Readonly<Record<string, object>> = { library: { fused: false }, offload: { offload: true } };

const threads = engine === "@stepwell/sdk" ? Number(process.env.OMP_NUM_THREADS ?? 1) : 1;
await serve(threads, (request) => {
  if (request.do === "make") return stepping(request);
  if (request.do === "train") return training(batchOf(request.batch));
  if (request.do === "convert") return conversions(request);
  return calling();
});

function stepping({ shapes, optimizer, options, implementation }: Request & { do: "make" }): Candidate {
  const tensors = shapes.map((shape) => {
    const parameter = api.tensor(parameters(shape), { shape, grad: true });
    const gradient = api.tensor(gradients(shape), { shape });
    api.grad(parameter, gradient);
    api.free(gradient);
    return parameter;
  });
  const all = api.vector(...tensors);
  const made = api.opt(optimizer as "adam", all, { ...options, ...implementations[implementation] });
  api.free(all);
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) api.step(made);
    },
    moved: () => moved(numbersOf(tensors)),
    free: () => api.free(made, ...tensors),
  };
}

function* numbersOf(tensors: readonly sdk.TensorHandle[]) {
  for (const tensor of tensors) yield api.data(tensor).data;
}

function training({ images, labels }: Batch): Candidate {
  const model = api.module(
    api.seq("sequential", ["linear", "hidden", pixels, hidden], "relu", ["linear", "output", hidden, classes]),
  );
  for (const [name, { data, shape }] of Object.entries(weights())) {
    const from = api.tensor(data, { shape });
    const to = api.parm(model, name);
    api.copyto(from, to);
    api.free(from, to);
  }
  const made = api.opt("adam", model, learningRate);
  const input = api.tensor(images, { shape: [labels.length, pixels] });
  let last = Number.NaN;
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) {
        api.zerograd(made);
        const logits = api.forward(model, input);
        const loss = api.ce(logits, labels);
        api.backward(loss);
        api.step(made);
        last = api.tensor(loss) as number;
        api.free(logits, loss);
      }
    },
    moved: () => last,
    free: () => api.free(made, model, input),
  };
}

function calling(): Candidate {
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) api.handlecount();
    },
    moved: () => 0,
  };
}

function conversions(request: Conversion): Candidate {
  const elements = (tensor: sdk.TensorHandle) => api.data(tensor).data as Float32Array;
  return converting(
    {
      make: (table) => api.tensor(table),
      elements,
      read: (tensor) => api.tensor(tensor),
      free: (tensor) => api.free(tensor),
    },
    request,
  );
}
