// Help.

import * as k from "@stepwell/sdk";
import type { Line } from "./line.js";

export function help(): readonly Line[] {
  return [
    // The page ends at the width of the console; our table goes on with what each optimizer is for.
    {
      q: "q)help`optimizer",
      seed: [
        "optimizer pytorch options ..",
        "-----------------------------------------------------------------------------..",
        'adagrad "torch.optim.Adagrad" `lr`lrdecay`decay`init`eps!0.01 0 0 0 1e-10 ..',
        'adam "torch.optim.Adam" `lr`beta1`beta2`eps`decay`amsgrad!(0.001;0.9;..',
        'adamw "torch.optim.AdamW" `lr`beta1`beta2`eps`decay`amsgrad!(0.001;0.9;..',
        'lamb "" `lr`beta1`beta2`eps`decay`unbiased`globalnorm..',
        'lbfgs "torch.optim.LBFGS" `lr`iter`eval`gradtol`changetol`history`searc..',
        'rmsprop "torch.optim.RMSprop" `lr`alpha`eps`decay`momentum`centered!(0.01;0..',
        'sgd "torch.optim.SGD" `lr`momentum`dampening`decay`nesterov!(0.01;0..',
      ],
      run: () => k.help("optimizer"),
    },
    {
      q: "q)help`adamw",
      seed: ["lr | 0.001", "beta1 | 0.9", "beta2 | 0.999", "eps | 1e-08", "decay | 0.01", "amsgrad| 0b"],
      run: () => k.help("adamw"),
    },
  ];
}
