// What is stepped: shapes of parameters, the same for both sides, and the tensors of our side.

import { layers } from "@stepwell/example-digits/training";
import { free, grad, module, opt, tensor, vector } from "@stepwell/sdk";

type Shape = readonly number[];

/** Parameters, and how many steps make a timing of a few milliseconds or more. */
export interface Model {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly steps: number;
}

/** The model of examples/digits. */
export const demo: Model = { name: "the demo's model", shapes: shapesOf(), steps: 100 };

export const models: readonly Model[] = [
  demo,
  { name: "1000 tensors of 16", shapes: Array.from({ length: 1000 }, () => [16]), steps: 10 },
  { name: "one tensor of 4 million", shapes: [[4_000_000]], steps: 3 },
];

/** Every optimizer that steps without a closure. */
export const optimizers = ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"] as const;
export type OptimizerName = (typeof optimizers)[number];

/** Makes a model's parameters with gradients, and an optimizer with the rate 1e-3 over them. */
export function make(model: Model, optimizer: OptimizerName) {
  const parameters = model.shapes.map((shape) => {
    const parameter = tensor(filled(shape, 7919), { shape, grad: true });
    const gradient = tensor(filled(shape, 104_729), { shape });
    grad(parameter, gradient);
    free(gradient);
    return parameter;
  });
  const all = vector(...parameters);
  const made = opt(optimizer, all, 1e-3);
  free(all);
  return { parameters, optimizer: made };
}

function shapesOf(): readonly Shape[] {
  const classifier = module(layers);
  const optimizer = opt("sgd", classifier);
  const shapes = opt(optimizer).parms.map((row) => row.size);
  free(classifier, optimizer);
  return shapes;
}

export function count(model: Model): number {
  return model.shapes.reduce((sum, shape) => sum + elements(shape), 0);
}

function elements(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The numbers that tch-adam makes, too: between -0.5 and 0.5 and in no order. */
function filled(shape: Shape, factor: number): Float32Array {
  return Float32Array.from({ length: elements(shape) }, (_, i) => ((i * factor) % 1000) / 1000 - 0.5);
}
