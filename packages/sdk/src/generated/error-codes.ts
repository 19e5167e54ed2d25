// Written by `cargo test -p stepwell-optim generated` from the table of codes; not to be edited.

/** Every code of an error of an engine. A code never changes its meaning. */
export const engineErrorCodes = [
  /** A call with too few, too many or unsuitable arguments. */
  "ERR_ARGUMENT",
  /** An unknown name of an optimizer, module or loss. */
  "ERR_UNKNOWN_NAME",
  /** An option that this optimizer, module or loss does not have. */
  "ERR_OPTION_UNKNOWN",
  /** An option of the wrong type. */
  "ERR_OPTION_TYPE",
  /** An option outside its range, or not finite. */
  "ERR_OPTION_RANGE",
  /** A parameter group that does not exist and cannot be added. */
  "ERR_GROUP",
  /** A tensor that cannot become a parameter: unknown, not a leaf, or added before. */
  "ERR_PARAMETER",
  /** A gradient that cannot be used. */
  "ERR_GRADIENT",
  /** The optimizer needs a closure that computes the loss. */
  "ERR_CLOSURE_REQUIRED",
  /** A handle whose object was freed. */
  "ERR_HANDLE_FREED",
  /** An object that a pass or a step uses, whose function called to free, run or change it. */
  "ERR_BUSY",
  /** A value that is not a handle of this session. */
  "ERR_HANDLE_INVALID",
  /** A handle of another kind than the call expects. */
  "ERR_HANDLE_KIND",
  /** Shapes that do not match. */
  "ERR_SHAPE",
  /** A data type that is not supported here. */
  "ERR_DTYPE",
  /** A device that does not exist or cannot be used. */
  "ERR_DEVICE",
  /** Not enough memory. */
  "ERR_MEMORY",
  /** A file that cannot be read or written. */
  "ERR_FILE",
  /** A file with unexpected content. */
  "ERR_FORMAT",
  /** An operation that this engine does not have. */
  "ERR_UNSUPPORTED",
  /** Objects that were made and not freed, found by `leakcheck`. */
  "ERR_LEAK",
  /** Another process of the training has ended, does not answer, or does something else. */
  "ERR_DISTRIBUTED",
  /** The tensor library refused an operation. */
  "ERR_ENGINE",
  /** The engine was stopped by a bug of Stepwell or by a lack of memory or stack; only a reset helps. */
  "ERR_ENGINE_POISONED",
  /** A bug of Stepwell. */
  "ERR_INTERNAL",
] as const;
