//! A product in blocks, for any size of a tile.

use std::collections::TryReserveError;
use std::ops::Range;

use crate::matrix::Matrix;

/// The tiles of a product: `ROWS` times `COLUMNS` elements, whose sums stay in registers.
pub(crate) trait Tiles<const ROWS: usize, const COLUMNS: usize>: Copy {
    /// Rows of a packed block of the left matrix, which stays in the L2 cache.
    const BLOCK_ROWS: usize;
    /// Columns of a left block and rows of a right block: the number of products in one sum of a tile.
    const BLOCK_DEPTH: usize;
    /// Columns of a packed block of the right matrix.
    const BLOCK_COLUMNS: usize;

    /// The product of two strips.
    fn tile(self, left: &[f32], right: &[f32]) -> [[f32; COLUMNS]; ROWS];
    /// The sums of the elements of two rows.
    fn added(self, a: [f32; COLUMNS], b: [f32; COLUMNS]) -> [f32; COLUMNS];
    /// Calls a function with the memory of two blocks of these numbers of elements.
    fn with_blocks(
        self,
        left: usize,
        right: usize,
        run: impl FnOnce(&mut [f32], &mut [f32]),
    ) -> Result<(), TryReserveError>;
}

/// Sets `out` to the product of some rows of `left` with `right`, or adds it if `add`. The shapes fit.
#[inline(always)]
pub(crate) fn multiply<const ROWS: usize, const COLUMNS: usize, T: Tiles<ROWS, COLUMNS>>(
    tiles: T,
    out: &mut [f32],
    add: bool,
    left: Matrix<'_>,
    rows: Range<usize>,
    right: Matrix<'_>,
) -> Result<(), TryReserveError> {
    let (depth, columns) = (left.columns, right.columns);
    let max_depth = depth.min(T::BLOCK_DEPTH);
    let left_size = max_depth * rows.len().min(T::BLOCK_ROWS).next_multiple_of(ROWS);
    let right_size = max_depth * columns.min(T::BLOCK_COLUMNS).next_multiple_of(COLUMNS);
    tiles.with_blocks(left_size, right_size, |left_block, right_block| {
        for across in blocks(0..columns, T::BLOCK_COLUMNS) {
            for along in blocks(0..depth, T::BLOCK_DEPTH) {
                let right_size = along.len() * across.len().next_multiple_of(COLUMNS);
                let right_block = &mut right_block[..right_size];
                pack::<COLUMNS>(right_block, right, !right.transposed, across.clone(), along.clone());
                for down in blocks(rows.clone(), T::BLOCK_ROWS) {
                    let left_size = along.len() * down.len().next_multiple_of(ROWS);
                    let left_block = &mut left_block[..left_size];
                    pack::<ROWS>(left_block, left, left.transposed, down.clone(), along.clone());
                    let block = Block {
                        left: left_block,
                        right: right_block,
                        depth: along.len(),
                        replaces: !add && along.start == 0,
                    };
                    block.write(tiles, out, columns, down.start - rows.start..down.end - rows.start, across.clone());
                }
            }
        }
    })
}

#[inline(always)]
fn blocks(range: Range<usize>, max: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(max).map(move |start| start..end.min(start + max))
}

/// Packs a block of a matrix into strips of `WIDTH` lines. A line is a row of the left or a column of the right matrix.
///
/// `across` is the range of lines, `along` the range within each. A strip stores the first elements of its lines, then the second
/// ones, and so on. Lines that the last strip lacks are 0. If `side_by_side`, equal elements of neighboring lines are adjacent in
/// the source; otherwise the elements of a line are.
#[inline(always)]
fn pack<const WIDTH: usize>(
    to: &mut [f32],
    from: Matrix<'_>,
    side_by_side: bool,
    across: Range<usize>,
    along: Range<usize>,
) {
    let width = if from.transposed { from.rows } else { from.columns };
    for (strip, to) in to.chunks_exact_mut(WIDTH * along.len()).enumerate() {
        let first = across.start + strip * WIDTH;
        let lines = first..across.end.min(first + WIDTH);
        let (to, _) = to.as_chunks_mut::<WIDTH>();
        if lines.len() < WIDTH {
            to.fill([0.0; WIDTH]);
        }
        if side_by_side {
            for (to, position) in to.iter_mut().zip(along.clone()) {
                let row = &from.elements[position * width..][lines.clone()];
                if let Ok(row) = <&[f32; WIDTH]>::try_from(row) {
                    *to = *row;
                } else {
                    to[..row.len()].copy_from_slice(row);
                }
            }
        } else {
            for (lane, line) in lines.enumerate() {
                let line = &from.elements[line * width..][along.clone()];
                for (to, x) in to.iter_mut().zip(line) {
                    to[lane] = *x;
                }
            }
        }
    }
}

/// The product of two packed blocks.
struct Block<'a> {
    left: &'a [f32],
    right: &'a [f32],
    depth: usize,
    /// Whether the product replaces the elements of the output, or is added to them.
    replaces: bool,
}

impl Block<'_> {
    /// Writes the product to rows `down` and columns `across` of `out`.
    #[inline(always)]
    fn write<const ROWS: usize, const COLUMNS: usize>(
        &self,
        tiles: impl Tiles<ROWS, COLUMNS>,
        out: &mut [f32],
        width: usize,
        down: Range<usize>,
        across: Range<usize>,
    ) {
        let strips = self.right.chunks_exact(self.depth * COLUMNS);
        for (right, column) in strips.zip(across.clone().step_by(COLUMNS)) {
            let columns = column..across.end.min(column + COLUMNS);
            let strips = self.left.chunks_exact(self.depth * ROWS);
            for (left, row) in strips.zip(down.clone().step_by(ROWS)) {
                let sums = tiles.tile(left, right);
                for (sums, row) in sums.into_iter().zip(row..down.end) {
                    let out = &mut out[row * width..][columns.clone()];
                    if let Ok(out) = <&mut [f32; COLUMNS]>::try_from(&mut *out) {
                        *out = if self.replaces { sums } else { tiles.added(*out, sums) };
                    } else {
                        let pairs = out.iter_mut().zip(sums);
                        pairs.for_each(|(out, sum)| *out = if self.replaces { sum } else { *out + sum });
                    }
                }
            }
        }
    }
}
