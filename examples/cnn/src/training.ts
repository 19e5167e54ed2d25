// Trains the net on the digits of the demo.

import { type Digits, pick, pixels, type SplitDigits, side } from "@stepwell/example-digits/digits";
import { backward, ce, free, lr, opt, randperm, scoped, seed, step, Tensor, tensor } from "@stepwell/sdk";
import { ResidualNet } from "./net.js";

/** How the net trains. */
export interface Plan {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

/** The training of the example. */
export const plan: Plan = { epochs: 8, batch: 64, lr: 0.004, seed: 1 };

/** Images that are evaluated at once. */
const testBatch = 250;

const imagesOf = ({ images, labels }: Digits) => new Tensor(tensor(images, { shape: [labels.length, 1, side, side] }));

/** The share of digits that the net recognizes. */
export function accuracy(net: ResidualNet, { images, labels }: Digits): number {
  let right = 0;
  for (let at = 0; at < labels.length; at += testBatch) {
    const part = {
      images: images.subarray(at * pixels, (at + testBatch) * pixels),
      labels: labels.subarray(at, at + testBatch),
    };
    const found = scoped(() => net.evaluate(imagesOf(part)).argmax(1).values() as number[]);
    right += found.filter((digit, n) => digit === part.labels[n]).length;
  }
  return right / labels.length;
}

/** Trains a net, and calls `report` after each epoch with the mean loss. The net is the caller's. */
export function train(
  { training, test }: SplitDigits,
  { epochs, batch, lr: rate, seed: number }: Plan,
  report?: (epoch: number, loss: number, accuracy: number) => void,
): ResidualNet {
  seed(number);
  const net = new ResidualNet();
  const o = opt("adamw", net, { lr: rate, decay: 0.01 });
  const batches = Math.ceil(training.labels.length / batch);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = randperm(training.labels.length);
    let sum = 0;
    for (let n = 0; n < batches; n++) {
      // A linear warm-up in the first epoch, and then half of a cosine.
      const share = (epoch + n / batches) / epochs;
      lr(o, rate * Math.min(1, epoch + (n + 1) / batches) * (0.5 + 0.5 * Math.cos(Math.PI * share)));
      const digits = pick(training, order.subarray(n * batch, (n + 1) * batch));
      sum += scoped(() => {
        const loss = ce(net.forward(imagesOf(digits)), digits.labels);
        backward(loss);
        step(o, { zerograd: true });
        return tensor(loss) as number;
      });
    }
    report?.(epoch + 1, sum / batches, accuracy(net, test));
  }
  free(o);
  return net;
}
