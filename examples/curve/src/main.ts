// `node examples/curve/dist/main.js`: fits each problem, and prints how many of the certified digits are met.

import { engine, ready } from "@stepwell/sdk";
import { digits, fit } from "./fit.js";
import { problems } from "./problems.js";

await ready();
console.log(`engine ${engine}`);
for (const problem of problems) {
  const { parameters, residual, evaluations } = fit(problem);
  console.log(`${problem.name}: ${evaluations} evaluations`);
  const rows = [...problem.certified, problem.residual].map((certified, i) => {
    const found = parameters[i] ?? residual;
    const name = i < parameters.length ? `b${i + 1}` : "residual";
    return `  ${name} ${found.toPrecision(11)}, certified ${certified.toPrecision(11)}: ${digits(found, certified).toFixed(1)} digits`;
  });
  console.log(rows.join("\n"));
}
