// Calls of the engine that the texts are written from.

/** Calls a command of the session. */
export type Call = (command: string, args: readonly unknown[]) => unknown;
