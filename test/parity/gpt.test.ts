// 100 steps of the model of examples/gpt, as PyTorch makes them from equal weights.

import { readFileSync } from "node:fs";
import { gpt, start } from "@stepwell/example-gpt/gpt";
import { pieces, randomOf } from "@stepwell/example-gpt/text";
import { sizes } from "@stepwell/example-gpt/training";
import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";

const { losses } = JSON.parse(readFileSync(new URL("gpt.json", import.meta.url), "utf8")) as { losses: number[] };

it("the transformer learns as in PyTorch, 100 steps of AdamW from equal weights", () => {
  k.reset();
  const model = gpt(k, sizes);
  start(k, model.module, randomOf(1));
  const optimizer = k.opt("adamw", model.module, 1e-3, { decay: 0.1 });
  const random = randomOf(2);
  losses.forEach((expected, i) => {
    const { tokens, targets } = pieces(4, sizes.context, random);
    const loss = k.scoped(() => {
      const loss = model.loss(tokens, targets);
      k.backward(loss);
      k.step(optimizer, { zerograd: true });
      return k.tensor(loss) as number;
    });
    // Ten times the defaults of torch.testing.assert_close for float, since rounding errors add up over 100 steps.
    expect(Math.abs(loss - expected), `step ${i + 1}`).toBeLessThanOrEqual(1e-4 + 1.3e-5 * expected);
  });
  expect(losses.at(-1)).toBeLessThan(2.7);
});
