//! Tables that the host fills and the kernels of a device read, with one layout on both sides.
//!
//! `source/prelude.cuh` declares each of these structures, and asserts its size.

use crate::numeric::clip::GradientTransform;
use crate::numeric::kernel::MAX_CONSTANTS;
use crate::rule::MAX_NORM_INPUTS;
use crate::state::param_state::MAX_BUFFERS;

/// Threads of a block. A block processes one chunk: 32 elements a thread.
pub const BLOCK_THREADS: u32 = 512;

/// Kernel: sums the squares of the gradients, and finds elements that are not finite. The last block computes the norm
/// and the transform. The sums are of transformed gradients if the rule uses the norm and the transform does not follow
/// from it. One block a chunk.
pub const GRADIENT_SQUARES: &str = "gradient_squares";
/// Kernel: sums the squares of the gradients after the transform, unless that is the identity. The last block computes
/// the norm. Needed only for a rule that uses the norm, in a step that clips by the norm. One block a chunk.
pub const TRANSFORMED_SQUARES: &str = "transformed_squares";
/// Kernel: the step of a rule with one stage. One block a chunk.
pub const STEP: &str = "step";
/// Kernel: the first stage of a rule with two stages. The last block of each tensor computes its factor. One block a
/// chunk.
pub const MEASURE: &str = "measure";
/// Kernel: the second stage of a rule with two stages. One block a chunk.
pub const APPLY: &str = "apply";

/// Addresses on the device of the tables of a step: the arguments of every kernel, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelArguments {
    /// Of [`TensorEntry`].
    pub tensors: u64,
    /// Of [`ChunkEntry`].
    pub chunks: u64,
    /// Of [`ConstantsRow`]: [`StepSettings::rows`] for no skipped step that the host does not know of, then as many for
    /// one such step, and so on. The kernels of norms change rows.
    pub rows: u64,
    /// One [`StepSettings`].
    pub settings: u64,
    /// One [`Control`]. Zero before the first launch, except for the count of skipped steps.
    pub control: u64,
    /// Of [`SquaresEntry`], one for each chunk. Undefined before the first launch.
    pub squares: u64,
    /// Of [`FactorEntry`], one for each tensor. Zero before the first launch.
    pub factors: u64,
}

impl KernelArguments {
    /// The arguments of a launch.
    pub fn values(&self) -> [u64; 7] {
        [self.tensors, self.chunks, self.rows, self.settings, self.control, self.squares, self.factors]
    }
}

/// A parameter of a step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TensorEntry {
    /// Address of the parameter.
    pub parameter: u64,
    /// Address of the gradient.
    pub gradient: u64,
    /// Addresses of the state buffers, as in [`crate::State`]; 0 for a buffer that is not in use.
    pub buffers: [u64; MAX_BUFFERS],
    /// In elements.
    pub length: u64,
    /// The weight of the past in the moving average of the parameter.
    pub average_decay: f64,
    /// Index of the first chunk.
    pub first_chunk: u32,
    /// The number of chunks.
    pub chunks: u32,
    /// Index of the row of constants.
    pub row: u32,
    /// Index into the variants that the source was made for.
    pub variant: u32,
    /// 1 if this step created the moving average of the parameter, else 0.
    pub created_average: u32,
    /// Unused.
    pub padding: u32,
}

/// A range of consecutive elements of a tensor. All chunks of a tensor but the last have [`crate::CHUNK_LEN`] elements.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkEntry {
    /// Index of the tensor. Chunks are in the order of tensors and elements.
    pub tensor: u32,
    /// In elements, at least 1.
    pub length: u32,
    /// Index of the first element in the tensor.
    pub start: u64,
}

/// The constants of parameters of one group with one step count and one scalar type.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantsRow {
    /// Constants of the kernel, in its order, then 0. Each value is exact in the scalar type.
    pub values: [f64; MAX_CONSTANTS],
    /// Options from which the device computes factors, and constants that depend on the norm of the gradients.
    pub norm_inputs: [f64; MAX_NORM_INPUTS],
    /// 1 if the scalar type is f32, 0 if it is f64.
    pub is_single: u32,
    /// Unused.
    pub padding: u32,
}

/// The transform of gradient elements: [`GradientTransform`] as plain data.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TransformEntry {
    /// The factor, if the kind has one.
    pub scale: f64,
    /// The limit of the clamp, if the kind has one.
    pub max: f64,
    /// 0: identity, 1: scale, 2: clamp, 3: scale and clamp.
    pub kind: u32,
    /// Unused.
    pub padding: u32,
}

