// The training of examples/gpt in jax-js, on one batch. The step is compiled as a whole.

import * as jax from "@jax-js/jax";
import { numbers, sizes, weightsOf } from "../dist/children/transformer.js";

const { numpy: np, jit, valueAndGrad, nn, blockUntilReady, tree } = jax;
const [beta1, beta2, eps, rate, decay] = [0.9, 0.999, 1e-8, 1e-3, 0.01];
const { characters, width, heads, layers, context } = sizes;

const norm = (x, w, b) => nn.standardize(x, -1, { epsilon: 1e-5 }).mul(w).add(b);
const linear = (x, w, b) => np.matmul(x, np.transpose(w)).add(b);

function lossOf(ps, tokens, position, targets, later, batch) {
  const get = Object.fromEntries(names.map((name, i) => [name, ps[i]]));
  const at = (name) => [get[`${name}.weight`], get[`${name}.bias`]];
  let x = np.matmul(tokens, get["token.weight"]).add(np.matmul(position, get["position.weight"]));
  for (let i = 0; i < layers; i++) {
    const all = linear(norm(x.ref, ...at(`norm${i}`)), ...at(`qkv${i}`));
    const split = np.transpose(all.reshape([batch, context, 3, heads, width / heads]), [2, 0, 3, 1, 4]);
    const [query, key, value] = np.split(split, 3, 0).map((part) => np.squeeze(part, 0));
    const scores = np.matmul(query, np.transpose(key, [0, 1, 3, 2])).mul(1 / Math.sqrt(width / heads));
    const weights = nn.softmax(scores.add(later.ref), -1);
    const mixed = np.transpose(np.matmul(weights, value), [0, 2, 1, 3]).reshape([batch, context, width]);
    x = x.add(linear(mixed, ...at(`mix${i}`)));
    const hidden = nn.gelu(linear(norm(x.ref, ...at(`norm${i}b`)), ...at(`up${i}`)), { approximate: false });
    x = x.add(linear(hidden, ...at(`down${i}`)));
  }
  later.dispose();
  const logits = linear(norm(x, ...at("norm")), ...at("head"));
  return nn
    .logSoftmax(logits, -1)
    .mul(targets)
    .sum()
    .mul(-1 / (batch * context));
}

const start = weightsOf(1);
const names = start.map(({ name }) => name);

export function transformer(batch) {
  const array = (data, shape) => np.array(data).reshape(shape);
  let ps = start.map(({ data, shape }) => array(data, shape));
  let [ms, vs] = [0, 1].map(() => start.map(({ shape }) => np.zeros(shape)));
  const { tokens, targets } = numbers(batch);
  const oneHot = (rows, classes) => {
    const data = new Float32Array(rows.length * classes);
    rows.forEach((row, i) => {
      data[i * classes + row] = 1;
    });
    return data;
  };
  const x = array(oneHot(tokens.flat(), characters), [batch, context, characters]);
  const y = array(oneHot(targets.flat(), characters), [batch, context, characters]);
  const position = array(
    oneHot(
      Array.from({ length: context }, (_, i) => i),
      context,
    ),
    [context, context],
  );
  const mask = Float32Array.from({ length: context * context }, (_, i) =>
    i % context > Math.floor(i / context) ? -1e30 : 0,
  );
  const later = array(mask, [context, context]);
  const update = (p, g, m, v, step, root) => {
    const m2 = m.mul(beta1).add(g.ref.mul(1 - beta1));
    const v2 = v.mul(beta2).add(np.square(g).mul(1 - beta2));
    const p2 = p.mul(1 - rate * decay).sub(m2.ref.mul(step).div(np.sqrt(v2.ref).div(root).add(eps)));
    return [p2, m2, v2];
  };
  const compiled = jit((ps, ms, vs, x, y, position, later, step, root) => {
    const [loss, gs] = valueAndGrad((ps) => lossOf(ps, x, position, y, later, batch))(tree.ref(ps));
    const all = ps.map((p, i) => update(p, gs[i], ms[i], vs[i], step.ref, root.ref));
    step.dispose();
    root.dispose();
    return [loss, ...[0, 1, 2].map((which) => all.map((one) => one[which]))];
  });
  let count = 0;
  let last = Number.NaN;
  return {
    async step(steps) {
      for (let i = 0; i < steps; i++) {
        count += 1;
        const factors = [np.array(rate / (1 - beta1 ** count)), np.array(Math.sqrt(1 - beta2 ** count))];
        let loss;
        [loss, ps, ms, vs] = compiled(ps, ms, vs, x.ref, y.ref, position.ref, later.ref, ...factors);
        last = (await loss.data())[0];
        await blockUntilReady([ps, ms, vs]);
      }
      return undefined;
    },
    moved: () => last,
    free: () => tree.dispose([ps, ms, vs, x, y, position, later]),
  };
}
