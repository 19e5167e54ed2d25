import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { readAddress, type Setup, writeAddress } from "../address.js";
import { DigitsView } from "./digits-view.js";
import { Help } from "./help.js";
import { useKeys } from "./keys.js";
import { RaceClient } from "./race-client.js";
import { spawn } from "./spawn.js";
import { SurfacesView } from "./surfaces-view.js";
import { applyTheme, currentTheme, keepTheme, watchSystemTheme } from "./theme.js";
import { TrainingClient } from "./training-client.js";

/** Milliseconds between two changes of the address, of which browsers allow about three a second. */
const addressTime = 400;

export function App() {
  const [setup, setSetup] = useState<Setup>(() => readAddress(location.hash));
  const [theme, setTheme] = useState(currentTheme);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const client = useMemo(() => new RaceClient(spawn()), []);
  // A worker of its own, once it is wanted: a large batch must not hold up a race.
  const [trainingClient, setTrainingClient] = useState<TrainingClient | undefined>();
  const wantsTraining = setup.view === "digits";
  useEffect(() => {
    if (wantsTraining) setTrainingClient((before) => before ?? new TrainingClient(spawn()));
  }, [wantsTraining]);
  const change = useCallback((step: (setup: Setup) => Setup) => setSetup(step), []);

  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => watchSystemTheme(setTheme), []);
  useEffect(() => {
    const timer = setTimeout(() => {
      const text = writeAddress(setup);
      history.replaceState(null, "", text === "" ? location.pathname : `#${text}`);
    }, addressTime);
    return () => clearTimeout(timer);
  }, [setup]);
  useEffect(() => {
    // An address that was typed or followed while the page was open.
    const changed = () => location.reload();
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);

  const turn = () => {
    const next = theme === "light" ? "dark" : "light";
    keepTheme(next);
    setTheme(next);
  };
  useKeys({ t: turn, "?": () => setHelpOpen(true) });

  const go = (view: Setup["view"]) => setSetup((before) => ({ ...before, view }));
  return (
    <>
      <header>
        <div class="bar">
          <p class="brand">
            <Logo /> Stepwell
          </p>
          <div class="tabs" role="tablist" aria-label="Part of the playground">
            <button type="button" role="tab" aria-selected={setup.view === "surfaces"} onClick={() => go("surfaces")}>
              Surfaces
            </button>
            <button type="button" role="tab" aria-selected={setup.view === "digits"} onClick={() => go("digits")}>
              Digits
            </button>
          </div>
          <div class="tools">
            <ShareButton />
            <button type="button" class="icon" onClick={() => setHelpOpen(true)} aria-label="Keys" title="Keys (?)">
              ?
            </button>
            <button
              type="button"
              class="icon"
              onClick={turn}
              aria-label={theme === "light" ? "Dark" : "Light"}
              title="Light or dark (T)"
            >
              {theme === "light" ? "☾" : "☀"}
            </button>
          </div>
        </div>
        {setup.view === "surfaces" ? (
          <div class="hero">
            <h1>Seven optimizers, one way down</h1>
            <p>
              The library itself runs in this page. Each optimizer gets as many gradients as the others, at the learning
              rate that a sweep found best. Change anything while they run.
            </p>
          </div>
        ) : (
          <div class="hero">
            <h1>Large batches, few steps: LAMB</h1>
            <p>
              Ten epochs over 8,000 handwritten digits. A larger batch means fewer steps, and each must go further. Move
              the slider and watch who still gets there.
            </p>
          </div>
        )}
      </header>
      {setup.view === "surfaces" && <SurfacesView client={client} setup={setup} theme={theme} onSetup={change} />}
      {setup.view === "digits" && trainingClient && (
        <DigitsView client={trainingClient} setup={setup.digits} theme={theme} onSetup={change} />
      )}
      <footer>
        <p>
          {setup.view === "surfaces"
            ? "Gradients by hand, steps by Stepwell's Rust, compiled to WebAssembly: the library itself, to the last bit."
            : "Forward, backward and steps by Stepwell's Rust, compiled to WebAssembly. Digits of MNIST, by LeCun, Cortes and Burges."}
        </p>
        <p>
          <kbd>Space</kbd> plays and pauses, <kbd>.</kbd> makes a step, <kbd>R</kbd> starts again, <kbd>?</kbd> shows
          all keys. <a href="./licences.txt">Licences</a>
        </p>
      </footer>
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </>
  );
}

/** Copies the address, which has everything that is set. */
function ShareButton() {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
  };
  return (
    <button type="button" onClick={copy} title="Copy the address of what you see">
      {isCopied ? "Copied" : "Share"}
    </button>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M2 4h20v3h-3v4h-3v4h-3v4h-2v-4H8v-4H5V7H2z" />
    </svg>
  );
}
