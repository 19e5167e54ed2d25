// Written by `cargo test -p stepwell-session generated` from the tables of handles; not to be edited.

/** Kinds of objects, at the numbers that ids of handles have. */
export const objectKinds = ["tensor", "vector", "dictionary", "module", "optimizer", "loss", "model"] as const;

/** The kind of an object. */
export type ObjectKind = (typeof objectKinds)[number];

/** An id is at least the number of its kind times this, and below the next number times this. */
export const idsOfKind = 1125899906842624;
