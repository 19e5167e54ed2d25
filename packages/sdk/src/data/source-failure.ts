/** An exception of a source on its way to the caller, who gets it as it was thrown. */
export class SourceFailure {
  constructor(readonly error: unknown) {}

  /** An exception of a source; one that is a failure already stays. */
  static from(error: unknown): SourceFailure {
    return error instanceof SourceFailure ? error : new SourceFailure(error);
  }

  /** The result of a call of a source. */
  static of<Result>(call: () => Result): Result {
    try {
      const result = call();
      if (!(result instanceof Promise)) return result;
      return result.catch((error) => {
        throw SourceFailure.from(error);
      }) as Result;
    } catch (error) {
      throw SourceFailure.from(error);
    }
  }

  /** What the caller gets for an exception. */
  static unwrapped(error: unknown): unknown {
    return error instanceof SourceFailure ? error.error : error;
  }
}
