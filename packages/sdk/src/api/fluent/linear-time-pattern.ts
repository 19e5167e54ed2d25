// Matches regular expressions out of JSON, on some of which `RegExp` would hang. The time is proportional to the length of the
// name, since all alternatives are tried at once and none twice (Thompson 1968).

import { StepwellError } from "../../errors.js";

/** Limit of an expression, in characters. */
const MAX_LENGTH = 1000;
/** Limit of an expression, in steps; `a{500}` has 500. */
const MAX_STEPS = 5000;

type Test = (text: readonly string[], at: number) => boolean;

/** A step of an expression: takes a character, or goes on from here or there if a place fits, or ends. */
type Step =
  | { readonly kind: "take"; readonly fits: (character: string) => boolean }
  | { readonly kind: "place"; readonly fits: Test }
  | { readonly kind: "fork"; readonly to: number[] }
  | { readonly kind: "end" };

/**
 * A function that tests whether an expression occurs in a name, as `RegExp` does. Throws for an expression that `RegExp` refuses, and
 * for one that takes more than linear time: with a back reference or lookaround. The flags are any of `dgimsu`.
 */
export function linearTimePattern(source: string, flags: string): (name: string) => boolean {
  const steps = new Parser(source, flags).steps();
  const split = flags.includes("u") ? (name: string) => Array.from(name) : (name: string) => name.split("");
  return (name) => occurs(steps, split(name));
}

function occurs(steps: readonly Step[], text: readonly string[]): boolean {
  let current: number[] = [];
  for (let at = 0; at <= text.length; at++) {
    // Steps that are reached after a start at any earlier character; the expression can also start at this one.
    const seen = new Set<number>();
    const open = [...current, 0].reverse();
    const next: number[] = [];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const step = steps[index];
      if (step?.kind === "end") return true;
      if (step?.kind === "fork") open.push(...step.to);
      if (step?.kind === "place" && step.fits(text, at)) open.push(index + 1);
      if (step?.kind === "take" && at < text.length && step.fits(text[at] as string)) next.push(index + 1);
    }
    current = next;
  }
  return false;
}

/** A part of an expression. */
type Part =
  | Extract<Step, { kind: "take" | "place" }>
  | { readonly kind: "all" | "any"; readonly of: readonly Part[] }
  | { readonly kind: "repeated"; readonly of: Part; readonly least: number; readonly most: number };

function stepsOf(whole: Part, refuse: (what: string) => never): readonly Step[] {
  const steps: Step[] = [];
  const add = (step: Step) => {
    if (steps.push(step) > MAX_STEPS) refuse(`more than ${MAX_STEPS} steps`);
  };
  /** Adds a fork, and returns the list of its targets, which the caller completes. */
  const fork = (...to: number[]) => {
    add({ kind: "fork", to });
    return to;
  };
  const write = (part: Part): void => {
    switch (part.kind) {
      case "all":
        for (const one of part.of) write(one);
        return;
      case "any": {
        const ends = part.of.map((one) => {
          const here = fork(steps.length + 1);
          write(one);
          const end = fork();
          here.push(steps.length);
          return end;
        });
        // After the last alternative, the fork leads to no other.
        add({ kind: "place", fits: () => false });
        for (const end of ends) end.push(steps.length);
        return;
      }
      case "repeated": {
        for (let i = 0; i < part.least; i++) {
          const before = steps.length;
          write(part.of);
          // A part without steps is the empty match, however often it is repeated.
          if (steps.length === before) break;
        }
        if (part.most === Number.POSITIVE_INFINITY) {
          const start = steps.length;
          const here = fork(start + 1);
          write(part.of);
          fork(start);
          here.push(steps.length);
          return;
        }
        const skips: number[][] = [];
        for (let i = part.least; i < part.most; i++) {
          skips.push(fork(steps.length + 1));
          write(part.of);
        }
        for (const skip of skips) skip.push(steps.length);
        return;
      }
      default:
        add(part);
    }
  };
  write(whole);
  add({ kind: "end" });
  return steps;
}

class Parser {
  #at = 0;
  readonly #word: RegExp;

