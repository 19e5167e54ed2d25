// Takes operations out of a sequence for as long as it still fails in the same way.

/** A subset of the places with which `fails` still holds, such that without any one of them it does not. */
export async function shrink(
  places: readonly number[],
  fails: (places: readonly number[]) => boolean | Promise<boolean>,
): Promise<readonly number[]> {
  let kept = [...places];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length; ) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await fails(fewer)) kept = fewer;
      else from += size;
    }
  }
  return kept;
}
