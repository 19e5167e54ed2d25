// Changes of given objects: all or none.

/** A change of a given object, and what takes it back. */
export interface Change {
  readonly apply: () => void;
  readonly undo: () => void;
}

/** Makes all changes, or takes back those that were made. */
export function applyAll(changes: readonly Change[]): void {
  const done: Change[] = [];
  try {
    for (const change of changes) {
      change.apply();
      done.push(change);
    }
  } catch (error) {
    for (const change of done.reverse()) change.undo();
    throw error;
  }
}
