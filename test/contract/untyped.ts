import { createContext, runInContext } from "node:vm";
import * as k from "@stepwell/sdk";

const context = createContext({});

/** A value of another realm, from its source. */
export const foreign = (code: string): unknown => runInContext(code, context);

/** A function as a program without types calls it. */
type Untyped = (...args: readonly unknown[]) => never;
const untyped = k as unknown as Readonly<Record<string, Untyped>>;

/** Calls a function by its name, without types. */
export const call = (name: string, ...args: readonly unknown[]): unknown => untyped[name]?.(...args);
