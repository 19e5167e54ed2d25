// Light or dark: as the system has it, until the reader says otherwise.

import { displayOrder, markOf } from "./marks.js";

export type Theme = "light" | "dark";

const key = "stepwell-playground-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** The reader's choice, or the system's. */
export function currentTheme(): Theme {
  const said = stored();
  if (said === "light" || said === "dark") return said;
  return system.matches ? "dark" : "light";
}

/** Shows the page in a theme. */
export function applyTheme(theme: Theme): void {
  const { documentElement } = document;
  documentElement.dataset.theme = theme;
  for (const name of displayOrder) documentElement.style.setProperty(`--${name}`, markOf(name).colors[theme]);
}

/** Stores the reader's choice. */
export function keepTheme(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Without storage, the choice holds for this visit.
  }
}

/** Calls back when the system changes and the reader has not said anything. */
export function watchSystemTheme(listener: (theme: Theme) => void): () => void {
  const changed = () => {
    if (stored() === null) listener(currentTheme());
  };
  system.addEventListener("change", changed);
  return () => system.removeEventListener("change", changed);
}

/** Whether the reader wants things to hold still. */
export function wantsStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function stored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
