// TensorFlow.js on its WebAssembly backend, whose kernels use SIMD.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { converting } from "../dist/children/conversions.js";
import { serve } from "../dist/children/serve.js";
import { batchOf, classes, hidden, learningRate, pixels, transposed, weights } from "../dist/children/training.js";
import { gradients, moved, parameters } from "../dist/numbers.js";

const require = createRequire(import.meta.url);
setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
await tf.setBackend("wasm");
await tf.ready();

const conversions = {
  make: (table) => tf.tensor(table),
  elements: (tensor) => tensor.dataSync(),
  read: (tensor) => tensor.arraySync(),
  free: (tensor) => tensor.dispose(),
};
const adam = () => tf.train.adam(learningRate, 0.9, 0.999, 1e-8);

await serve(1, async (request) => {
  if (request.do === "make") return stepping(request.shapes);
  // Imported late: it makes tensors, for which the backend is chosen above.
  if (request.do === "gpt") return (await import("./tfjs-gpt.mjs")).transformer(request.batch);
  return request.do === "convert" ? converting(conversions, request) : training(request.batch);
});

function stepping(shapes) {
  const optimizer = adam();
  const variables = shapes.map((shape) => tf.variable(tf.tensor(parameters(shape), shape)));
  const named = shapes.map((shape, i) => ({ name: variables[i].name, tensor: tf.tensor(gradients(shape), shape) }));
  return {
    // The backend computes at once.
    step(steps) {
      for (let i = 0; i < steps; i++) optimizer.applyGradients(named);
    },
    moved: () => moved(variables.map((variable) => variable.dataSync())),
    free: () => {
      optimizer.dispose();
      tf.disposeVariables();
      tf.dispose(named);
    },
  };
}

function training(size) {
  const { images, labels } = batchOf(size);
  const start = weights();
  const matrix = (weight) => tf.tensor(transposed(weight).data, transposed(weight).shape);
  const w1 = tf.variable(matrix(start["hidden.weight"]));
  const b1 = tf.variable(tf.zeros([hidden]));
  const w2 = tf.variable(matrix(start["output.weight"]));
  const b2 = tf.variable(tf.zeros([classes]));
  const x = tf.tensor(images, [size, pixels]);
  const y = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), classes), "float32"));
  const optimizer = adam();
  const lossOf = () => {
    const h = tf.relu(tf.add(tf.matMul(x, w1), b1));
    return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(h, w2), b2));
  };
  let last = Number.NaN;
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) {
        const loss = optimizer.minimize(lossOf, true);
        last = loss.dataSync()[0];
        loss.dispose();
      }
    },
    moved: () => last,
    free: () => {
      optimizer.dispose();
      tf.disposeVariables();
      tf.dispose([x, y]);
    },
  };
}
