// Standard objects that the declarations of the SDK name, for projects that lack them. Such a project has no
// `esnext.disposable` and no `dom` in `lib`, or no `@types/node`. Declarations of TypeScript and of Node merge with these.

declare global {
  interface SymbolConstructor {
    /** The key of the method that a `using` declaration calls at the end of its block. */
    readonly dispose: unique symbol;
  }

  interface Disposable {
    [Symbol.dispose](): void;
  }

  interface AbortSignal {
    /** Whether the signal has been aborted. */
    readonly aborted: boolean;
  }
}

export {};
