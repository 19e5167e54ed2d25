// jax-js on its WebAssembly backend. Its optimizers are a package of their own: Adam is written with its operations and jit.

import * as jax from "@jax-js/jax";
import { serve } from "../dist/children/serve.js";
import { batchOf, classes, hidden, learningRate, pixels, transposed, weights } from "../dist/children/training.js";
import { gradients, moved, parameters } from "../dist/numbers.js";

await jax.init("wasm");
jax.defaultDevice("wasm");
const { numpy: np, jit, valueAndGrad, nn, blockUntilReady, tree } = jax;

const array = (data, shape) => np.array(data).reshape(shape);
const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];

/** The two factors that change with the number of steps. */
const corrections = (count) => [np.array(learningRate / (1 - beta1 ** count)), np.array(Math.sqrt(1 - beta2 ** count))];

/** Arrays are used up by every operation, unless `ref` is taken. */
function update(p, g, m, v, rate, root) {
  const m2 = m.mul(beta1).add(g.ref.mul(1 - beta1));
  const v2 = v.mul(beta2).add(np.square(g).mul(1 - beta2));
  const p2 = p.sub(m2.ref.mul(rate).div(np.sqrt(v2.ref).div(root).add(eps)));
  return [p2, m2, v2];
}

function updateAll(ps, gs, ms, vs, rate, root) {
  const all = ps.map((p, i) => update(p, gs[i], ms[i], vs[i], rate.ref, root.ref));
  rate.dispose();
  root.dispose();
  return [0, 1, 2].map((which) => all.map((one) => one[which]));
}

await serve(1, async (request) => {
  if (request.do === "make") return stepping(request.shapes);
  // Imported late: it makes arrays, for which the backend is chosen above.
  if (request.do === "gpt") return (await import("./jax-gpt.mjs")).transformer(request.batch);
  return training(request.batch);
});

function stepping(shapes) {
  const gs = shapes.map((shape) => array(gradients(shape), shape));
  let ps = shapes.map((shape) => array(parameters(shape), shape));
  let [ms, vs] = [shapes.map((shape) => np.zeros(shape)), shapes.map((shape) => np.zeros(shape))];
  const compiled = jit(updateAll);
  let count = 0;
  return {
    async step(steps) {
      for (let i = 0; i < steps; i++) {
        [ps, ms, vs] = compiled(ps, tree.ref(gs), ms, vs, ...corrections(++count));
        await blockUntilReady([ps, ms, vs]);
      }
      return undefined;
    },
    moved: async () => moved(await Promise.all(ps.map((p) => p.ref.data()))),
    free: () => tree.dispose([ps, ms, vs, gs]),
  };
}

function training(size) {
  const { images, labels } = batchOf(size);
  const start = weights();
  const matrix = (weight) => array(transposed(weight).data, transposed(weight).shape);
  let ps = [matrix(start["hidden.weight"]), np.zeros([hidden]), matrix(start["output.weight"]), np.zeros([classes])];
  let [ms, vs] = [ps.map((p) => np.zeros(p.shape)), ps.map((p) => np.zeros(p.shape))];
  const x = array(images, [size, pixels]);
  const y = array(
    Float32Array.from({ length: size * classes }, (_, i) => Number(labels[Math.floor(i / classes)] === i % classes)),
    [size, classes],
  );
  const lossOf = ([w1, b1, w2, b2], x, y) => {
    const h = nn.relu(np.dot(x, w1).add(b1));
    return nn
      .logSoftmax(np.dot(h, w2).add(b2))
      .mul(y)
      .sum()
      .mul(-1 / size);
  };
  const compiled = jit((ps, ms, vs, x, y, rate, root) => {
    const [loss, gs] = valueAndGrad(lossOf)(tree.ref(ps), x, y);
    return [loss, ...updateAll(ps, gs, ms, vs, rate, root)];
  });
  let count = 0;
  let last = Number.NaN;
  return {
    async step(steps) {
      for (let i = 0; i < steps; i++) {
        let loss;
        [loss, ps, ms, vs] = compiled(ps, ms, vs, x.ref, y.ref, ...corrections(++count));
        last = (await loss.data())[0];
        await blockUntilReady([ps, ms, vs]);
      }
      return undefined;
    },
    moved: () => last,
    free: () => tree.dispose([ps, ms, vs, x, y]),
  };
}
