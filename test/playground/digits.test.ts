import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readDigits } from "@stepwell/example-digits/digits";
import type { OptimizerName } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Training, type TrainingSettings } from "../../apps/playground/src/digits.js";
import { decompress, pixels, type SplitDigits, unpack } from "../../apps/playground/src/digits-data.js";
import { contenderNames, contenderOptions, epochs } from "../../apps/playground/src/digits-setup.js";
import { digitRates } from "../../apps/playground/src/generated/digit-rates.js";

const file = fileURLToPath(new URL("../../apps/playground/src/data/digits.bin", import.meta.url));
let digits: SplitDigits;
beforeAll(async () => {
  digits = unpack(await decompress(new Blob([readFileSync(file)])));
});
afterEach(() => expect(k.handlecount()).toBe(0));

const settings = (batch: number, ...names: readonly OptimizerName[]): TrainingSettings => ({
  batch,
  epochs,
  seed: 1,
  contenders: names.map((optimizer) => ({
    optimizer,
    options: { ...contenderOptions[optimizer], lr: digitRates[optimizer]?.[batch]?.lr ?? Number.NaN },
  })),
});

function finish(training: Training): readonly number[] {
  while (!training.isDone) training.advance(false);
  const accuracies = training.accuracies();
  training.free();
  return accuracies;
}

describe("the packed digits", () => {
  it("are those of the demo, each once", () => {
    const key = (image: Float32Array, label: number) =>
      `${label} ${Array.from(image, (grey) => Math.round(grey * 255)).join()}`;
    const plain = readDigits();
    const original = Array.from(plain.labels, (label, index) =>
      key(plain.images.subarray(index * pixels, (index + 1) * pixels), label),
    );
    const packed = [digits.training, digits.test].flatMap(({ images, labels }) =>
      Array.from(labels, (label, index) => {
        const image = images.slice(index * pixels, (index + 1) * pixels);
        return key(
          image.map((value) => value * digits.deviation + digits.mean),
          label,
        );
      }),
    );
    expect(packed.toSorted()).toEqual(original.toSorted());
  });

  it("have mean 0 and deviation 1 where they are trained on", () => {
    const { images } = digits.training;
    const mean = images.reduce((sum, value) => sum + value, 0) / images.length;
    const square = images.reduce((sum, value) => sum + value * value, 0) / images.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(square).toBeCloseTo(1, 5);
  });
});

describe("a training", () => {
  it("gives each contender what it would have had alone", () => {
    const [sgd, lamb] = finish(new Training(k, digits, settings(2000, "sgd", "lamb")));
    expect(finish(new Training(k, digits, settings(2000, "sgd")))[0]).toBe(sgd);
    expect(lamb).not.toBe(sgd);
  });

  it("reads what the sweep says that it reads", () => {
    for (const name of contenderNames) {
      const [accuracy] = finish(new Training(k, digits, settings(4000, name)));
      // The sweep's machine may have summed in another order.
      expect(Math.abs((accuracy ?? 0) - (digitRates[name]?.[4000]?.accuracy ?? 1)), name).toBeLessThan(0.01);
    }
  });

  it("has LAMB in front at large batches", () => {
    // One batch size alone may go either way, by the order in which a machine sums; four of them do not.
    const sums = { sgd: 0, adam: 0, lamb: 0 };
    for (const batch of [1000, 2000, 4000, 8000]) {
      const [sgd = 1, adam = 1, lamb = 0] = finish(new Training(k, digits, settings(batch, "sgd", "adam", "lamb")));
      sums.sgd += sgd;
      sums.adam += adam;
      sums.lamb += lamb;
      expect(lamb, `batch ${batch}`).toBeGreaterThan(Math.max(sgd, adam) - 0.005);
    }
    expect(sums.lamb).toBeGreaterThan(Math.max(sums.sgd, sums.adam));
  });

  it("raises the rate over a tenth of the steps, then lowers it to 0, also after it was set anew", () => {
    const training = new Training(k, digits, settings(500, "sgd"));
    const rates: number[] = [];
    const settled = 0.1;
    while (!training.isDone) {
      if (training.step === 0 || training.step === 100)
        training.setRate("sgd", training.step === 0 ? settled : 2 * settled);
      rates.push(training.advance(false)[0]?.lr ?? Number.NaN);
    }
    training.free();
    const warm = Math.round(rates.length / 10);
    expect(rates[warm]).toBeCloseTo(settled, 12);
    expect(rates[0]).toBeCloseTo(settled / warm, 12);
    expect(rates[99]).toBeCloseTo(settled * (1 - (99 - warm) / (rates.length - warm)), 12);
    expect(rates[100]).toBeCloseTo(2 * settled * (1 - (100 - warm) / (rates.length - warm)), 12);
    expect(rates.at(-1)).toBeLessThan(0.01 * settled * 2);
  });

  it("measures steps as its formulas say", () => {
    const training = new Training(k, digits, settings(1000, "lamb", "adam"));
    for (let n = 0; n < 5; n++) {
      const [lamb, adam] = training.advance(true);
      for (const { name, relative, trust } of lamb?.layers ?? []) {
        // before - after = lr · r · u, r = ‖before‖ / ‖u‖: unclipped, the relative step is the rate.
        const rate = lamb?.lr ?? 0;
        if ((trust ?? 2) < 1) expect(relative / rate, name).toBeCloseTo(1, 3);
        else expect(relative / rate, name).toBeLessThan(1.001);
      }
      expect(lamb?.layers.map(({ name }) => name)).toEqual([
        "hidden.weight",
        "hidden.bias",
        "output.weight",
        "output.bias",
      ]);
      expect(adam?.layers.every(({ trust, relative }) => trust === undefined && relative > 0)).toBe(true);
    }
    training.free();
  });

  it("reads one digit as it reads it among others", () => {
    const training = new Training(k, digits, settings(1000, "adam"));
    for (let n = 0; n < 20; n++) training.advance(false);
    let correct = 0;
    for (let index = 0; index < 200; index++) {
      const [probabilities] = training.predict(digits.test.images.slice(index * pixels, (index + 1) * pixels));
      expect(probabilities?.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      const best = Math.max(...(probabilities ?? []));
      if (probabilities?.indexOf(best) === digits.test.labels[index]) correct++;
    }
    const [accuracy = 0] = training.accuracies();
    expect(Math.abs(correct / 200 - accuracy)).toBeLessThan(0.08);
    training.free();
  });
});
