// The training of examples/gpt in TensorFlow.js, on one batch. Its WebAssembly backend has no gradient of a gather, so that
// embeddings are products with one-hot rows. Its Adam has no decay of its own.

import * as tf from "@tensorflow/tfjs";
import { numbers, sizes, weightsOf } from "../dist/children/transformer.js";

const [beta1, beta2, eps, rate, decay] = [0.9, 0.999, 1e-8, 1e-3, 0.01];
const { characters, width, heads, layers, context } = sizes;

function norm(x, [w, b]) {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), w), b);
}
const linear = (x, [w, b]) => tf.add(tf.matMul(x, w, false, true), b);
const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

export function transformer(batch) {
  const get = Object.fromEntries(
    weightsOf(1).map(({ name, data, shape }) => [name, tf.variable(tf.tensor(data, shape))]),
  );
  const at = (name) => [get[`${name}.weight`], get[`${name}.bias`]];
  const oneHot = (rows, classes) => tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(rows, "int32"), classes), "float32"));
  const { tokens, targets } = numbers(batch);
  const x = oneHot(tokens.flat(), characters);
  const y = oneHot(targets.flat(), characters);
  const positions = Array.from({ length: batch * context }, (_, i) => i % context);
  const position = oneHot(positions, context);
  const mask = Float32Array.from({ length: context * context }, (_, i) =>
    i % context > Math.floor(i / context) ? -1e30 : 0,
  );
  const later = tf.tensor(mask, [context, context]);

  /** Rows of all tokens: products of more than two dimensions have no gradient of a matrix that all images share. */
  function attention(i, x) {
    const all = tf.reshape(linear(x, at(`qkv${i}`)), [batch, context, 3, heads, width / heads]);
    const [query, key, value] = tf.unstack(tf.transpose(all, [2, 0, 3, 1, 4]));
    const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(width / heads));
    const mixed = tf.matMul(tf.softmax(tf.add(scores, later)), value);
    return linear(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch * context, width]), at(`mix${i}`));
  }

  function lossOf() {
    let h = tf.add(tf.matMul(x, get["token.weight"]), tf.matMul(position, get["position.weight"]));
    for (let i = 0; i < layers; i++) {
      h = tf.add(h, attention(i, norm(h, at(`norm${i}`))));
      h = tf.add(h, linear(gelu(linear(norm(h, at(`norm${i}b`)), at(`up${i}`))), at(`down${i}`)));
    }
    return tf.losses.softmaxCrossEntropy(y, linear(norm(h, at("norm")), at("head")));
  }

  const optimizer = tf.train.adam(rate, beta1, beta2, eps);
  let last = Number.NaN;
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) {
        const { value, grads } = optimizer.computeGradients(lossOf);
        for (const weight of Object.values(get)) tf.tidy(() => weight.assign(tf.mul(weight, 1 - rate * decay)));
        optimizer.applyGradients(grads);
        last = value.dataSync()[0];
        tf.dispose([value, grads]);
      }
    },
    moved: () => last,
    free: () => {
      optimizer.dispose();
      tf.disposeVariables();
      tf.dispose([x, y, position, later]);
    },
  };
}
