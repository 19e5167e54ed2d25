//! Chunks of a tensor.

/// In elements; 64 KiB as f32. Large enough to hide the cost of starting a chunk, small enough that threads finish
/// together.
/// A multiple of [`LANES`](crate::numeric::norm::LANES). Independent of the number of threads, since sums are taken per
/// chunk and added in order.
pub const CHUNK_LEN: usize = 1 << 14;

/// A range of consecutive elements of a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Chunk {
    pub(super) tensor: u32,
    /// Copy of the tensor's `constants`, so that comparing chunks reads no tensor.
    pub(super) constants: u32,
    pub(super) start: usize,
    pub(super) length: usize,
}
