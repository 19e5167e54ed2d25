//! Gradients one after the other in one tensor, which the processes exchange and add.

use std::ops::{AddAssign, Range};
use std::{ptr, slice};

use stepwell_distributed::Backend;
use stepwell_optim::{Code, Error, Result};
use tch::{Device, Kind};

use crate::error::from_tch;
use crate::shim::{self, TensorRef};

/// In bytes, 25 MiB: the largest bucket of several tensors, as in PyTorch's DistributedDataParallel.
const MOST_BYTES: usize = 25 << 20;
/// In bytes, 1 MiB: the first bucket, as there, and the least size of another one. It is sent early in the backward.
const LEAST_BYTES: usize = 1 << 20;
/// A bucket has this part of all gradients, if that is not too little or too much. After the backward the last bucket alone is not sent.
const BUCKETS: usize = 16;
/// In elements: the sums of a block, 4 KiB as f64, stay in the L1 cache.
const BLOCK: usize = 512;

/// Dtype and device, which the tensors of a bucket have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) device: Device,
    /// Whether loops of this crate read and write the elements. Operations of libtorch do it on a device.
    pub(crate) has_loops: bool,
}

/// The place and the sizes of a tensor.
pub(crate) type Layout = (Place, Vec<i64>);

/// Gradients of one dtype on one device. Row r of the memory is the share that process r adds; the last row ends with zeros.
pub(super) struct Bucket {
    place: Place,
    pieces: Vec<Piece>,
    rows: tch::Tensor,
    /// In elements: the length of a row.
    share: usize,
}

struct Piece {
    sizes: Vec<i64>,
    start: usize,
    len: usize,
}

/// Memory for the rows that a bucket receives, which another bucket may use afterwards.
#[derive(Default)]
pub(super) struct Received(Option<tch::Tensor>);

/// Neighbours of one dtype on one device, up to the size of a bucket.
pub(super) fn cut(layouts: &[Layout]) -> Vec<Range<usize>> {
    let bytes_of = |layout: &Layout| count(&layout.1) * layout.0.kind.elt_size_in_bytes();
    let size = layouts.iter().map(bytes_of).sum::<usize>() / BUCKETS;
    let mut buckets = Vec::new();
    let mut start = 0;
    while start < layouts.len() {
        let limit = if start == 0 { LEAST_BYTES } else { size.clamp(LEAST_BYTES, MOST_BYTES) };
        let (mut bytes, mut end) = (0, start);
        for layout in &layouts[start..] {
            bytes += bytes_of(layout);
            if end > start && (bytes > limit || layout.0 != layouts[start].0) {
                break;
            }
            end += 1;
        }
        buckets.push(start..end);
        start = end;
    }
    buckets
}

fn count(sizes: &[i64]) -> usize {
    sizes.iter().map(|size| usize::try_from(*size).unwrap_or(0)).product()
}

impl Bucket {
    /// Memory for tensors of one place, to be exchanged by this number of processes.
    pub(super) fn new(layouts: &[Layout], size: usize) -> Result<Self> {
        let Some((place, _)) = layouts.first() else {
            return Err(Error::new(Code::Internal, "a bucket without tensors"));
        };
        let (mut pieces, mut start) = (Vec::with_capacity(layouts.len()), 0);
        for (_, sizes) in layouts {
            let len = count(sizes);
            pieces.push(Piece { sizes: sizes.clone(), start, len });
            start += len;
        }
        let share = start.div_ceil(size);
        let (sizes, options) = ([size as i64, share as i64], (place.kind, place.device));
        if !place.has_loops {
            let rows = tch::Tensor::f_zeros(sizes, options).map_err(from_tch)?;
            return Ok(Self { place: *place, pieces, rows, share });
        }
        let rows = tch::Tensor::f_empty(sizes, options).map_err(from_tch)?;
        let bucket = Self { place: *place, pieces, rows, share };
        // Elements that no tensor has.
        let (rest, bytes) = bucket.bytes(start, share * size - start)?;
        if bytes > 0 {
            // SAFETY: the memory of the bucket, which nothing else uses.
            unsafe { ptr::write_bytes(rest, 0, bytes) };
        }
        Ok(bucket)
    }

    fn elements(&self) -> usize {
        self.share * self.rows.size().first().map_or(0, |size| *size as usize)
    }

    /// The address of some elements, which loops read and write, and how many bytes they have.
    fn bytes(&self, start: usize, len: usize) -> Result<(*mut u8, usize)> {
        if start + len > self.elements() {
            return Err(Error::new(Code::Internal, "expected elements of a bucket"));
        }
        let size = self.place.kind.elt_size_in_bytes();
        Ok((data(&self.rows)?.wrapping_add(start * size), len * size))
    }

    /// Whether loops can copy between a tensor and a piece: both have one dtype, the same sizes, and elements in row-major order.
    fn can_copy(&self, piece: &Piece, tensor: &tch::Tensor) -> bool {
        self.place.has_loops
            && tensor.f_kind().is_ok_and(|kind| kind == self.place.kind)
            && tensor.device() == Device::Cpu
            && tensor.is_contiguous()
            && tensor.size() == piece.sizes
    }

