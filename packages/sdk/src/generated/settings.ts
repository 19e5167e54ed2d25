// Written by `cargo test -p stepwell-session generated` from the tables of samples, steps, files and scales; not to be edited.

/** A result of a pass over samples, as {@link Metrics} has it. */
export type MetricName = "loss" | "batchloss" | "accuracy" | "matches";

/** How a model is tested. */
export interface TestOptions {
  /** Samples of a batch. A whole number >= 1. Default 100. */
  readonly batchsize?: number;
  /** JavaScript's spelling of `batchsize`. */
  readonly batchSize?: number;
  /** Leave out a last batch with fewer samples. Default false. */
  readonly droplast?: boolean;
  /** Results of a pass; `accuracy` and `matches` need a loss of classes, `ce` or `nll`. Default "loss". */
  readonly metrics?: MetricName | readonly [MetricName, ...MetricName[]];
}

/** How a model is trained. */
export interface TrainOptions {
  /** Samples of a batch. A whole number >= 1. Default 32. */
  readonly batchsize?: number;
  /** JavaScript's spelling of `batchsize`. */
  readonly batchSize?: number;
  /** Draw a new order for each pass, from the generator of the session. Default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch with fewer samples. Default false. */
  readonly droplast?: boolean;
  /** Batches of a step. They count as one large batch; the last step of a pass may have fewer. A whole number >= 1. Default 1. */
  readonly accumulate?: number;
  /** Largest norm of all gradients as one vector. Excludes `clipvalue`. A number > 0. Default null. */
  readonly clipnorm?: number | null;
  /** Largest element of a gradient. Excludes `clipnorm`. A number > 0. Default null. */
  readonly clipvalue?: number | null;
  /** How a step treats gradients that are not finite. With a loss scale, which skips such steps, only `skip` can be given. Default "propagate". */
  readonly nonfinite?: "propagate" | "skip" | "error";
  /** How a step treats a loss that is not finite. Default "propagate". */
  readonly nonfiniteloss?: "propagate" | "skip" | "error";
  /** Results of a pass; `accuracy` and `matches` need a loss of classes, `ce` or `nll`. Default "loss". */
  readonly metrics?: MetricName | readonly [MetricName, ...MetricName[]];
}

/** Operations of a step in addition to the formula, in one pass over the parameters. */
export interface StepOptions {
  /** Set gradients to zero after the step, also after one that is skipped. Default false. */
  readonly zerograd?: boolean;
  /** PyTorch's name of `zerograd`. */
  readonly zero_grad?: boolean;
  /** Largest norm of all gradients as one vector. Excludes `clipvalue`. A number > 0. Default null. */
  readonly clipnorm?: number | null;
  /** Largest element of a gradient. Excludes `clipnorm`. A number > 0. Default null. */
  readonly clipvalue?: number | null;
  /** How a step treats gradients that are not finite. With a loss scale, which skips such steps, only `skip` can be given. Default "propagate". */
  readonly nonfinite?: "propagate" | "skip" | "error";
}

/** How a file is loaded. */
export interface LoadOptions {
  /** Convert tensors of another type of floating point, each number rounded once to the nearest. Default false. */
  readonly cast?: boolean;
  /** Refuse a file whose names, shapes or types differ from the module. Default true. */
  readonly strict?: boolean;
  /** Compare the file with its checksum, if Stepwell wrote it. Default true. */
  readonly verify?: boolean;
}

/** How the file of a run is loaded. */
export interface RunLoadOptions {
  /** Compare the file with its checksum. Default true. */
  readonly verify?: boolean;
  /** Refuse a file whose names, shapes or types differ from the given objects. Default true. */
  readonly strict?: boolean;
  /** Set the generator of random numbers to its state in the file; null: unless `only` or `strict` leave parts out. Default null. */
  readonly generator?: boolean | null;
}

/** The place of a process in its group, but for names of hosts. */
export interface GroupOptions {
  /** The number of this process, from 0; null: `RANK`. A whole number >= 0. Default null. */
  readonly rank?: number | null;
  /** The number of processes; null: `WORLD_SIZE`. A whole number in [1, 1000000]. Default null. */
  readonly size?: number | null;
  /** The port at the host where the processes meet; null: `MASTER_PORT`. A whole number in [1, 65535]. Default null. */
  readonly port?: number | null;
  /** The longest wait for another process, in seconds, at the start and in each operation. A number in [0.001, 1000000]. Default 60. */
  readonly timeout?: number;
  /** Whether this process opens the port; null: rank 0 does, unless torchrun has opened it. Default null. */
  readonly hosts?: boolean | null;
}

/** How processes train the parameters of an optimizer. */
export interface DistributedOptions {
  /** Each process has the state of a part of the parameters alone, as in PyTorch's `ZeroRedundancyOptimizer`. Default false. */
  readonly sharded?: boolean;
}

/** How a loss is scaled. PyTorch's names, as of `torch.amp.GradScaler`, are accepted, and `min_loss_scale` of apex and DeepSpeed. */
export interface LossScaleOptions {
  /** The first scale. A number > 0. Default 65536. */
  readonly init?: number;
  /** PyTorch's name of `init`. */
  readonly init_scale?: number;
  /** Factor of the scale after `interval` good steps. A number > 1. Default 2. */
  readonly growth?: number;
  /** PyTorch's name of `growth`. */
  readonly growth_factor?: number;
  /** Factor of the scale after a bad step. A number in (0, 1). Default 0.5. */
  readonly backoff?: number;
  /** PyTorch's name of `backoff`. */
  readonly backoff_factor?: number;
  /** Good steps in a row before the scale grows. A whole number >= 1. Default 2000. */
  readonly interval?: number;
  /** PyTorch's name of `interval`. */
  readonly growth_interval?: number;
  /** Smallest scale; null: the smallest normal number of 32 bits. A number > 0. Default null. */
  readonly min?: number | null;
  /** PyTorch's name of `min`. */
  readonly min_loss_scale?: number | null;
}

/** The options of a scale and its progress, as `lossscale` returns them. */
export interface LossScale {
  /** The first scale. A number > 0. Default 65536. */
  readonly init: number;
  /** Factor of the scale after `interval` good steps. A number > 1. Default 2. */
  readonly growth: number;
  /** Factor of the scale after a bad step. A number in (0, 1). Default 0.5. */
  readonly backoff: number;
  /** Good steps in a row before the scale grows. A whole number >= 1. Default 2000. */
  readonly interval: number;
  /** Smallest scale; null: the smallest normal number of 32 bits. A number > 0. Default null. */
  readonly min: number | null;
  /** Scale of the next step; null: `init`. A number > 0. Default null. */
  readonly scale: number;
  /** Good steps since the scale last changed. A whole number >= 0. Default 0. */
  readonly growth_tracker: number;
  /** Bad steps, which were skipped. A whole number >= 0. Default 0. */
  readonly skipped: number;
}
