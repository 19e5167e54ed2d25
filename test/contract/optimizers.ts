import type { OptimizerName } from "@stepwell/sdk";
import { help } from "@stepwell/sdk";

/** The laws of this folder hold for every optimizer there is. */
export const optimizers: readonly OptimizerName[] = help("optimizer").map((row) => row.optimizer);
