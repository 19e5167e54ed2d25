import { useEffect, useRef } from "preact/hooks";

/** The actions of the keys, for the help. */
export const shortcuts: readonly (readonly [keys: string, does: string])[] = [
  ["Space", "play or pause"],
  [".", "one evaluation"],
  ["R", "start again"],
  ["S", "keep the state"],
  ["B", "go back to it"],
  ["[ ]", "surface before, after"],
  ["1 … 7", "show or hide an optimizer"],
  ["+ −", "faster, slower"],
  ["C", "copy the code"],
  ["T", "light or dark"],
  ["?", "these keys"],
  ["↑ ↓", "in a number: larger, smaller"],
  ["← → ↑ ↓ Enter", "on the map: choose the start"],
];

/** Calls a function when its key is pressed, unless something is being typed. */
export function useKeys(actions: { readonly [key: string]: () => void }): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const element = event.target instanceof Element ? event.target : undefined;
      if (element?.closest("input:not([type=range], [type=checkbox]), select, textarea, dialog")) return;
      // A button that has the focus is pressed by Space itself.
      if (event.key === " " && element?.closest("button, a, summary, input")) return;
      const action = latest.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