impl From<GradientTransform> for TransformEntry {
    fn from(transform: GradientTransform) -> Self {
        let (kind, scale, max) = match transform {
            GradientTransform::Identity => (0, 1.0, 0.0),
            GradientTransform::Scale(scale) => (1, scale, 0.0),
            GradientTransform::Clamp(max) => (2, 1.0, max),
            GradientTransform::ScaleAndClamp(scale, max) => (3, scale, max),
        };
        Self { scale, max, kind, padding: 0 }
    }
}

/// [`StepSettings::skips`]: the step is made.
pub const SKIPS_NEVER: u32 = 0;
/// [`StepSettings::skips`]: a step with an element that is not finite is skipped, and its last kernel counts it.
pub const SKIPS_NON_FINITE: u32 = 1;
/// [`StepSettings::skips`]: the host has decided to skip the step.
pub const SKIPS_ALWAYS: u32 = 2;

/// Settings of one step, the same for all tensors.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepSettings {
    /// The inverse of the loss scale.
    pub unscale: f64,
    /// The limit of the norm, if `clips_norm` is 1.
    pub max_norm: f64,
    /// The transform of the gradients, if `clips_norm` is 0.
    pub transform: TransformEntry,
    /// 1 if the transform follows from the norm and is read from [`Control`], else 0.
    pub clips_norm: u32,
    /// 1 if the constants of the rule follow from the norm, which the device computes, else 0.
    pub uses_norm: u32,
    /// Whether the step is skipped: it then changes nothing but gradients that it zeroes. One of [`SKIPS_NEVER`],
    /// [`SKIPS_NON_FINITE`] and [`SKIPS_ALWAYS`].
    pub skips: u32,
    /// 1 to zero the gradients after the last read, else 0.
    pub zeroes_gradients: u32,
    /// The number of rows of constants, for each number of skipped steps.
    pub rows: u32,
    /// The number of chunks.
    pub chunks: u32,
    /// The count of [`Control::skipped`] that the first rows of constants are for.
    pub skipped: u64,
}

/// Results of the kernels of norms, which the later kernels of the step read.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Control {
    /// The L2 norm of the gradients after the transform.
    pub norm: f64,
    /// The transform that follows from the norm.
    pub transform: TransformEntry,
    /// 1 if an element of a gradient is infinite or NaN, else 0.
    pub non_finite: u32,
    /// The number of blocks that have finished; 0 between launches.
    pub finished: u32,
    /// The number of steps that the device has skipped. Not set to zero between steps.
    pub skipped: u64,
}

/// Sums of squares of one chunk.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SquaresEntry {
    /// Of the gradient.
    pub gradient: f64,
    /// Of the parameter, before the update.
    pub parameter: f64,
    /// Of the update.
    pub update: f64,
    /// 1 if an element of the gradient is infinite or NaN, else 0.
    pub non_finite: u32,
    /// Unused.
    pub padding: u32,
}

/// The factor of one tensor in the second stage.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FactorEntry {
    /// The factor.
    pub factor: f64,
    /// The number of blocks of the tensor that have finished; 0 between launches.
    pub finished: u32,
    /// Unused.
    pub padding: u32,
}

/// A structure without uninitialized bytes, which is copied to and from a device as bytes.
///
/// # Safety
/// The type is `repr(C)`, has no padding that is not a field, and every bit pattern is a value.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! tables {
    ($($table:ty: $bytes:literal bytes,)*) => {
        $(
            const _: () = assert!(size_of::<$table>() == $bytes);
            // SAFETY: the size is the sum of the sizes of the fields, which are numbers.
            unsafe impl Plain for $table {}
        )*
    };
}

tables! {
    TensorEntry: 96 bytes,
    ChunkEntry: 16 bytes,
    ConstantsRow: 264 bytes,
    TransformEntry: 24 bytes,
    StepSettings: 72 bytes,
    Control: 48 bytes,
    SquaresEntry: 32 bytes,
    FactorEntry: 16 bytes,
}

/// The bytes of table entries, for an upload.
pub fn bytes_of<T: Plain>(entries: &[T]) -> &[u8] {
    // SAFETY: plain types have no uninitialized bytes.
    unsafe { std::slice::from_raw_parts(entries.as_ptr().cast(), size_of_val(entries)) }
}

/// The bytes of table entries, for a download.
pub fn bytes_of_mut<T: Plain>(entries: &mut [T]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; every bit pattern is a value.
    unsafe { std::slice::from_raw_parts_mut(entries.as_mut_ptr().cast(), size_of_val(entries)) }
}