    /// Copies a tensor into its place; `None` is zeros.
    pub(super) fn fill(&self, index: usize, tensor: Option<&tch::Tensor>) -> Result<()> {
        let piece = &self.pieces[index];
        if !self.place.has_loops {
            let mut to = self.tensor(index)?;
            return match tensor {
                None => to.f_zero_().map(drop),
                Some(tensor) => to.f_copy_(tensor),
            }
            .map_err(from_tch);
        }
        let (to, bytes) = self.bytes(piece.start, piece.len)?;
        match tensor {
            _ if bytes == 0 => {}
            // SAFETY: the memory of the bucket, which nothing else uses. Zero bytes are zero in each dtype of floating point.
            None => unsafe { ptr::write_bytes(to, 0, bytes) },
            // Without libtorch, which would start threads of its own for a thread that lives as long as a step.
            Some(tensor) if self.can_copy(piece, tensor) => {
                let from = data(tensor)?;
                // SAFETY: both have as many bytes. The backward may read a gradient that has arrived, and does not write to it.
                unsafe { ptr::copy_nonoverlapping(from, to, bytes) };
            }
            Some(tensor) => self.tensor(index)?.f_copy_(tensor).map_err(from_tch)?,
        }
        Ok(())
    }

    /// Copies elements back, if the tensor is contiguous. False if it is not.
    ///
    /// # Safety
    /// Nothing else uses the memory of the tensor.
    pub(super) unsafe fn write(&self, index: usize, tensor: &tch::Tensor) -> Result<bool> {
        let piece = &self.pieces[index];
        if !self.can_copy(piece, tensor) {
            return Ok(false);
        }
        let (from, bytes) = self.bytes(piece.start, piece.len)?;
        if bytes > 0 {
            let to = data(tensor)?;
            // SAFETY: both have as many bytes, and the caller promises that nothing else uses them.
            unsafe { ptr::copy_nonoverlapping(from, to, bytes) };
        }
        Ok(true)
    }

    /// A tensor of the bucket, over its memory.
    pub(super) fn tensor(&self, index: usize) -> Result<tch::Tensor> {
        let Piece { sizes, start, len } = &self.pieces[index];
        let flat = self.rows.f_reshape([-1]).and_then(|flat| flat.f_narrow(0, *start as i64, *len as i64));
        flat.and_then(|flat| flat.f_reshape(sizes)).map_err(from_tch)
    }

    /// In elements: the length of a row.
    pub(super) fn share(&self) -> usize {
        self.share
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The row that a process adds.
    pub(super) fn row(&self, rank: usize) -> Result<tch::Tensor> {
        self.rows.f_select(0, rank as i64).map_err(from_tch)
    }

    /// Replaces each element by its sum over the processes, as of [`add`](Self::add). All processes call it for one bucket after the other.
    pub(super) fn reduce(&self, group: &Backend, received: &mut Received, weights: &[f64]) -> Result<()> {
        if self.share == 0 {
            return Ok(());
        }
        let received = received.matrix(self.place, group.size(), self.share)?;
        group.all_to_all(&received, &self.rows)?.wait()?;
        let rows = rows_of(&received, group.size())?;
        self.add(&rows, &rows[0], weights)?;
        group.all_gather(&self.rows, &rows[0])?.wait()
    }

    /// Adds the rows of a share, one of each process, and writes over `sum`, which may be one of them. Each row counts times its weight, in f64 and in
    /// the order of the ranks. So the result does not depend on how tensors are grouped. Elements of a process of weight 0 do not count, even if
    /// they are not finite.
    pub(super) fn add(&self, rows: &[tch::Tensor], sum: &tch::Tensor, weights: &[f64]) -> Result<()> {
        match self.place.kind {
            Kind::Float if self.place.has_loops => self.add_by_loops::<f32>(rows, sum, weights),
            Kind::Double if self.place.has_loops => self.add_by_loops::<f64>(rows, sum, weights),
            _ => add_by_operations(rows, sum, weights),
        }
    }

    fn add_by_loops<T: Element>(&self, rows: &[tch::Tensor], sum: &tch::Tensor, weights: &[f64]) -> Result<()> {
        let rows = rows.iter().map(|row| Ok(data(row)?.cast_const().cast::<T>())).collect::<Result<Vec<_>>>()?;
        // SAFETY: contiguous tensors on the CPU with as many elements of this dtype, which nothing else uses.
        unsafe { add_rows(&rows, data(sum)?.cast::<T>(), self.share, weights) };
        Ok(())
    }
}

impl Received {
    /// A row for each process.
    pub(super) fn rows(&mut self, place: Place, size: usize, share: usize) -> Result<Vec<tch::Tensor>> {
        rows_of(&self.matrix(place, size, share)?, size)
    }

