// Stepwell, through the entry of the first argument, on the engine of the second one; with libtorch's own optimizers too.

import { gpt, start } from "@stepwell/example-gpt/gpt";
import { pieces, randomOf } from "@stepwell/example-gpt/text";
import { sizes } from "@stepwell/example-gpt/training";
import type * as sdk from "@stepwell/sdk";
import type { Request } from "../child.js";
import { gradients, moved, parameters } from "../numbers.js";
import { type Conversion, converting } from "./conversions.js";
import { type Candidate, serve } from "./serve.js";
import { type Batch, batchOf, classes, hidden, learningRate, pixels, weights } from "./training.js";

const [entry = "@stepwell/sdk", engine] = process.argv.slice(2);
if (engine) process.env.STEPWELL_ENGINE = engine;
const api: typeof sdk = await import(entry);

/** Options of an implementation; none of Stepwell's own. */
const implementations: Readonly<Record<string, object>> = { library: { fused: false }, offload: { offload: true } };

const threads = entry === "@stepwell/sdk" ? Number(process.env.OMP_NUM_THREADS ?? 1) : 1;
await serve(threads, (request) => {
  if (request.do === "make") return stepping(request);
  if (request.do === "train") return training(batchOf(request.batch));
  if (request.do === "gpt") return characterModel(request.batch);
  if (request.do === "operations") return operations(request.gradient);
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

function characterModel(batch: number): Candidate {
  const model = gpt(api, sizes);
  start(api, model.module, randomOf(1));
  const made = api.opt("adamw", model.module, learningRate);
  const { tokens, targets } = pieces(batch, sizes.context, randomOf(2));
  let last = Number.NaN;
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) {
        api.scoped(() => {
          const loss = model.loss(tokens, targets);
          api.backward(loss);
          api.step(made, { zerograd: true });
          last = api.tensor(loss) as number;
        });
      }
    },
    moved: () => last,
    free: () => api.free(made, model.module),
  };
}

function operations(gradient: boolean): Candidate {
  const [x, y] = [0, 1].map((shift) => parameters([16]).map((number) => number + shift)) as [
    Float32Array,
    Float32Array,
  ];
  const a = gradient ? api.tensor(x, "grad") : api.tensor(x);
  const b = api.tensor(y);
  const chained = 200;
  let last = Number.NaN;
  return {
    step(steps) {
      for (let step = 0; step < steps; step++) {
        api.scoped(() => {
          let z = a;
          for (let i = 0; i < chained; i += 4) z = api.sub(api.tanh(api.mul(api.add(z, b), b)), b);
          last = (api.data(z).data as Float32Array)[7] ?? last;
        });
      }
    },
    moved: () => last,
    free: () => api.free(a, b),
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
