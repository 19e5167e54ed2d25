// LAMB.

import type { Line, Sdk } from "./line.js";

export function lamb(k: Sdk): readonly Line[] {
  return [
    {
      q: "q)help`lamb",
      seed: [
        "lr | 0.001",
        "beta1 | 0.9",
        "beta2 | 0.999",
        "eps | 1e-08",
        "decay | 0f",
        "unbiased | 1b",
        "globalnorm| 1b",
        "trustclip | 1b",
        "trustmin | 0f",
        "trustmax | 1f",
      ],
      run: () => k.help("lamb"),
    },
  ];
}
