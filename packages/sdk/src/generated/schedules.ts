// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.

/** Several schedules at once, each from the rate of the one before it. As `torch.optim.lr_scheduler.ChainedScheduler`. */
export type ChainedSchedule = {
  readonly schedule: "chained";
  /** The schedules. */
  readonly of: readonly [ScheduleSpecification, ...ScheduleSpecification[]];
};

/** Half a cosine wave from the base rate to the smallest. As `torch.optim.lr_scheduler.CosineAnnealingLR`. */
export type CosineScheduleOptions = {
  /** The smallest rate. A number >= 0. Default 0. */
  readonly min?: number;
  /** PyTorch's name of `min`. */
  readonly eta_min?: number;
} & (
  | {
      /** Schedule steps from the base rate to the minimum; after twice as many the rate is back. A whole number >= 1. */
      readonly steps: number;
    }
  | {
      /** PyTorch's name of `steps`. */
      readonly T_max: number;
    }
);

/** Half a cosine wave from the base rate to the smallest. As `torch.optim.lr_scheduler.CosineAnnealingLR`. */
export type CosineSchedule = {
  readonly schedule: "cosine";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & CosineScheduleOptions;

/** The rate times a factor, at each schedule step. As `torch.optim.lr_scheduler.ExponentialLR`. */
export type ExponentialScheduleOptions = {
  /** Factor of the rate at each schedule step. A number >= 0. */
  readonly gamma: number;
};

/** The rate times a factor, at each schedule step. As `torch.optim.lr_scheduler.ExponentialLR`. */
export type ExponentialSchedule = {
  readonly schedule: "exponential";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & ExponentialScheduleOptions;

/** The rate times a factor that changes by the same amount at each schedule step. As `torch.optim.lr_scheduler.LinearLR`. */
export type LinearScheduleOptions = {
  /** The first factor. A number in [0, 1]. Default 0.3333333333333333. */
  readonly start?: number;
  /** PyTorch's name of `start`. */
  readonly start_factor?: number;
  /** The last factor. A number in [0, 1]. Default 1. */
  readonly end?: number;
  /** PyTorch's name of `end`. */
  readonly end_factor?: number;
  /** Schedule steps from the first factor to the last. A whole number >= 1. Default 5. */
  readonly steps?: number;
  /** PyTorch's name of `steps`. */
  readonly total_iters?: number;
};

/** The rate times a factor that changes by the same amount at each schedule step. As `torch.optim.lr_scheduler.LinearLR`. */
export type LinearSchedule = {
  readonly schedule: "linear";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & LinearScheduleOptions;

/** The rate times a factor, at each of some schedule steps. As `torch.optim.lr_scheduler.MultiStepLR`. */
export type MultistepScheduleOptions = {
  /** Schedule steps at which the rate changes; a repeated one changes it twice. A whole number >= 0. */
  readonly milestones: number | readonly number[];
  /** Factor of the rate at each milestone. A number >= 0. Default 0.1. */
  readonly gamma?: number;
};

/** The rate times a factor, at each of some schedule steps. As `torch.optim.lr_scheduler.MultiStepLR`. */
export type MultistepSchedule = {
  readonly schedule: "multistep";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & MultistepScheduleOptions;

/** Up to a largest rate and down to almost none, with momentum the other way round. As `torch.optim.lr_scheduler.OneCycleLR`. */
export type OnecycleScheduleOptions = {
  /** Part of the steps in which the rate rises. A number in [0, 1]. Default 0.3. */
  readonly warm?: number;
  /** PyTorch's name of `warm`. */
  readonly pct_start?: number;
  /** Shape of each phase: half a cosine wave or a straight line. Default "cos". */
  readonly anneal?: "cos" | "linear";
  /** PyTorch's name of `anneal`. */
  readonly anneal_strategy?: "cos" | "linear";
  /** Drive momentum, too, or beta1 if there is no momentum. Default true. */
  readonly momentum?: boolean;
  /** PyTorch's name of `momentum`. */
  readonly cycle_momentum?: boolean;
  /** The smallest momentum, at the largest rate. A number >= 0. Default 0.85. */
  readonly lowmomentum?: number;
  /** PyTorch's name of `lowmomentum`. */
  readonly base_momentum?: number;
  /** The largest momentum. A number >= 0. Default 0.95. */
  readonly highmomentum?: number;
  /** PyTorch's name of `highmomentum`. */
  readonly max_momentum?: number;
  /** Ratio of the largest rate to the first. A number > 0. Default 25. */
  readonly div?: number;
  /** PyTorch's name of `div`. */
  readonly div_factor?: number;
  /** Ratio of the first rate to the last. A number > 0. Default 10000. */
  readonly finaldiv?: number;
  /** PyTorch's name of `finaldiv`. */
  readonly final_div_factor?: number;
  /** Fall to the first rate as fast as the rate has risen, then to the last. Default false. */
  readonly threephase?: boolean;
  /** PyTorch's name of `threephase`. */
  readonly three_phase?: boolean;
} & (
  | {
      /** The largest rate: one for all groups, or one for each. A number >= 0. */
      readonly max: number | readonly number[];
    }
  | {
      /** PyTorch's name of `max`. */
      readonly max_lr: number | readonly number[];
    }
) & (
  | {
      /** Schedule steps of the whole cycle. A whole number >= 1. */
      readonly steps: number;
    }
  | {
      /** PyTorch's name of `steps`. */
      readonly total_steps: number;
    }
);

/** Up to a largest rate and down to almost none, with momentum the other way round. As `torch.optim.lr_scheduler.OneCycleLR`. */
export type OnecycleSchedule = {
  readonly schedule: "onecycle";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & OnecycleScheduleOptions;

/** The rate times a factor, whenever a metric has stopped improving. As `torch.optim.lr_scheduler.ReduceLROnPlateau`. */
export type PlateauScheduleOptions = {
  /** Whether smaller or larger metrics are better. Default "min". */
  readonly mode?: "min" | "max";
  /** Factor of the rate at each cut. A number in [0, 1). Default 0.1. */
  readonly factor?: number;
  /** Schedule steps without an improvement before a cut. A whole number >= 0. Default 10. */
  readonly patience?: number;
  /** Smallest change of the metric that is an improvement. A number >= 0. Default 0.0001. */
  readonly threshold?: number;
  /** Whether the threshold is relative to the best metric or absolute. Default "rel". */
  readonly thresholdmode?: "rel" | "abs";
  /** PyTorch's name of `thresholdmode`. */
  readonly threshold_mode?: "rel" | "abs";
  /** Schedule steps after a cut that do not count. A whole number >= 0. Default 0. */
  readonly cooldown?: number;
  /** The smallest rate: one for all groups, or one for each. A number >= 0. Default 0. */
  readonly min?: number | readonly number[];
  /** PyTorch's name of `min`. */
  readonly min_lr?: number | readonly number[];
  /** A cut that changes the rate by at most this is skipped. A number >= 0. Default 1e-8. */
  readonly eps?: number;
};

/** The rate times a factor, whenever a metric has stopped improving. As `torch.optim.lr_scheduler.ReduceLROnPlateau`. */
export type PlateauSchedule = {
  readonly schedule: "plateau";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** The best metric so far; null before the first. Default null. */
    readonly best?: number | null;
    /** Schedule steps in a row without an improvement. A whole number >= 0. Default 0. */
    readonly bad?: number;
    /** Schedule steps of the cooldown that remain. A whole number >= 0. Default 0. */
    readonly cooling?: number;
    /** Number of cuts. A whole number >= 0. Default 0. */
    readonly cuts?: number;
  };
} & PlateauScheduleOptions;

/** A power of what is left of the schedule steps, down to zero. As `torch.optim.lr_scheduler.PolynomialLR`. */
export type PolynomialScheduleOptions = {
  /** Schedule steps to zero. A whole number >= 1. Default 5. */
  readonly steps?: number;
  /** PyTorch's name of `steps`. */
  readonly total_iters?: number;
  /** The power; 1 for a straight line. A number >= 0. Default 1. */
  readonly power?: number;
};

/** A power of what is left of the schedule steps, down to zero. As `torch.optim.lr_scheduler.PolynomialLR`. */
export type PolynomialSchedule = {
  readonly schedule: "polynomial";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & PolynomialScheduleOptions;

/** Half a cosine wave from the base rate to the smallest, again and again. As `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`. */
export type RestartsScheduleOptions = {
  /** Ratio of the lengths of two consecutive half waves. A whole number >= 1. Default 1. */
  readonly grow?: number;
  /** PyTorch's name of `grow`. */
  readonly T_mult?: number;
  /** The smallest rate. A number >= 0. Default 0. */
  readonly min?: number;
  /** PyTorch's name of `min`. */
  readonly eta_min?: number;
} & (
  | {
      /** Schedule steps to the first restart. A whole number >= 1. */
      readonly steps: number;
    }
  | {
      /** PyTorch's name of `steps`. */
      readonly T_0: number;
    }
);

/** Half a cosine wave from the base rate to the smallest, again and again. As `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`. */
export type RestartsSchedule = {
  readonly schedule: "restarts";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & RestartsScheduleOptions;

/** The rate times a factor, once in a number of schedule steps. As `torch.optim.lr_scheduler.StepLR`. */
export type StepScheduleOptions = {
  /** Factor of the rate at each change. A number >= 0. Default 0.1. */
  readonly gamma?: number;
} & (
  | {
      /** Schedule steps between two changes. A whole number >= 1. */
      readonly every: number;
    }
  | {
      /** PyTorch's name of `every`. */
      readonly step_size: number;
    }
);

/** The rate times a factor, once in a number of schedule steps. As `torch.optim.lr_scheduler.StepLR`. */
export type StepSchedule = {
  readonly schedule: "step";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
} & StepScheduleOptions;

/** A straight line up to the base rate, and then another schedule. As `torch.optim.lr_scheduler.SequentialLR`. */
export type WarmupScheduleOptions = {
  /** The first factor of the base rate. A number in [0, 1]. Default 0.3333333333333333. */
  readonly start?: number;
  /** PyTorch's name of `start`. */
  readonly start_factor?: number;
} & (
  | {
      /** Schedule steps of the warm-up, after which the other schedule starts. A whole number >= 1. */
      readonly steps: number;
    }
  | {
      /** PyTorch's name of `steps`. */
      readonly total_iters: number;
    }
);

/** A straight line up to the base rate, and then another schedule. As `torch.optim.lr_scheduler.SequentialLR`. */
export type WarmupSchedule = {
  readonly schedule: "warmup";
  /** How far it is; from the beginning if left out. */
  readonly progress?: {
    /** Schedule steps taken. A whole number >= 0. Default 0. */
    readonly taken?: number;
  };
  /** The schedule that follows. */
  readonly next: ScheduleSpecification;
} & WarmupScheduleOptions;

/** What a schedule does: plain data, of which `schedule` binds one to an optimizer. */
export type ScheduleSpecification =
  | ChainedSchedule
  | CosineSchedule
  | ExponentialSchedule
  | LinearSchedule
  | MultistepSchedule
  | OnecycleSchedule
  | PlateauSchedule
  | PolynomialSchedule
  | RestartsSchedule
  | StepSchedule
  | WarmupSchedule;
