/** An exception of a function that a pass called, which arrives as it was thrown. */
export class Thrown {
  constructor(readonly error: unknown) {}
}