    fn matrix(&mut self, place: Place, size: usize, share: usize) -> Result<tch::Tensor> {
        let elements = (size * share) as i64;
        let memory = match self.0.take() {
            Some(memory)
                if memory.f_kind().is_ok_and(|other| other == place.kind)
                    && memory.device() == place.device
                    && memory.size().first().is_some_and(|len| *len >= elements) =>
            {
                memory
            }
            _ => tch::Tensor::f_empty([elements], (place.kind, place.device)).map_err(from_tch)?,
        };
        let rows = memory.f_narrow(0, 0, elements).and_then(|rows| rows.f_reshape([size as i64, share as i64]));
        self.0 = Some(memory);
        rows.map_err(from_tch)
    }
}

fn rows_of(matrix: &tch::Tensor, size: usize) -> Result<Vec<tch::Tensor>> {
    (0..size).map(|rank| matrix.f_select(0, rank as i64).map_err(from_tch)).collect()
}

/// The address of the elements of a dense tensor.
fn data(tensor: &tch::Tensor) -> Result<*mut u8> {
    Ok(shim::data(TensorRef::from(tensor))?.cast_mut().cast())
}

/// An element whose conversion to f64 is exact.
trait Element: Copy {
    fn to_f64(self) -> f64;
    fn from_f64(number: f64) -> Self;
}

impl Element for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn from_f64(number: f64) -> Self {
        number as f32
    }
}

impl Element for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn from_f64(number: f64) -> Self {
        number
    }
}

/// Adds the rows in their order, each times its weight.
///
/// # Safety
/// All have `len` elements. `to` may be one of the rows.
unsafe fn add_rows<T: Element>(rows: &[*const T], to: *mut T, len: usize, weights: &[f64]) {
    for start in (0..len).step_by(BLOCK) {
        let len = BLOCK.min(len - start);
        let mut sums = [0.0; BLOCK];
        for (row, weight) in rows.iter().zip(weights).filter(|(_, weight)| **weight != 0.0) {
            // SAFETY: elements of a row, which nothing writes to now.
            let row = unsafe { slice::from_raw_parts(row.add(start), len) };
            sums.iter_mut().zip(row).for_each(|(sum, element)| sum.add_assign(element.to_f64() * weight));
        }
        // SAFETY: elements of the result, which nothing else uses now.
        let to = unsafe { slice::from_raw_parts_mut(to.add(start), len) };
        to.iter_mut().zip(sums).for_each(|(element, sum)| *element = T::from_f64(sum));
    }
}

/// As [`add_rows`], to the bit, for other dtypes and for devices: each operation rounds once, as there.
fn add_by_operations(rows: &[tch::Tensor], to: &tch::Tensor, weights: &[f64]) -> Result<()> {
    let mut sum = tch::Tensor::f_zeros(to.size(), (Kind::Double, to.device())).map_err(from_tch)?;
    for (row, weight) in rows.iter().zip(weights).filter(|(_, weight)| **weight != 0.0) {
        let row = row.f_to_kind(Kind::Double).and_then(|row| row.f_mul_scalar(*weight)).map_err(from_tch)?;
        sum.f_add_(&row).map(drop).map_err(from_tch)?;
    }
    to.shallow_clone().f_copy_(&sum).map_err(from_tch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_have_one_dtype_and_a_size() {
        let on = |kind, device| Place { kind, device, has_loops: device == Device::Cpu };
        let cpu = |kind| on(kind, Device::Cpu);
        let mib = |kind: Kind, mib: i64| (cpu(kind), vec![mib << 18]);
        // A sixteenth of 40 MiB is 2.5 MiB.
        let small = vec![mib(Kind::Float, 1); 40];
        assert_eq!(cut(&small)[..3], [0..1, 1..3, 3..5]);
        // A sixteenth of 1000 MiB is more than 25 MiB.
        let large = vec![mib(Kind::Float, 10); 100];
        assert_eq!(cut(&large)[..3], [0..1, 1..3, 3..5]);
        let [float, double] = [Kind::Float, Kind::Double].map(cpu);
        let gpu = on(Kind::Float, Device::Cuda(0));
        let mixed = [(float, vec![8]), (float, vec![0]), (double, vec![3]), (float, vec![]), (gpu, vec![2])];
        assert_eq!(cut(&mixed), [0..2, 2..3, 3..4, 4..5]);
        // A tensor that is larger than a bucket.
        assert_eq!(cut(&[mib(Kind::Float, 2), mib(Kind::Float, 60), mib(Kind::Float, 1)]), [0..1, 1..2, 2..3]);
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn rows_are_added_in_their_order() {
        // In f32 the small numbers would be lost; a row of weight 0 does not count.
        let mut rows = [1e8f32, 1.0, 1.0, -2.0, -1e8, 0.5, f32::NAN, f32::INFINITY];
        let first = rows.as_mut_ptr();
        let starts = [0, 2, 4, 6].map(|start| first.wrapping_add(start).cast_const());
        // SAFETY: four rows of two elements; the second one takes the sums.
        unsafe { add_rows(&starts, first.wrapping_add(2), 2, &[1.0, 0.25, 1.0, 0.0]) };
        assert_eq!(rows[..6], [1e8, 1.0, 0.25, 1.0, -1e8, 0.5]);
    }
}
