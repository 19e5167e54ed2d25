/** The engine's functions. Their types are stated once, by the SDK, which is the only caller. */
export const binding: unknown;
