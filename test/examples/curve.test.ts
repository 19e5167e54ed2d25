import { digits, fit } from "@stepwell/example-curve/fit";
import { problems } from "@stepwell/example-curve/problems";
import { handlecount } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";

describe("the curve example", () => {
  it.each(problems)("fits $name to at least seven of the digits that NIST certifies", (problem) => {
    const { parameters, residual } = fit(problem);
    for (const [i, certified] of problem.certified.entries())
      expect(digits(parameters[i] as number, certified), `b${i + 1}`).toBeGreaterThanOrEqual(7);
    expect(digits(residual, problem.residual)).toBeGreaterThanOrEqual(10);
    expect(handlecount()).toBe(0);
  });

  it("counts digits", () => {
    expect(digits(1.001, 1)).toBeCloseTo(3, 9);
    expect(digits(2, 2)).toBe(11);
    expect(digits(-2, 2)).toBeLessThan(0);
  });
});
