// Trips in SQLite. All trips that come in one turn of the event loop share a transaction.

import Database from "libsql";
import { columns, type MadeTrip } from "./trips.js";
import { shared } from "./turn.js";

/** Trips with the ids 1, 2, 3, … in the order of their arrival. A process has the file alone. */
export class Store {
  readonly #database: Database.Database;
  readonly #insert: Database.Statement;
  readonly #select: Database.Statement;
  readonly #arrived: () => void;
  #count: number;

  /** Appends a trip. Resolves to its id after the commit. */
  readonly append: (trip: MadeTrip) => Promise<number> = shared((trips) => this.#commit(trips));

  /** Opens the file, or makes it. `arrived` is called after each transaction. */
  constructor(path: string, arrived: () => void = () => {}) {
    this.#arrived = arrived;
    this.#database = new Database(path);
    // A committed trip outlives the process. With `synchronous = full` it outlives a power failure too, and takes an fsync.
    this.#database.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal");
    this.#database.exec(`create table if not exists trips (id integer primary key, ${columns.join(" real, ")} real)`);
    const values = columns.map(() => "?").join(", ");
    this.#insert = this.#database.prepare(`insert into trips (${columns.join(", ")}) values (${values})`);
    this.#select = this.#database.prepare(`select ${columns.join(", ")} from trips where id > ? order by id limit ?`);
    this.#count = (this.#database.prepare("select count(*) as count from trips").get() as { count: number }).count;
  }

  /** Trips in the file. */
  get count(): number {
    return this.#count;
  }

  /** The trips after an id, at most `limit`. */
  after(id: number, limit: number): readonly MadeTrip[] {
    return this.#select.all(id, limit) as readonly MadeTrip[];
  }

  close(): void {
    this.#database.close();
  }

  /** Inserts trips, all or none, and returns their ids. */
  #commit(trips: readonly MadeTrip[]): readonly number[] {
    this.#database.exec("begin");
    try {
      for (const trip of trips) this.#insert.run(...columns.map((name) => trip[name]));
      this.#database.exec("commit");
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("rollback");
      throw error;
    }
    const before = this.#count;
    this.#count += trips.length;
    this.#arrived();
    return trips.map((_, index) => before + index + 1);
  }
}
