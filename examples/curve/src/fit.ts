// Fits the parameters of a function by L-BFGS, with a loss that is written here.

import { opt, scoped, step, Tensor, zerograd } from "@stepwell/sdk";
import type { Problem } from "./problems.js";

/** Fitted parameters. */
export interface Fit {
  readonly parameters: readonly number[];
  /** The sum of squared residuals. */
  readonly residual: number;
  /** How often the loss was evaluated. */
  readonly evaluations: number;
}

/** The sum of squared residuals. */
function loss({ x, y, start, predict }: Problem, multiples: Tensor): Tensor {
  const double = (numbers: readonly number[]) => Tensor.of(numbers, "double");
  const b = multiples.mul(double(start));
  const parameters = start.map((_, i) => b.narrow(0, i, 1));
  return predict(parameters, double(x)).sub(double(y)).square().sum();
}

/**
 * Minimizes the sum of squared residuals in double precision.
 *
 * The optimizer sees each parameter as a multiple of its start, since the parameters differ by up to eight powers of ten. The loss is
 * divided by its value at the start, so that the tolerances of the optimizer mean the same for every problem.
 */
export function fit(problem: Problem, steps = 100): Fit {
  return scoped(() => {
    const multiples = Tensor.of(
      problem.start.map(() => 1),
      "double",
      "grad",
    );
    const first = loss(problem, multiples).values() as number;
    const o = opt("lbfgs", multiples, { search: "strong_wolfe", iter: 100, gradtol: 0, changetol: 0 });
    let evaluations = 0;
    let best = Infinity;
    for (let i = 0; i < steps; i++) {
      const before = step(o, () => {
        zerograd(o);
        const value = loss(problem, multiples).div(first);
        value.backward();
        evaluations += 1;
        return value;
      });
      if (before >= best) break;
      best = before;
    }
    const parameters = (multiples.values() as number[]).map((multiple, i) => multiple * (problem.start[i] as number));
    return { parameters, residual: loss(problem, multiples).values() as number, evaluations };
  });
}

/** Correct digits: minus the decimal logarithm of the relative error, at most 11, as many as NIST certifies. */
export function digits(found: number, certified: number): number {
  const error = Math.abs(found - certified) / Math.abs(certified);
  return Math.min(11, -Math.log10(error));
}
