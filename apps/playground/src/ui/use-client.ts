import { useEffect, useState } from "preact/hooks";

/** A source with notifications of changes. */
interface Source {
  subscribe(listener: () => void): () => void;
}

/** Shows a component anew when the source has changed, a few times a second at most. */
export function useChanges(source: Source, milliseconds = 100): void {
  const [, show] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = source.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        show((count) => count + 1);
      }, milliseconds);
    });
    return () => {
      leave();
      clearTimeout(timer);
    };
  }, [source, milliseconds]);
}
