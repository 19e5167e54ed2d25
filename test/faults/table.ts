// The rigs, in the order of a run: quick ones first.

import { crateMemory } from "./address-sanitizer.js";
import { failingAllocations } from "./allocations.js";
import { corruptFiles } from "./corrupt-files.js";
import { processExits } from "./exits.js";
import { fuzzing } from "./fuzz.js";
import { nonFiniteGradients } from "./gradients.js";
import { handleStates } from "./handle-states.js";
import { interleavings } from "./interleavings.js";
import { ioErrors } from "./io-errors.js";
import { killAtRandom, killSweep } from "./kills.js";
import { leaks } from "./leaks.js";
import { powerCuts } from "./power-cuts.js";
import { randomOperations } from "./random-operations.js";
import { rankKills } from "./rank-kills.js";
import { exactResume } from "./resume.js";
import type { Rig } from "./rig.js";
import { absurdSizes } from "./sizes.js";
import { soak } from "./soak.js";
import { wasmTraps } from "./traps.js";
import { addonMemory } from "./valgrind.js";
import { workerStorm } from "./workers.js";

export const rigs: readonly Rig[] = [
  killSweep,
  killAtRandom,
  rankKills,
  powerCuts,
  ioErrors,
  corruptFiles,
  leaks,
  handleStates,
  randomOperations,
  workerStorm,
  processExits,
  interleavings,
  absurdSizes,
  failingAllocations,
  exactResume,
  nonFiniteGradients,
  soak,
  wasmTraps,
  fuzzing,
  crateMemory,
  addonMemory,
];
