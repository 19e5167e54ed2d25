// Texts of objects for consoles: Node's `util.inspect`, and `String`.

/** The kinds of text that a console colours. */
export type TextKind = "number" | "special" | "string";

/** How a text is written. */
export interface TextStyle {
  /** Levels below the first one that are written. */
  readonly depth: number;
  /** Colours a text, if the console has colours. */
  paint(text: string, kind: TextKind): string;
}

/** All levels, without colours. */
export const plainStyle: TextStyle = { depth: Number.POSITIVE_INFINITY, paint: (text) => text };

/** Node calls the method of this name to print an object. Bun and Deno do, too. */
const custom: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Options of `util.inspect` as its custom methods get them. */
interface InspectOptions {
  stylize?(text: string, kind: string): string;
}

/** Makes objects of a prototype print as a text. It must not throw for an object of the class. */
export function definePrinting<Of extends object>(
  prototype: Of,
  nameOf: (object: Of) => string,
  textOf: (object: Of, style: TextStyle) => string,
): void {
  Object.defineProperty(prototype, custom, {
    configurable: true,
    value(this: Of, depth: number | null, options: InspectOptions): unknown {
      const paint = (text: string, kind: TextKind) => options?.stylize?.(text, kind) ?? text;
      const levels = depth === null ? Number.POSITIVE_INFINITY : depth;
      if (levels < 0) return paint(`[${nameOf(this)}]`, "special");
      const text = textOf(this, { depth: levels, paint });
      // `util.inspect` indents the text of an object that a method returns, and not a text.
      return { [custom]: () => text };
    },
  });
}
