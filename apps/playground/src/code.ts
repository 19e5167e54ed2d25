// The TypeScript of a racer's run: a program that makes the same steps, to the bit.

import type { OptionRow } from "@stepwell/sdk";
import { changedOptions, tableOf } from "./options.js";
import type { Edit, RacerSettings } from "./racer.js";
import bealeSource from "./surfaces/beale.ts?raw";
import himmelblauSource from "./surfaces/himmelblau.ts?raw";
import type { SurfaceName } from "./surfaces/index.js";
import quadraticSource from "./surfaces/quadratic.ts?raw";
import rosenbrockSource from "./surfaces/rosenbrock.ts?raw";
import saddleSource from "./surfaces/saddle.ts?raw";

const sources: { readonly [Name in SurfaceName]: string } = {
  rosenbrock: rosenbrockSource,
  beale: bealeSource,
  himmelblau: himmelblauSource,
  saddle: saddleSource,
  quadratic: quadraticSource,
};

/** The functions `value` and `gradient`, which stand last in a surface's file. */
function formulas(surface: SurfaceName): string {
  const source = sources[surface];
  return source.slice(source.indexOf("export function value")).replaceAll("export ", "").trim();
}

/** The run that a program repeats. */
export interface Run {
  readonly surface: SurfaceName;
  readonly start: readonly [number, number];
  readonly settings: RacerSettings;
  readonly edits: readonly Edit[];
  readonly steps: number;
}

/** A program that prints the state of the run. */
export function code({ surface, start: [x, y], settings, edits, steps }: Run): string {
  const { optimizer, groups } = settings;
  const split = groups.length === 2;
  const given = (row: OptionRow) => {
    const options = literal(changedOptions(optimizer, row));
    return options === "{}" ? "" : `, ${options}`;
  };
  const parameters = split
    ? [
        `const x = tensor([${x}], "grad", "double");`,
        `const y = tensor([${y}], "grad", "double");`,
        `const o = opt("${optimizer}", x${given(groups[0])});`,
        `opt(o, 1, y, ${everyOption(settings)});`,
      ]
    : [`const p = tensor([${x}, ${y}], "grad", "double");`, `const o = opt("${optimizer}", p${given(groups[0])});`];
  const read = split ? "[tensor(x), tensor(y)].flat()" : "tensor(p)";
  const set = split ? ["grad(x, [dx]);", "grad(y, [dy]);"] : ["grad(p, gradient(a, b));"];
  const body = split
    ? [`const [a, b] = ${read} as [number, number];`, "const [dx, dy] = gradient(a, b);", ...set]
    : [`const [a, b] = ${read} as [number, number];`, ...set];
  const changes = edits
    .filter(({ step }) => step <= steps)
    .map(({ step, group, options }) => `if (n === ${step}) opt(o, ${group}, [], ${literal(options)});`);

  return `import { grad, opt, step, tensor } from "@stepwell/sdk";

${formulas(surface)}

${parameters.join("\n")}
for (let n = 0; n < ${steps}; n++) {
${changes.map((line) => `  ${line}\n`).join("")}  step(o, () => {
${body.map((line) => `    ${line}\n`).join("")}    return value(a, b);
  });
}
console.log(${read});
`;
}

/** The options of the second group. A new group starts with the options of the first, so every difference is stated. */
function everyOption({ optimizer, groups: [first, second = first] }: RacerSettings): string {
  const differing: Record<string, OptionRow[string]> = {};
  for (const { name, initial } of tableOf(optimizer).rows) {
    const [a = initial, b = initial] = [first[name], second[name]];
    if (b !== a) differing[name] = b;
  }
  return literal(differing);
}

function literal(row: OptionRow): string {
  const pairs = Object.entries(row).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return pairs.length > 0 ? `{ ${pairs.join(", ")} }` : "{}";
}
