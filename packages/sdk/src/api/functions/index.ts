// The functions of the k-api.

export * from "./files.js";
export * from "./gradients.js";
export * from "./losses.js";
export * from "./models.js";
export * from "./modules.js";
export * from "./objects.js";
export * from "./optimizers.js";
export * from "./schedules.js";
export * from "./scopes.js";
export * from "./session.js";
export * from "./steps.js";
export * from "./tensors.js";
