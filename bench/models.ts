// The models: shapes of their parameters.

import { layers } from "@stepwell/example-digits/training";
import { free, module, opt } from "@stepwell/sdk";
import type { Shape } from "./numbers.js";

export interface Model {
  /** Stands in results and on the command line. */
  readonly name: string;
  readonly shapes: readonly Shape[];
}

const million = 1 << 20;

/** The model of examples/digits. */
export const demo: Model = { name: "demo", shapes: shapesOfDemo() };
export const tiny: Model = { name: "1000x16", shapes: Array.from({ length: 1000 }, () => [16]) };
export const small: Model = { name: "1000x1024", shapes: Array.from({ length: 1000 }, () => [1024]) };
export const medium: Model = { name: "16x1M", shapes: Array.from({ length: 16 }, () => [million]) };
export const huge: Model = { name: "1x64M", shapes: [[64 * million]] };
export const resnet50: Model = { name: "ResNet-50", shapes: shapesOfResNet50() };
export const bert: Model = { name: "BERT-base", shapes: shapesOfBert() };
/** Eight layers of 512 x 512 with biases. */
export const square: Model = {
  name: "8x512x512",
  shapes: Array.from({ length: 8 }, () => [[512, 512], [512]]).flat(),
};

function shapesOfDemo(): readonly Shape[] {
  const classifier = module(layers);
  const optimizer = opt("sgd", classifier);
  const shapes = opt(optimizer).parms.map((row) => row.size);
  free(classifier, optimizer);
  return shapes;
}

/** As torchvision's: 161 tensors, 25,557,032 parameters. */
function shapesOfResNet50(): readonly Shape[] {
  const convolution = (outputs: number, inputs: number, size: number): readonly Shape[] => [
    [outputs, inputs, size, size],
    [outputs],
    [outputs],
  ];
  const shapes: Shape[] = [...convolution(64, 3, 7)];
  let inputs = 64;
  for (const [width, blocks] of [
    [64, 3],
    [128, 4],
    [256, 6],
    [512, 3],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      shapes.push(
        ...convolution(width, inputs, 1),
        ...convolution(width, width, 3),
        ...convolution(4 * width, width, 1),
      );
      if (block === 0) shapes.push(...convolution(4 * width, inputs, 1));
      inputs = 4 * width;
    }
  }
  return [...shapes, [1000, inputs], [1000]];
}

/** Without a head: 199 tensors, 109,482,240 parameters. */
function shapesOfBert(): readonly Shape[] {
  const width = 768;
  const norm: readonly Shape[] = [[width], [width]];
  const linear = (inputs: number, outputs: number): readonly Shape[] => [[outputs, inputs], [outputs]];
  const square = linear(width, width);
  const layer = [
    ...[...square, ...square, ...square, ...square, ...norm],
    ...[...linear(width, 4 * width), ...linear(4 * width, width), ...norm],
  ];
  const embeddings: readonly Shape[] = [[30_522, width], [512, width], [2, width], ...norm];
  return [...embeddings, ...Array.from({ length: 12 }, () => layer).flat(), ...square];
}