  constructor(
    readonly source: string,
    readonly flags: string,
  ) {
    if (!/^[dgimsu]*$/.test(flags)) this.#refuse(`the flags \`${flags.slice(0, 20)}\``);
    if (source.length > MAX_LENGTH) this.#refuse(`more than ${MAX_LENGTH} characters`);
    try {
      new RegExp(source, flags);
    } catch {
      this.#refuse("what is none");
    }
    this.#word = new RegExp("^\\w$", flags.replace(/[^iu]/g, ""));
  }

  steps(): readonly Step[] {
    const whole = this.#alternatives();
    if (this.#at < this.source.length) this.#refuse(`\`${this.source[this.#at]}\``);
    return stepsOf(whole, (what) => this.#refuse(what));
  }

  #alternatives(): Part {
    const of = [this.#sequence()];
    while (this.#skip("|")) of.push(this.#sequence());
    return of.length === 1 ? (of[0] as Part) : { kind: "any", of };
  }

  #sequence(): Part {
    const of: Part[] = [];
    while (this.#at < this.source.length && !"|)".includes(this.source[this.#at] as string)) {
      of.push(this.#quantified(this.#term()));
    }
    return { kind: "all", of };
  }

  #term(): Part {
    const place = (fits: Test): Part => ({ kind: "place", fits });
    const many = this.flags.includes("m");
    if (this.#skip("^")) return place((text, at) => at === 0 || (many && isEnd(text[at - 1])));
    if (this.#skip("$")) return place((text, at) => at === text.length || (many && isEnd(text[at])));
    if (this.#skip("\\b")) return place((text, at) => this.#isBetween(text, at));
    if (this.#skip("\\B")) return place((text, at) => !this.#isBetween(text, at));
    if (this.#skip("(")) return this.#group();
    return this.#character();
  }

  #group(): Part {
    const head = /^\?(?::|<[^=!][^>]*>)/.exec(this.source.slice(this.#at));
    if (head) this.#at += head[0].length;
    else if (this.source[this.#at] === "?") this.#refuse("a look ahead or behind");
    const inside = this.#alternatives();
    this.#skip(")");
    return inside;
  }

  /** One character, a class of them, or an escape. `RegExp` decides which characters match. */
  #character(): Part {
    const unicode = this.flags.includes("u");
    const rest = this.source.slice(this.#at);
    const long = "\\\\u\\{[^}]*\\}|\\\\u[dD][89abAB]..\\\\u[dD][c-fC-F]..|\\\\[pP]\\{[^}]*\\}|";
    const escaped = "\\\\u[0-9a-fA-F]{4}|\\\\x[0-9a-fA-F]{2}|\\\\c[a-zA-Z]|\\\\0(?![0-9])|\\\\[^0-9ck]";
    const other = "\\[(?:\\\\.|[^\\]\\\\])*\\]|[^\\\\[\\]{}*+?()|]";
    const atom = new RegExp(`^(?:${unicode ? long : ""}${escaped}|${other})`, unicode ? "su" : "s").exec(rest)?.[0];
    if (atom === undefined) this.#refuse(/^\\[0-9k]/.test(rest) ? "a reference back" : `\`${rest.slice(0, 2)}\``);
    this.#at += atom.length;
    const test = new RegExp(`^(?:${atom})$`, this.flags.replace(/[^isu]/g, ""));
    return { kind: "take", fits: (character) => test.test(character) };
  }

  #quantified(of: Part): Part {
    const match = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.#at));
    if (!match) return of;
    this.#at += match[0].length;
    const [text, low, comma, high] = match;
    const endless = Number.POSITIVE_INFINITY;
    if (low === undefined) {
      return { kind: "repeated", of, least: text[0] === "+" ? 1 : 0, most: text[0] === "?" ? 1 : endless };
    }
    const most = comma === "" ? Number(low) : high === "" ? endless : Number(high);
    return { kind: "repeated", of, least: Number(low), most };
  }

  #skip(text: string): boolean {
    if (!this.source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #isBetween(text: readonly string[], at: number): boolean {
    return this.#word.test(text[at - 1] ?? "") !== this.#word.test(text[at] ?? "");
  }

  #refuse(what: string): never {
    const expected = "expected a regular expression without references back and without looking ahead or behind";
    throw new StepwellError("ERR_FORMAT", `fromJSON: ${expected}, given ${what} in /${this.source.slice(0, 100)}/`);
  }
}

const isEnd = (character: string | undefined) => character !== undefined && "\n\r\u2028\u2029".includes(character);
