// Shows a JavaScript value as the q console shows the value that it stands for.
//
// A number is a float in q unless its name says that it counts something. A string is a symbol, an object a dictionary, an
// array of objects a table.

/** How to show a value. */
export interface Look {
  /** Significant digits. Default 7, q's own. */
  readonly precision?: number;
  /** Columns of the console; a longer line ends in two dots. Default 79. */
  readonly width?: number;
  /** Shows a table inside of another value as a list of dictionaries. Default false. */
  readonly rows?: boolean;
}

/** The text for an address: addresses differ from run to run, and always have eight digits on the page. */
export const ADDRESS = 88888888;

/** Names of values that q holds as long. */
const longs = new Set(["parmgroup", "pointer", "size", "step", "tensorcount", "elements", "bytes"]);
/** Names of values that q holds as text and not as a symbol. */
const texts = new Set(["pytorch", "about"]);
/** Columns of the parameter table, for one without rows. */
const parameterColumns = ["parmgroup", "pointer", "module", "name", "size"];

type Type = "boolean" | "long" | "float" | "real" | "symbol" | "char";
type Item = boolean | number | bigint | string;
type Q =
  | { readonly kind: "null" }
  | { readonly kind: "atom"; readonly type: Type; readonly item: Item }
  | { readonly kind: "vector"; readonly type: Type; readonly items: readonly Item[] }
  | { readonly kind: "list"; readonly items: readonly Q[] }
  | { readonly kind: "dictionary"; readonly keys: readonly string[]; readonly values: Q }
  | { readonly kind: "table"; readonly columns: readonly string[]; readonly values: readonly Q[] };

/** The lines that the console shows for a value; none for nothing. */
export function lines(value: unknown, look: Look = {}): string[] {
  if (value === undefined || value === null) return [];
  const { precision = 7, width = 79 } = look;
  const shown = show(convert(value, "", look.rows === true), new Text(precision));
  return shown.map((line) => (line.length > width ? `${line.slice(0, width - 2)}..` : line));
}

/** The value that a JavaScript value of a name stands for. */
function convert(value: unknown, name: string, rows: boolean): Q {
  switch (typeof value) {
    case "boolean":
      return { kind: "atom", type: "boolean", item: value };
    case "bigint":
      return { kind: "atom", type: "long", item: value };
    case "number":
      if (name === "pointer") return { kind: "atom", type: "long", item: ADDRESS };
      return { kind: "atom", type: longs.has(name) ? "long" : "float", item: value };
    case "string":
      return texts.has(name)
        ? { kind: "vector", type: "char", items: [...value] }
        : { kind: "atom", type: "symbol", item: value };
  }
  if (value instanceof Float32Array) return { kind: "vector", type: "real", items: [...value] };
  if (value instanceof Float64Array) return { kind: "vector", type: "float", items: [...value] };
  if (value instanceof BigInt64Array) return { kind: "vector", type: "long", items: [...value] };
  if (Array.isArray(value)) return name === "parms" || value.some(isRow) ? table(value, rows) : list(value, name, rows);
  if (typeof value === "object" && value !== null) {
    if ("data" in value && "shape" in value) return convert(value.data, name, rows);
    const values = Object.entries(value).map(([key, item]) => convert(item, key, rows));
    return { kind: "dictionary", keys: Object.keys(value), values: together(values) };
  }
  return { kind: "null" };
}

