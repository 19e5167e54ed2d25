/** Opens a session. Its type is stated once, by the SDK, which is the only caller. */
export function open(): unknown;
