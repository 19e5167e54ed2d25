// The functions of the k-api.

export * from "./activation.js";
export * from "./comparison.js";
export * from "./creation.js";
export * from "./devices.js";
export * from "./elementwise.js";
export * from "./files.js";
export * from "./gradients.js";
export * from "./indexing.js";
export * from "./losses.js";
export * from "./matrix.js";
export * from "./models.js";
export * from "./modules.js";
export * from "./objects.js";
export * from "./optimizers.js";
export * from "./reduction.js";
export * from "./schedules.js";
export * from "./scopes.js";
export * from "./session.js";
export * from "./shape.js";
export * from "./sorting.js";
export * from "./statistics.js";
export * from "./steps.js";
export * from "./tensors.js";
