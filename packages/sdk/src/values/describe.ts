// How much of what a caller gave a message shows.

/** A message shows so many characters of a text: a name is shorter, and an error is no place for a book. */
const most = 200;

/** The first characters of a text, and dots where there are more. */
export const brief = (text: string): string => (text.length > most ? `${text.slice(0, most)}...` : text);

/** A value that was given, in words. */
export function told(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `string "${brief(value)}"`;
    case "object":
      return value === null ? "null" : Array.isArray(value) ? `list of ${value.length}` : "object";
    case "number":
    case "boolean":
      return `${typeof value} ${value}`;
    default:
      return typeof value;
  }
}
