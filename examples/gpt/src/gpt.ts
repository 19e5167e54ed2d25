// A character transformer: layers of attention and of a perceptron, each with a layer normalization before it.

import type * as sdk from "@stepwell/sdk";

/** The sizes of a model. */
export interface Sizes {
  readonly characters: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Characters that the model sees at once. */
  readonly context: number;
}

/** The model, by the functions of an engine: `@stepwell/sdk`, `@stepwell/sdk/wasm`, or another entry. */
export function gpt(k: typeof sdk, { characters, width, heads, layers, context }: Sizes) {
  const block = (i: number): sdk.Layer[] => [
    ["layernorm", `norm${i}`, width],
    ["linear", `qkv${i}`, width, 3 * width],
    ["linear", `mix${i}`, width, width],
    ["layernorm", `norm${i}b`, width],
    ["linear", `up${i}`, width, 4 * width],
    ["linear", `down${i}`, 4 * width, width],
  ];
  const module = k.module(
    k.seq(
      "sequential",
      ["embedding", "token", characters, width],
      ["embedding", "position", context, width],
      ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
      ["layernorm", "norm", width],
      ["linear", "head", width, characters],
    ),
  );
  const layer = new Map(k.childnames(module).map((name) => [name, k.child(module, name)]));
  const run = (name: string, x: sdk.AnyTensor) => k.forward(layer.get(name) as sdk.ModuleHandle, x);
  const later = k.eq(k.tril(k.ones([context, context])), 0);

  /** Each position attends to itself and to those before it. */
  function attention(i: number, x: sdk.AnyTensor, rows: number, length: number) {
    const size = width / heads;
    const all = k.permute(k.reshape(run(`qkv${i}`, x), [rows, length, 3, heads, size]), [2, 0, 3, 1, 4]);
    const [query, key, value] = [0, 1, 2].map((part) => k.select(all, 0, part)) as [Tensor, Tensor, Tensor];
    const scores = k.mul(k.matmul(query, k.transpose(key, 2, 3)), 1 / Math.sqrt(size));
    const hidden = length === context ? later : k.narrow(k.narrow(later, 0, 0, length), 1, 0, length);
    const weights = k.softmax(k.maskedfill(scores, hidden, Number.NEGATIVE_INFINITY), 3);
    return run(`mix${i}`, k.reshape(k.transpose(k.matmul(weights, value), 1, 2), [rows, length, width]));
  }

  /** Logits of the next character for each of `tokens`, a list of rows: `[rows * length, characters]`. */
  function logits(tokens: readonly (readonly number[])[]) {
    const [rows, length] = [tokens.length, tokens[0]?.length ?? 0];
    const indices = k.tensor(tokens, "long");
    let x = k.add(run("token", indices), run("position", k.arange(0, length, 1, "long")));
    for (let i = 0; i < layers; i++) {
      x = k.add(x, attention(i, run(`norm${i}`, x), rows, length));
      x = k.add(x, run(`down${i}`, k.gelu(run(`up${i}`, run(`norm${i}b`, x)))));
    }
    return k.reshape(run("head", run("norm", x)), [rows * length, characters]);
  }

  /** The mean loss of predicting `targets`. */
  const loss = (tokens: readonly (readonly number[])[], targets: readonly (readonly number[])[]) =>
    k.ce(logits(tokens), targets.flat());

  /** Characters that follow `start`, drawn with a temperature. */
  function sample(start: readonly number[], count: number, temperature = 0.8, random = Math.random): number[] {
    const text = [...start];
    for (let n = 0; n < count; n++) {
      const seen = text.slice(-context);
      const chances = k.scoped(() => {
        const last = k.select(logits([seen]), 0, seen.length - 1);
        return k.tensor(k.softmax(k.div(last, temperature), 0)) as number[];
      });
      let rest = random();
      let drawn = 0;
      while (drawn < characters - 1 && rest >= (chances[drawn] as number)) rest -= chances[drawn++] as number;
      text.push(drawn);
    }
    return text;
  }

  return { module, logits, loss, sample };
}

/** Sets weights that a generator draws: matrices of about the size that PyTorch draws, biases 0, scales 1. */
export function start(k: typeof sdk, module: sdk.ModuleHandle, random: () => number): void {
  for (const name of k.parmnames(module)) {
    const shape = k.size(k.parm(module, name));
    const [rows = 1, columns] = shape;
    const scale = columns === undefined ? 0 : 2 / Math.sqrt(columns);
    if (columns === undefined && !name.endsWith("bias")) continue;
    const weights = Float32Array.from({ length: rows * (columns ?? 1) }, () => (scale ? scale * (random() - 0.5) : 0));
    k.scoped(() => k.copyto(k.tensor(weights, { shape }), k.parm(module, name)));
  }
}

type Tensor = sdk.TensorHandle;
