import { accuracy, plan, train } from "@stepwell/example-cnn/training";
import { type Digits, pick, readDigits, splitDigits } from "@stepwell/example-digits/digits";
import { handlecount, scoped } from "@stepwell/sdk";
import { expect, it } from "vitest";

const first = (digits: Digits, count: number) =>
  pick(
    digits,
    Float64Array.from({ length: count }, (_, n) => n),
  );

it("the residual net learns 1,600 digits in two epochs", () => {
  const { training, test, ...rest } = splitDigits(readDigits());
  const short = { training: first(training, 1600), test: first(test, 500), ...rest };
  const losses: number[] = [];
  const report = (_: number, loss: number) => losses.push(loss);
  const found = scoped(() => {
    const net = train(short, { ...plan, epochs: 2, batch: 32 }, report);
    return accuracy(net, short.test);
  });
  expect(losses[1]).toBeLessThan(0.5 * (losses[0] as number));
  expect(found).toBeGreaterThan(0.8);
  expect(handlecount()).toBe(0);
});
