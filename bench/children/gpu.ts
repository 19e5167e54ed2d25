// Stepwell on a device: the other side of `stepOnDevice` in child.ts.

import * as api from "@stepwell/sdk";
import type { Request } from "../child.js";
import { gradients, moved, parameters } from "../numbers.js";
import { type Candidate, serve } from "./serve.js";

const threads = Number(process.env.OMP_NUM_THREADS ?? 1);
const implementations: Readonly<Record<string, object>> = {
  kernels: {},
  offload: { offload: true },
  library: { fused: false },
};

await serve(threads, (request) => {
  if (request.do !== "make") throw new Error("it is asked for steps only");
  return stepping(request);
});

function stepping(request: Request & { do: "make" }): Candidate {
  const { shapes, optimizer, options, implementation, device = "cpu", dtype = "float" } = request;
  const on = { device: device as api.Device, dtype };
  const tensors = shapes.map((shape) => {
    const parameter = api.tensor(parameters(shape), { shape, grad: true, ...on });
    const gradient = api.tensor(gradients(shape), { shape, ...on });
    api.grad(parameter, gradient);
    api.free(gradient);
    return parameter;
  });
  const last = api.tensor([0], on);
  const all = api.vector(...tensors);
  const made = api.opt(optimizer as "adam", all, { ...options, ...implementations[implementation] });
  api.free(all);
  /** Reading one number waits for the stream. */
  const wait = () => api.tensor(last);
  return {
    step(steps) {
      wait();
      const start = process.hrtime.bigint();
      for (let i = 0; i < steps; i++) api.step(made);
      const called = process.hrtime.bigint();
      wait();
      const done = process.hrtime.bigint();
      return [Number(called - start), Number(done - start)];
    },
    moved: () => moved(numbersOf(tensors)),
    free: () => api.free(made, last, ...tensors),
  };
}

function* numbersOf(tensors: readonly api.TensorHandle[]) {
  for (const tensor of tensors) yield api.data(tensor).data as Float32Array;
}