function isRow(value: unknown): value is { readonly [column: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("data" in value);
}

function list(values: readonly unknown[], name: string, rows: boolean): Q {
  return together(values.map((item) => convert(item, name, rows)));
}

function table(given: readonly { readonly [column: string]: unknown }[], rows: boolean): Q {
  const columns = Object.keys(given[0] ?? {});
  if (given.length === 0) {
    const empty = (name: string): Q => ({ kind: "vector", type: longs.has(name) ? "long" : "symbol", items: [] });
    return { kind: "table", columns: parameterColumns, values: parameterColumns.map(empty) };
  }
  // Only the options are meant; a parameter table is one everywhere on the page.
  if (rows && !columns.includes("parmgroup"))
    return { kind: "list", items: given.map((row) => convert(row, "", rows)) };
  const column = (name: string) =>
    list(
      given.map((row) => row[name]),
      name,
      rows,
    );
  return { kind: "table", columns, values: columns.map(column) };
}

/** Atoms of one type are a vector, everything else is a list. */
function together(values: readonly Q[]): Q {
  const [first] = values;
  if (first?.kind !== "atom") return { kind: "list", items: values };
  const items = values.flatMap((value) => (value.kind === "atom" && value.type === first.type ? [value.item] : []));
  return items.length === values.length ? { kind: "vector", type: first.type, items } : { kind: "list", items: values };
}

function show(value: Q, text: Text): string[] {
  if (value.kind === "dictionary") {
    const { keys, values } = value;
    const width = Math.max(...keys.map((key) => key.length));
    const shown = text.cells(values);
    return keys.map((key, i) => `${key.padEnd(width)}| ${shown[i]}`);
  }
  if (value.kind === "table") {
    const columns = value.values.map((column, i) => {
      const cells = [value.columns[i] ?? "", ...text.cells(column)];
      const width = Math.max(...cells.map((cell) => cell.length));
      return cells.map((cell) => cell.padEnd(width));
    });
    const [head = "", ...body] = (columns[0] ?? []).map((_, i) => columns.map((column) => column[i]).join(" "));
    return [head, "-".repeat(head.length), ...body];
  }
  return [text.whole(value)];
}

/** Values on one line. */
class Text {
  constructor(readonly precision: number) {}

  /** The items of a column or of a dictionary's values. */
  cells(value: Q): string[] {
    if (value.kind === "vector") return value.items.map((item) => this.item(value.type, item));
    if (value.kind !== "list") return [];
    const [first] = value.items;
    const same = (other: Q) =>
      first?.kind === "vector" &&
      first.type !== "char" &&
      other.kind === "vector" &&
      other.type === first.type &&
      other.items.length === first.items.length;
    // Vectors of one type and length stand as the rows of a matrix, without marks of their type.
    if (value.items.every(same)) return value.items.map((item) => this.cells(item).join(" "));
    return value.items.map((item) => this.whole(item));
  }

  /** A value as it could be typed in. */
  whole(value: Q): string {
    switch (value.kind) {
      case "null":
        return "::";
      case "atom":
        return this.vector(value.type, [value.item]);
      case "vector":
        if (value.type === "char") return `"${value.items.join("")}"`;
        if (value.items.length === 0) return `\`${value.type}$()`;
        return `${value.items.length === 1 ? "," : ""}${this.vector(value.type, value.items)}`;
      case "list": {
        const items = value.items.map((item) => this.whole(item));
        return items.length === 1 ? `,${items[0]}` : `(${items.join(";")})`;
      }
      case "dictionary": {
        const keys = this.whole({ kind: "vector", type: "symbol", items: value.keys });
        return `${value.keys.length < 2 ? `(${keys})` : keys}!${this.whole(value.values)}`;
      }
      case "table": {
        const { columns: keys, values: items } = value;
        return `+${this.whole({ kind: "dictionary", keys, values: { kind: "list", items } })}`;
      }
    }
  }

  private vector(type: Type, items: readonly Item[]): string {
    const shown = items.map((item) => this.item(type, item));
    switch (type) {
      case "boolean":
        return `${shown.join("")}b`;
      case "symbol":
        return shown.map((name) => `\`${name}`).join("");
      case "real":
        return `${shown.join(" ")}e`;
      case "float":
        return `${shown.join(" ")}${shown.every((number) => /^-?\d+$/.test(number)) ? "f" : ""}`;
      default:
        return shown.join(" ");
    }
  }

  private item(type: Type, item: Item): string {
    if (type === "boolean") return item ? "1" : "0";
    return typeof item === "number" && type !== "long" ? this.number(item) : String(item);
  }

  /** As C's `%g`. */
  private number(x: number): string {
    if (x === 0) return "0";
    const [digits = "", exponent = "0"] = x.toExponential(this.precision - 1).split("e");
    const power = Number(exponent);
    const plain = (number: string) => (number.includes(".") ? number.replace(/\.?0+$/, "") : number);
    if (power >= -4 && power < this.precision) return plain(x.toFixed(this.precision - 1 - power));
    return `${plain(digits)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
}
