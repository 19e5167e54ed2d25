/** Opens a session of the engine in Rust. Its type is stated once, by the SDK, which is the only caller. */
export function open(): unknown;
