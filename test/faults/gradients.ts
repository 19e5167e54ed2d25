// F16: a gradient that is not finite, at each place of each parameter, changes neither parameters nor state.

import * as k from "@stepwell/sdk";
import { type Outcome, type Rig, Tally } from "./rig.js";

const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const names = (k.help("optimizer") as readonly { readonly optimizer: k.OptimizerName }[]).map(
  ({ optimizer }) => optimizer,
);

function positions(policies: readonly ("error" | "skip" | "propagate")[]): Outcome {
  const tally = new Tally();
  for (const name of names) {
    for (const fused of k.engine === "wasm" || name === "lamb" ? [true] : [true, false]) {
      k.seed(5);
      const m = k.module(k.seq("sequential", ["linear", "a", 3, 4], ["batchnorm", "n", 4], ["linear", "b", 4, 2]));
      const o = k.opt(name as "adam", m, { fused } as never);
      const parameters = k.parmnames(m).map((parameter) => ({ parameter, shape: k.size(k.parm(m, parameter)) }));
      const fill = (place?: string, at?: number, value?: number) => {
        for (const { parameter, shape } of parameters) {
          const gradient = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1 + i));
          if (parameter === place) gradient[at as number] = value as number;
          const x = k.parm(m, parameter);
          k.grad(x, k.tensor(gradient, { shape, dtype: k.dtype(x) }));
        }
      };
      const step = (policy: "error" | "skip" | "propagate") =>
        name === "lbfgs" ? k.step(o, () => 1, { nonfinite: policy }) : k.step(o, { nonfinite: policy });
      const image = () => JSON.stringify([k.state(m), k.state(o)]);
      fill();
      step("error");
      for (const { parameter, shape } of parameters) {
        for (let at = 0; at < shape.reduce((a, b) => a * b, 1); at++) {
          for (const value of bad) {
            for (const policy of policies) {
              fill(parameter, at, value);
              const before = image();
              let code: string | undefined;
              try {
                step(policy);
              } catch (error) {
                code = error instanceof k.StepwellError ? error.code : String(error);
              }
              const where = `${name}, fused ${fused}, ${value} at ${at} of ${parameter}, ${policy}`;
              const expected = policy === "error" ? "ERR_GRADIENT" : undefined;
              tally.check(
                code !== expected
                  ? `${where}: ${code}`
                  : image() !== before
                    ? `${where}: it has changed something`
                    : undefined,
              );
              if (tally.found > 50) {
                k.free();
                return tally.outcome();
              }
            }
          }
        }
      }
      k.free();
    }
  }
  return tally.outcome();
}

export const nonFiniteGradients: Rig = {
  fault: "F16",
  name: "gradients",
  about:
    "NaN and infinities at each place of each gradient, all optimizers: `error` and `skip` change neither parameters nor state",
  run: async () => positions(["error", "skip"]),
  planted: { "a step that takes them": async () => positions(["propagate"]) },
};
