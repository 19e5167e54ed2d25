// One optimizer on a surface.

import type {
  Api,
  ModuleHandle,
  ModuleState,
  OptimizerHandle,
  OptimizerName,
  OptionRow,
  State,
  TensorHandle,
} from "@stepwell/sdk";
import { changedOptions } from "./options.js";
import { type Surface, target } from "./surfaces/surface.js";

export interface RacerSettings {
  readonly optimizer: OptimizerName;
  /** One row: x and y are one tensor. Two: x and y are tensors of their own, each in a group of its own. */
  readonly groups: readonly [OptionRow] | readonly [OptionRow, OptionRow];
}

/** Options that were set while the racer was on its way. */
export interface Edit {
  /** Steps made before it. */
  readonly step: number;
  readonly group: number;
  readonly options: OptionRow;
}

/** The numbers of one point of a path. */
export const pointSize = 4;

/** A racer as plain data. */
export interface SavedRacer {
  readonly settings: RacerSettings;
  readonly edits: readonly Edit[];
  /** x, y, loss and evaluations of each point, from the start. */
  readonly path: Float64Array;
  readonly arrival: number | undefined;
  readonly state: State;
  readonly parameters: ModuleState;
}

/** State from step to step that is not part of the optimizer. */
interface Progress {
  readonly path: number[];
  readonly edits: Edit[];
  arrival: number | undefined;
}

export class Racer {
  readonly settings: RacerSettings;
  readonly #api: Api;
  readonly #surface: Surface;
  readonly #optimizer: OptimizerHandle;
  /** The element type of the parameters. */
  readonly #container: ModuleHandle;
  /** One tensor of both coordinates, or one for each. */
  readonly #tensors: readonly TensorHandle[];
  readonly #progress: Progress;

  private constructor(
    api: Api,
    surface: Surface,
    settings: RacerSettings,
    optimizer: OptimizerHandle,
    container: ModuleHandle,
    progress: Progress,
  ) {
    this.#api = api;
    this.#surface = surface;
    this.settings = settings;
    this.#optimizer = optimizer;
    this.#container = container;
    this.#tensors = api.parmnames(container).map((name) => api.parm(container, name));
    this.#progress = progress;
  }

  static start(api: Api, surface: Surface, [x, y]: readonly [number, number], settings: RacerSettings): Racer {
    const { optimizer: name, groups } = settings;
    const tensors =
      groups.length === 1
        ? [api.tensor([x, y], "grad", "double")]
        : [api.tensor([x], "grad", "double"), api.tensor([y], "grad", "double")];
    let optimizer: OptimizerHandle | undefined;
    try {
      optimizer = api.opt(name, changedOptions(name, groups[0]) as never);
      for (const [group, tensor] of tensors.entries()) api.opt(optimizer, group, tensor, groups[group] as never);
    } catch (error) {
      if (optimizer) api.free(optimizer);
      throw error;
    } finally {
      api.free(...tensors);
    }
    const progress = { path: [x, y, surface.value(x, y), 0], edits: [], arrival: undefined };
    return new Racer(api, surface, settings, optimizer, api.module(optimizer), progress);
  }

  static restore(api: Api, surface: Surface, saved: SavedRacer): Racer {
    const container = api.module(saved.parameters);
    const optimizer = api.opt(saved.state, container);
    const progress = { path: [...saved.path], edits: [...saved.edits], arrival: saved.arrival };
    return new Racer(api, surface, saved.settings, optimizer, container, progress);
  }

  /** x, y, loss and evaluations of each point, from the start. */
  get path(): readonly number[] {
    return this.#progress.path;
  }

  get edits(): readonly Edit[] {
    return this.#progress.edits;
  }

  get steps(): number {
    return this.path.length / pointSize - 1;
  }

  get position(): [number, number] {
    return [this.path.at(-4) as number, this.path.at(-3) as number];
  }

  get loss(): number {
    return this.path.at(-2) as number;
  }

  get evaluations(): number {
    return this.path.at(-1) as number;
  }

  /** The evaluations after which it was first at a minimum. */
  get arrival(): number | undefined {
    return this.#progress.arrival;
  }

  /** False when it has left every scale: then there is no next step. */
  get isRacing(): boolean {
    return Number.isFinite(this.loss) && this.loss < 1e100;
  }

  step(): void {
    let evaluations = this.evaluations;
    this.#api.step(this.#optimizer, () => {
      evaluations++;
      const [x, y] = this.#read();
      this.#setGradient(this.#surface.gradient(x, y));
      return this.#surface.value(x, y);
    });
    const [x, y] = this.#read();
    const loss = this.#surface.value(x, y);
    this.#progress.path.push(x, y, loss, evaluations);
    if (loss <= target) this.#progress.arrival ??= evaluations;
  }

  edit(group: number, options: OptionRow): void {
    this.#api.opt(this.#optimizer, group, [], options as never);
    // Several before one step are as one.
    const { edits } = this.#progress;
    const last = edits.at(-1);
    if (last?.step === this.steps && last.group === group) {
      edits[edits.length - 1] = { ...last, options: { ...last.options, ...options } };
    } else edits.push({ step: this.steps, group, options });
  }

  save(): SavedRacer {
    return {
      settings: this.settings,
      edits: [...this.edits],
      path: Float64Array.from(this.path),
      arrival: this.arrival,
      state: this.#api.state(this.#optimizer),
      parameters: this.#api.state(this.#container),
    };
  }

  free(): void {
    this.#api.free(...this.#tensors, this.#optimizer, this.#container);
  }

  #read(): [number, number] {
    const [first, second] = this.#tensors.map((tensor) => this.#api.data(tensor).data as Float64Array);
    return second ? [first?.[0] as number, second[0] as number] : [first?.[0] as number, first?.[1] as number];
  }

  #setGradient([x, y]: [number, number]): void {
    const [first, second] = this.#tensors;
    if (!first) return;
    this.#api.grad(first, Float64Array.from(second ? [x] : [x, y]));
    if (second) this.#api.grad(second, Float64Array.of(y));
  }
}
