import { classes, pick, pixels, readDigits } from "@stepwell/example-digits/digits";
import { layers } from "@stepwell/example-digits/training";
import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { expect, it } from "vitest";

const digits = readDigits();
const steps = 100;

/** The losses of a training from one seed. */
function losses(k: typeof native | typeof wasm, optimizer: native.OptimizerName): number[] {
  k.seed(7);
  const classifier = k.module(layers);
  const made = k.opt(optimizer, classifier, 0.001);
  const order = k.randperm(digits.labels.length);
  const found = Array.from({ length: steps }, (_, n) => {
    const batch = pick(digits, order.subarray(64 * n, 64 * (n + 1)));
    const input = k.tensor(batch.images, { shape: [batch.labels.length, pixels] });
    const loss = k.step(made, () => {
      k.zerograd(made);
      const output = k.forward(classifier, input);
      const value = k.ce(output, batch.labels);
      k.backward(value);
      k.free(output);
      return value;
    });
    k.free(input);
    return loss;
  });
  k.free(classifier, made);
  return found;
}

// Matrix products are summed in another order, and a hundred steps magnify the difference of the last bits.
it.each(["adam", "lamb", "sgd"] as const)("%s loses the same on both engines", (optimizer) => {
  const [ours, theirs] = [losses(native, optimizer), losses(wasm, optimizer)];
  expect(ours[0]).toBeCloseTo(Math.log(classes), 0);
  expect(ours.at(-1)).toBeLessThan(ours[0] ?? 0);
  const worst = Math.max(...ours.map((loss, n) => Math.abs((theirs[n] ?? Number.NaN) / loss - 1)));
  expect(worst).toBeLessThan(1e-5);
});
