// Images of objects: everything that a call may leave alone or change, as text to compare.

import * as k from "@stepwell/sdk";
import type { Entry } from "./shadow.js";

/** An object as it is. */
export interface Image {
  readonly text: string;
  /** The largest magnitude of its numbers; NaN where one is none. Only of types with a wide range. */
  readonly largest: number;
}

/** Images of objects, as they are now. */
export const imagesOf = (entries: readonly Entry[]): readonly Image[] => entries.map(imageOf);

function imageOf({ kind, handle }: Entry): Image {
  const reader = new Reader();
  const one = handle as never;
  switch (kind) {
    case "tensor":
      reader.add(() => k.data(one));
      reader.add(() => k.grad(one));
      reader.add(() => k.gradflag(one));
      break;
    case "module":
      reader.add(() => k.state(one as k.ModuleHandle));
      reader.add(() => k.gradflag(one));
      break;
    case "optimizer":
      reader.add(() => k.state(one as k.OptimizerHandle));
      break;
    case "model":
      reader.add(() => [k.train(one), k.test(one)]);
      break;
    case "vector":
    case "dictionary":
      reader.add(() => k.gradflag(one));
      break;
    case "loss":
      reader.add(() => k.objtype(one));
      break;
  }
  return { text: reader.text, largest: reader.largest };
}

/** A result as text, without its pointers. */
export function textOf(result: unknown): string {
  const reader = new Reader();
  reader.add(() => result);
  return reader.text.replaceAll(/pointer:\d+/g, "");
}

/** Where two texts begin to differ. */
export function differenceOf(before = "", after = ""): string {
  let at = 0;
  while (before[at] === after[at] && at < before.length) at += 1;
  const part = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 40), at + 60));
  return `${part(before)} to ${part(after)}`;
}

class Reader {
  text = "";
  largest = 0;

  /** Adds the result of a call, or its error. */
  add(read: () => unknown): void {
    try {
      this.#value(read());
    } catch (error) {
      this.text += `!${(error as { code?: string }).code}`;
    }
    this.text += "|";
  }

  #value(value: unknown): void {
    if (typeof value === "number") {
      this.text += Object.is(value, -0) ? "-0," : `${value},`;
      this.#measure(value);
    } else if (ArrayBuffer.isView(value)) {
      this.text += Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
      if (value instanceof Float32Array || value instanceof Float64Array) for (const x of value) this.#measure(x);
    } else if (Array.isArray(value)) {
      this.text += "[";
      for (const item of value) this.#value(item);
      this.text += "]";
    } else if (typeof value === "object" && value !== null) {
      const before = this.largest;
      for (const [key, item] of Object.entries(value)) {
        this.text += `${key}:`;
        // It is an address, and not a number of the tensor.
        if (key === "pointer") this.text += String(item);
        else this.#value(item);
      }
      // Half a dozen additions are beyond the range of this type.
      if ("dtype" in value && value.dtype === "half") this.largest = before;
    } else {
      this.text += `${String(value)},`;
    }
  }

  #measure(x: number): void {
    const magnitude = Math.abs(x);
    if (!(magnitude <= this.largest)) this.largest = Number.isNaN(magnitude) ? Number.NaN : magnitude;
  }
}
