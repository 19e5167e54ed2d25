//! Positions of elements: strides of broadcast and permuted tensors, and lanes along a dimension.

use stepwell_optim::Result;

use crate::error::internal_error;

/// The distances of neighboring elements along each dimension, in row-major order.
pub(crate) fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1;
    for (at, size) in strides.iter_mut().zip(shape).rev() {
        *at = stride;
        stride *= *size as isize;
    }
    strides
}

/// The strides of a tensor that is broadcast to `to`: 0 along repeated dimensions.
pub(crate) fn repeated(shape: &[usize], to: &[usize]) -> Vec<isize> {
    let mut strides = vec![0; to.len().saturating_sub(shape.len())];
    let own = row_major(shape);
    let sizes = shape.iter().zip(own).zip(&to[strides.len()..]);
    strides.extend(sizes.map(|((size, stride), to)| if size == to { stride } else { 0 }));
    strides
}

/// The shape to which these are broadcast.
pub(crate) fn broadcast(shapes: &[&[usize]]) -> Result<Vec<usize>> {
    let mut out = vec![1; shapes.iter().map(|shape| shape.len()).max().unwrap_or(0)];
    for shape in shapes {
        let start = out.len() - shape.len();
        for (out, size) in out[start..].iter_mut().zip(*shape) {
            match (*out, *size) {
                (one, other) if one == other => {}
                (1, other) => *out = other,
                (_, 1) => {}
                _ => return Err(internal_error("shapes that cannot be broadcast")),
            }
        }
    }
    Ok(out)
}

/// The number of operands of [`for_each_run`].
pub(crate) const OPERANDS: usize = 3;

/// Consecutive elements of a tensor in row-major order, and where the operands' elements are.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// The position of the first one.
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// The position of each operand's first element.
    pub(crate) offsets: [isize; OPERANDS],
    /// The distance of each operand's elements.
    pub(crate) strides: [isize; OPERANDS],
}

impl Run {
    /// Calls `f` for each element, with its position and the positions of the operands' elements.
    #[inline(always)]
    pub(crate) fn for_each(self, mut f: impl FnMut(usize, [usize; OPERANDS])) {
        let ([mut a, mut b, mut c], [to_a, to_b, to_c]) = (self.offsets, self.strides);
        for position in self.start..self.start + self.len {
            f(position, [a as usize, b as usize, c as usize]);
            (a, b, c) = (a + to_a, b + to_b, c + to_c);
        }
    }
}

/// Calls `f` for each run of a tensor of this shape, in order. An operand without strides stays at its offset.
pub(crate) fn for_each_run(
    shape: &[usize],
    strides: [&[isize]; OPERANDS],
    offsets: [isize; OPERANDS],
    f: &mut dyn FnMut(Run),
) {
    // Dimensions that every operand walks as one are joined. Dimensions of size 1 are dropped.
    let mut dims: Vec<(usize, [isize; OPERANDS])> = Vec::with_capacity(shape.len());
    for (dim, size) in shape.iter().enumerate() {
        let own = strides.map(|strides| strides.get(dim).copied().unwrap_or(0));
        match dims.last_mut() {
            _ if *size == 0 => return,
            _ if *size == 1 => {}
            Some((joined, outer)) if (0..OPERANDS).all(|k| outer[k] == own[k] * *size as isize) => {
                (*joined, *outer) = (*joined * size, own);
            }
            _ => dims.push((*size, own)),
        }
    }
    let (len, strides) = dims.pop().unwrap_or((1, [0; OPERANDS]));
    let mut counters = vec![0; dims.len()];
    let mut run = Run { start: 0, len, offsets, strides };
    loop {
        f(run);
        run.start += len;
        let mut dim = dims.len();
        loop {
            let Some(outer) = dim.checked_sub(1) else { return };
            dim = outer;
            let (size, strides) = dims[dim];
            counters[dim] += 1;
            let back = if counters[dim] == size { size as isize } else { 0 };
            (0..OPERANDS).for_each(|k| run.offsets[k] += strides[k] * (1 - back));
            if back == 0 {
                break;
            }
            counters[dim] = 0;
        }
    }
}

/// The lanes along one dimension: `outer * inner` of them, of `len` elements with a distance of `inner`.
#[derive(Clone, Copy)]
pub(crate) struct Lanes {
    pub(crate) outer: usize,
    pub(crate) len: usize,
    pub(crate) inner: usize,
}

impl Lanes {
    /// Rank 0 counts as one lane of one element.
    pub(crate) fn along(shape: &[usize], dim: usize) -> Self {
        let (outer, rest) = shape.split_at(dim.min(shape.len()));
        let (len, inner) = rest.split_first().map_or((1, rest), |(len, inner)| (*len, inner));
        Self { outer: outer.iter().product(), len, inner: inner.iter().product() }
    }

    /// The position of the first element of each lane.
    pub(crate) fn starts(self) -> impl Iterator<Item = usize> {
        let outer = if self.inner == 0 { 0 } else { self.outer };
        (0..outer).flat_map(move |outer| (0..self.inner).map(move |inner| outer * self.len * self.inner + inner))
    }

    /// The positions of the elements of the lane that starts there.
    pub(crate) fn positions(self, start: usize) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator + Clone {
        (0..self.len).map(move |i| start + i * self.inner)
    }
}

/// The shape after a reduction.
pub(crate) fn reduced_shape(shape: &[usize], dims: &[usize], keepdim: bool) -> Vec<usize> {
    let sizes = shape.iter().enumerate();
    let kept = sizes.filter_map(|(dim, size)| match dims.contains(&dim) {
        true => keepdim.then_some(1),
        false => Some(*size),
    });
    kept.collect()
}

/// The strides of a reduced tensor that is broadcast to the shape before: 0 along reduced dimensions.
pub(crate) fn unreduced(shape: &[usize], dims: &[usize]) -> Vec<isize> {
    repeated(&reduced_shape(shape, dims, true), shape)
}
