// The contenders' processes. They are kept from case to case, because some take seconds to start.

import { Child } from "./child.js";
import type { Contender } from "./contenders.js";

export class Pool {
  readonly #children = new Map<string, Child[]>();

  /** A process that is not among those in use, or why there is none. */
  async take(contender: Contender, threads: number, inUse: readonly Child[] = []): Promise<Child | string> {
    const key = `${contender.name}, ${threads}`;
    const children = this.#children.get(key) ?? [];
    const idle = children.find((child) => !inUse.includes(child));
    if (idle) return idle;
    const program = contender.find();
    if (typeof program === "string") return program;
    try {
      const child = await Child.start(contender.name, program, threads);
      this.#children.set(key, [...children, child]);
      return child;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Ends all that are not in use: some keep the memory of what they have dropped. */
  async endIdle(inUse: readonly Child[]): Promise<void> {
    const idle = [...this.#children.values()].flat().filter((child) => !inUse.includes(child));
    for (const child of idle) {
      this.discard(child);
      await child.ended;
    }
  }

  /** Ends a process that failed. */
  discard(child: Child): void {
    child.end();
    for (const [key, children] of this.#children) {
      this.#children.set(
        key,
        children.filter((one) => one !== child),
      );
    }
  }

  end(): void {
    for (const child of [...this.#children.values()].flat()) child.end();
    this.#children.clear();
  }
}
