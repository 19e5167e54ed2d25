// A module of a class of the program: what makes its members a module of the engine, and runs its forward pass.

import type { HostedFunction } from "../../client/hosted-functions.js";
import { renamed, StepwellError } from "../../errors.js";
import { Handle, type ModuleHandle, type TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import { handlesIn } from "../../values/handles-in.js";
import { presentInputs } from "../../values/inputs.js";
import { refuse } from "../../values/refuse.js";
import { client } from "../client.js";
import { outputsOf } from "../functions/outputs.js";
import { type Member, memberOf, refuseParts, sameMember, withParts } from "./members.js";
import { Tensor } from "./tensor.js";

/** Forward passes within forward passes, and modules within modules, nest at most so deep: recursion cannot exhaust the stack. */
const MAX_DEPTH = 128;

type Forward = (...inputs: readonly unknown[]) => unknown;

/** An object of a class that extends the class of modules. */
interface Extended {
  forward: Forward;
}

/** The class of modules, which this file is below. */
export interface ModuleBase {
  /** Runs a module by the engine. */
  readonly forward: Forward;
  /** The module of a handle. */
  of(handle: ModuleHandle): object;
  /** An object of a class, whose constructor does not run. */
  make(of: object): Extended;
  /** The part of an own module that is not its class; undefined for any other module. */
  ownOf(module: object): OwnModule | undefined;
}

/** The objects of own modules, by their handles. */
const objects = new WeakMap<Handle, WeakRef<object>>();

/** The object of an own module that a handle was made for. */
export function ownObjectOf(handle: ModuleHandle): object | undefined {
  return objects.get(handle)?.deref();
}

/** The forward passes that run each within the one before, without the engine. */
let depth = 0;
/** The modules that are being made, each as a member of the one before. */
let making = 0;

/** The part of an own module that is not its class. */
export class OwnModule implements HostedFunction {
  readonly #object: Extended;
  readonly #base: ModuleBase;
  readonly #wrapper: Forward;
  readonly #buffers: string[] = [];
  /** The scope in which the object was made, to which the module belongs as its members do. */
  readonly #scope = client.innermostScope;
  #handle: ModuleHandle | undefined;
  /** The members that the module was made of. */
  #members: ReadonlyMap<string, Member> = new Map();
  #parameters: ReadonlySet<string> = new Set();
  /** Parameters that passes have made, which were freed with all else that those made. */
  readonly #late = new Map<string, unknown>();
  #isMaking = false;

  constructor(object: Extended, base: ModuleBase) {
    this.#object = object;
    this.#base = base;
    this.#wrapper = (...inputs) => this.#call(inputs);
    // On the object, so that a call of its forward pass is one of the engine; the class has the pass itself.
    const property = { value: this.#wrapper, configurable: true, writable: true };
    if (object.forward !== base.forward) Object.defineProperty(object, "forward", property);
  }

  /** Whether the engine has the module. */
  get isMade(): boolean {
    return this.#handle !== undefined;
  }

  /** The handle. The first call makes the module of the members; later ones check that they are the same. */
  handle(): ModuleHandle {
    const members = this.#read();
    if (this.#handle === undefined) return this.#make(members);
    this.#checkAll(members, new Set());
    return this.#handle;
  }

  registerBuffer(name: string, tensor: AnyTensor): void {
    if (typeof name !== "string") refuse("registerBuffer", "a name as argument 1", name);
    if (memberOf(tensor)?.kind !== "tensor") refuse("registerBuffer", "a tensor as argument 2", tensor);
    if (name in this.#object) refuse("registerBuffer", "the name of a new property as argument 1", name);
    if (this.isMade) this.#refuse(name, "assigned");
    if (!Object.isExtensible(this.#object)) refuse("registerBuffer", "a module that takes properties", "a frozen one");
    this.#buffers.push(name);
    Object.defineProperty(this.#object, name, { value: tensor, enumerable: true, configurable: true, writable: true });
  }

  /** Runs the forward pass with inputs of the engine. */
  run(inputs: readonly TensorHandle[]): readonly unknown[] {
    return outputsOf(this.where, this.#forward(inputs.map((input) => new Tensor(input))));
  }

  /** The object of a copy of the module, of the same class. Its constructor does not run. */
  copy(module: ModuleHandle, copies: ReadonlyMap<HostedFunction, HostedFunction>): HostedFunction {
    const object = client.withoutScope(() => this.#base.make(this.#object));
    const own = this.#base.ownOf(object) as OwnModule;
    for (const name of Reflect.ownKeys(this.#object)) {
      const property = Object.getOwnPropertyDescriptor(this.#object, name) as PropertyDescriptor;
      if (property.value === this.#wrapper) property.value = own.#wrapper;
      else if (typeof name === "string" && "value" in property)
        property.value = this.#copied(name, property.value, module, copies);
      Object.defineProperty(object, name, property);
    }
    // Frozen objects and sealed ones have such properties, and are not extensible.
    if (!Object.isExtensible(this.#object)) Object.preventExtensions(object);
    own.#buffers.push(...this.#buffers);
    own.#parameters = this.#parameters;
    own.#handle = module;
    own.#members = own.#read();
    objects.set(module, new WeakRef(object));
    return own;
  }

  /** The value of a property in a copy. Parts of a member become parts of the copy; any other value stays as it is. */
  #copied(
    name: string,
    value: unknown,
    module: ModuleHandle,
    copies: ReadonlyMap<HostedFunction, HostedFunction>,
  ): unknown {
    const member = this.#members.get(name);
    if (member === undefined) return value;
    if (member.kind === "tensor" && !this.#parameters.has(name) && !this.#buffers.includes(name)) return value;
    return withParts(member, name, (part, path) => {
      const original = this.#base.ownOf(part as object);
      const copied = original && (copies.get(original) as OwnModule | undefined);
      if (copied) return copied.#object;
      const isTensor = memberOf(part)?.kind === "tensor";
      const handle = client.call(isTensor ? "parm" : "child", [module, path]);
      if (part instanceof Handle) return handle;
      return isTensor ? new Tensor(handle as TensorHandle) : this.#base.of(handle as ModuleHandle);
    });
  }

  /** The name of the class, in messages. */
  get where(): string {
    const { name } = this.#object.constructor;
    return name === "" ? "Module" : name;
  }

  /** The forward pass of the class. */
  #forward(inputs: readonly Tensor[]): unknown {
    let isOver = false;
    try {
      const returned = this.#apply(inputs);
      isOver = true;
      return returned;
    } finally {
      const late = this.#findLate(inputs);
      if (isOver && late !== undefined) this.#refuse(late, this.#members.has(late) ? "changed" : "assigned");
    }
  }

  #apply(inputs: readonly Tensor[]): unknown {
    const own = Object.getOwnPropertyDescriptor(this.#object, "forward")?.value;
    const forward: unknown =
      own === undefined || own === this.#wrapper ? Object.getPrototypeOf(this.#object).forward : own;
    if (typeof forward !== "function" || forward === this.#base.forward) {
      throw new StepwellError("ERR_ARGUMENT", `${this.where}: expected a class with a method \`forward\``);
    }
    return Reflect.apply(forward, this.#object, inputs);
  }

  /** A call of the forward pass by the program. Within another pass it is a part of that one. */
  #call(given: readonly unknown[]): unknown {
    const inputs = presentInputs(given);
    const handles = inputs.map((input) => memberOf(input));
    if (client.passes === 0 || inputs.length === 0 || handles.some((member) => member?.kind !== "tensor")) {
      return Reflect.apply(this.#base.forward, this.#object, inputs);
    }
    if (depth >= MAX_DEPTH) {
      const message = `${this.where}: forward passes within forward passes nest at most ${MAX_DEPTH} deep`;
      throw new StepwellError("ERR_ARGUMENT", message);
    }
    const scope = client.openScope();
    depth += 1;
    try {
      const tensors = inputs.map((input) => (input instanceof Tensor ? input : new Tensor(input as AnyTensor)));
      const returned = this.#forward(tensors);
      const outputs = outputsOf(this.where, returned).map((output) =>
        output instanceof Tensor ? output : new Tensor(output as AnyTensor),
      );
      client.keep(handlesIn(outputs, this.where), scope);
      return Array.isArray(returned) ? outputs : outputs[0];
    } finally {
      depth -= 1;
      client.closeScope(scope);
    }
  }

  #read(): Map<string, Member> {
    const members = new Map<string, Member>();
    for (const name of Object.keys(this.#object)) {
      const value: unknown = Object.getOwnPropertyDescriptor(this.#object, name)?.value;
      const before = this.#members.get(name);
      // Parts of a list or a dictionary may have changed.
      const isSame = before?.value === value && (before?.kind === "tensor" || before?.kind === "module");
      const member = isSame ? before : memberOf(value);
      if (member !== undefined) members.set(name, member);
    }
    return members;
  }

  #make(members: ReadonlyMap<string, Member>): ModuleHandle {
    if (this.#isMaking) throw new StepwellError("ERR_ARGUMENT", `${this.where}: a module that contains itself`);
    if (making >= MAX_DEPTH) {
      throw new StepwellError("ERR_ARGUMENT", `${this.where}: modules within modules nest at most ${MAX_DEPTH} deep`);
    }
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(this.#object))) {
      if (members.has(name) || property.enumerable !== true) continue;
      refuseParts(property.value, `${this.where}.${name}`, isParameter);
    }
    this.#isMaking = true;
    making += 1;
    try {
      const list = [...members].map(([name, { value }]) => [name, value] as const);
      // A pass may make it first, whose scope ends before the object does.
      const [handle, parameters] = client.withinScope(this.#scope, () =>
        client.makeCallback(this, this.where, list, this.#buffers),
      );
      this.#handle = handle;
      this.#parameters = new Set(parameters);
      this.#members = members;
      objects.set(handle, new WeakRef<object>(this.#object));
      return handle;
    } catch (error) {
      throw renamed(error, "callback", this.where);
    } finally {
      this.#isMaking = false;
      making -= 1;
    }
  }

  /** Remembers the parameters that a pass has assigned to properties, while they are not yet freed. Returns the name of one. */
  #findLate(inputs: readonly Tensor[]): string | undefined {
    let found: string | undefined;
    if (!this.isMade) return found;
    for (const [name, member] of this.#read()) {
      if (member.kind !== "tensor" || this.#members.get(name)?.value === member.value) continue;
      const isKnown = this.#late.get(name) === member.value;
      if (!isKnown && (inputs.includes(member.value as Tensor) || !isParameter(member.value))) continue;
      this.#late.set(name, member.value);
      found ??= name;
    }
    return found;
  }

  /** Fails unless the members are those that the module was made of, and so are the members of own modules among them. */
  #checkAll(members: ReadonlyMap<string, Member>, seen: Set<OwnModule>): void {
    seen.add(this);
    for (const [name, member] of members) this.#check(name, member);
    for (const name of this.#members.keys()) if (!members.has(name)) this.#refuse(name, "removed");
    for (const { parts } of this.#members.values()) {
      for (const [, part] of parts) {
        const own = this.#base.ownOf(part as object);
        if (own !== undefined && !seen.has(own)) own.#checkAll(own.#read(), seen);
      }
    }
  }

  /** Fails for a member that the module was not made of. */
  #check(name: string, member: Member): void {
    const before = this.#members.get(name);
    if (before !== undefined && sameMember(before, member)) return;
    const wasPart = before !== undefined && (before.kind !== "tensor" || this.#parameters.has(name));
    // A pass may leave a tensor in a property: it is not a parameter.
    const isLate = this.#late.get(name) === member.value;
    if (member.kind === "tensor" && !wasPart && !isLate && !isParameter(member.value)) return;
    this.#refuse(name, before === undefined ? "assigned" : "changed");
  }

  #refuse(name: string, change: string): never {
    const message = `${this.where}: \`${name}\` was ${change} after the module was first used: assign all in the constructor`;
    throw new StepwellError("ERR_PARAMETER", message);
  }
}

/** Whether a tensor would be a parameter. One that was freed, such as one that an earlier pass has made, would not. */
function isParameter(tensor: unknown): boolean {
  try {
    return client.call("isparameter", [tensor]) === true;
  } catch (error) {
    if (error instanceof StepwellError && error.code === "ERR_HANDLE_FREED") return false;
    throw error;
  }
}
