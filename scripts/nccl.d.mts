/**
 * Builds the library by which processes exchange tensors of GPUs against a libtorch, unless the one in `target` is newer than its sources. Returns
 * whether it was built, or the reason why not.
 */
export function buildNccl(libtorch: string, target?: string): { readonly built?: boolean; readonly reason?: string };
