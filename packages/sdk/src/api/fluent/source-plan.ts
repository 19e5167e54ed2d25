// The plan of a source from its entries and the options of a training, a validation or a measurement.

import { isSource, readShuffle, readSource, requirePasses, requireWhole } from "../../data/checked-source.js";
import { StepwellError } from "../../errors.js";
import type { SourceSettings } from "./fit-options.js";
import type { SourcePlan } from "./source-steps.js";

/** Steps that are made ready while another one runs, as in PyTorch's `DataLoader`. */
const PREFETCH = 2;

/** Settings of the engine that count for a source too. */
interface Settings {
  readonly batchsize: number;
  readonly droplast: boolean;
  readonly accumulate?: number;
}

/** The plan of a source that is read so many times, and the other entries of its object. */
export function planSource(
  where: string,
  data: unknown,
  settings: SourceSettings,
  { batchsize, droplast, accumulate = 1 }: Settings,
  passes: number,
): readonly [plan: SourcePlan, others: object] | undefined {
  const { shuffle, prefetch = PREFETCH, ofSamples } = settings;
  if (!isSource(data)) {
    const given = settings.prefetch !== undefined ? "prefetch" : undefined;
    const option = typeof shuffle === "object" ? "shuffle: options of a buffer" : given;
    if (option === undefined) return undefined;
    throw new StepwellError("ERR_ARGUMENT", `${where}: ${option}: expected samples or batches, given data in memory`);
  }
  const [source, others] = readSource(where, data);
  requirePasses(where, source, passes);
  requireWhole(`${where}: prefetch`, prefetch, 0);
  const [option] = source.kind === "batches" ? ofSamples : [];
  if (option !== undefined) {
    const message = `${where}: ${option}: expected samples for this option, given batches, which have sizes of their own`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  const ofBatches = source.kind === "batches" ? false : droplast;
  const options = { batchsize, accumulate, droplast: ofBatches, prefetch };
  return [{ source, shuffle: readShuffle(`${where}: shuffle`, shuffle), options }, others];
}
