import type { OptimizerName } from "@stepwell/sdk";
import { help } from "@stepwell/sdk";

/** The tests of this folder run for every optimizer. */
export const optimizers: readonly OptimizerName[] = help("optimizer").map((row) => row.optimizer);
