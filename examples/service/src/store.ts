// Trips in SQLite. All trips that come in one turn of the event loop share a transaction.

import Database from "libsql";
import { columns, type MadeTrip } from "./trips.js";
import { shared } from "./turn.js";

/** A trip in the file. */
export interface StoredTrip extends MadeTrip {
  readonly id: number;
}

/** Trips with ids in the order of their arrival: 1, 2, 3, …, with a gap where trips were lost. A process has the file alone. */
export class Store {
  readonly #database: Database.Database;
  readonly #insert: Database.Statement;
  readonly #select: Database.Statement;
  readonly #arrived: () => void;
  #count: number;
  #last: number;

  /** Appends a trip. Resolves to its id after the commit. */
  readonly append: (trip: MadeTrip) => Promise<number> = shared((trips) => this.#commit(trips));

  /** Opens the file, or makes it. `arrived` is called after each transaction. */
  constructor(path: string, arrived: () => void = () => {}) {
    this.#arrived = arrived;
    this.#database = new Database(path);
    // A committed trip outlives the process. With `synchronous = full` it outlives a power failure too, and takes an fsync.
    this.#database.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal");
    this.#database.exec(`create table if not exists trips (id integer primary key, ${columns.join(" real, ")} real)`);
    const all = ["id", ...columns];
    const values = all.map(() => "?").join(", ");
    this.#insert = this.#database.prepare(`insert into trips (${all.join(", ")}) values (${values})`);
    this.#select = this.#database.prepare(`select ${all.join(", ")} from trips where id > ? order by id limit ?`);
    this.#count = this.#number("select count(*) as number from trips");
    this.#last = this.#number("select coalesce(max(id), 0) as number from trips");
  }

  /** Trips in the file. */
  get count(): number {
    return this.#count;
  }

  /** The id after which the next trip gets its own. */
  get last(): number {
    return this.#last;
  }

  /** Gives no later trip an id up to this one, which may be of a trip that was lost. */
  goOnAfter(id: number): void {
    this.#last = Math.max(this.#last, id);
  }

  /** Trips in the file up to an id. */
  countUpTo(id: number): number {
    return this.#number("select count(*) as number from trips where id <= ?", id);
  }

  /** The trips after an id, at most `limit`. */
  after(id: number, limit: number): readonly StoredTrip[] {
    return this.#select.all(id, limit) as readonly StoredTrip[];
  }

  close(): void {
    this.#database.close();
  }

  #number(query: string, ...values: readonly number[]): number {
    return (this.#database.prepare(query).get(...values) as { readonly number: number }).number;
  }

  /** Inserts trips, all or none, and returns their ids. */
  #commit(trips: readonly MadeTrip[]): readonly number[] {
    const ids = trips.map((_, index) => this.#last + index + 1);
    this.#database.exec("begin");
    try {
      for (const [index, trip] of trips.entries()) this.#insert.run(ids[index], ...columns.map((name) => trip[name]));
      this.#database.exec("commit");
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("rollback");
      throw error;
    }
    this.#count += trips.length;
    this.#last += trips.length;
    this.#arrived();
    return ids;
  }
}
