// A trip of a taxi, the only file that knows the problem: a copy of this service replaces it.

/** The question: a trip that is to be made. */
export interface Trip {
  /** In kilometres. */
  readonly distance: number;
  /** Hour of the day, 0 to 24. */
  readonly hour: number;
  /** Day of the week, 0 for Monday. */
  readonly weekday: number;
  /** In millimetres an hour. */
  readonly rain: number;
}

/** The event: a trip that was made, with the minutes that it took. */
export interface MadeTrip extends Trip {
  readonly minutes: number;
}

const numbers = {
  distance: { type: "number", minimum: 0.1, maximum: 100 },
  hour: { type: "number", minimum: 0, maximum: 24 },
  weekday: { type: "integer", minimum: 0, maximum: 6 },
  rain: { type: "number", minimum: 0, maximum: 100 },
} as const;

/** JSON schema of a {@link Trip}. Its limits keep numbers out that would spoil the training. */
export const tripSchema = {
  type: "object",
  properties: numbers,
  required: Object.keys(numbers),
  additionalProperties: false,
} as const;

const madeNumbers = { ...numbers, minutes: { type: "number", minimum: 0.1, maximum: 1000 } } as const;

/** JSON schema of a {@link MadeTrip}. */
export const madeTripSchema = {
  type: "object",
  properties: madeNumbers,
  required: Object.keys(madeNumbers),
  additionalProperties: false,
} as const;

/** Names of the columns of a {@link MadeTrip}, in the order of the table. */
export const columns = Object.keys(madeNumbers) as readonly (keyof MadeTrip)[];

/** Inputs of the network. */
export const width = 6;

/** The inputs of the network for a trip, each of the order of one. */
export function inputsOf({ distance, hour, weekday, rain }: Trip): number[] {
  const [day, week] = [(hour / 24) * 2 * Math.PI, (weekday / 7) * 2 * Math.PI];
  return [Math.log(distance), Math.sin(day), Math.cos(day), Math.sin(week), Math.cos(week), Math.log1p(rain)];
}

/** In minutes. A network that has learned little answers about this. */
const typical = 15;

/** The output of the network is the logarithm of the minutes over the typical ones. */
export const targetOf = ({ minutes }: MadeTrip): number => Math.log(minutes / typical);

/** The minutes of an output of the network. */
export const minutesOf = (output: number): number => typical * Math.exp(output);
