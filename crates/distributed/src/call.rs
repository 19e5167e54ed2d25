//! A call of an operation in numbers, which the processes compare before they begin it.

use std::fmt;

use stepwell_optim::{Code, Error, Result};
use tch::{Device, Kind, Tensor};

/// The operations of a group.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    AllReduce,
    Broadcast,
    AllGather,
    AllToAll,
    Barrier,
    /// Numbers that the engine or the session exchanges within a call.
    Numbers,
}

/// The names of the operations, in their order. An all-to-all is the first half of a reduce-scatter.
const NAMES: [&str; 6] = [
    "all-reduce",
    "broadcast",
    "all-gather",
    "reduce-scatter",
    "barrier",
    "a function that exchanges numbers, such as step or distributed,",
];

/// The names of reductions, in the order of [`ReduceOp`](stepwell_session::ReduceOp).
const REDUCTIONS: [&str; 5] = ["sum", "mean", "min", "max", "product"];

/// The dtypes of tensors.
const KINDS: [Kind; 10] = [
    Kind::Float,
    Kind::Double,
    Kind::Half,
    Kind::BFloat16,
    Kind::Int64,
    Kind::Int,
    Kind::Int16,
    Kind::Int8,
    Kind::Uint8,
    Kind::Bool,
];

/// The most dimensions of a tensor that the processes compare; a tensor of the SDK has at most 64.
const DIMENSIONS: usize = 64;

/// The operation, its argument, the dtype, whether the tensor is on a GPU, the number of dimensions, and their sizes. The dtype is -1 without a
/// tensor.
#[derive(Clone, Copy)]
pub(crate) struct Call(pub(crate) [i64; Call::LEN]);

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

impl Call {
    pub(crate) const LEN: usize = Self::SIZES + DIMENSIONS;
    /// The place of the first size.
    const SIZES: usize = 5;

    /// The argument is the kind of a reduction, or the rank that a broadcast comes from.
    pub(crate) fn new(operation: Operation, argument: i64, tensor: Option<&Tensor>) -> Result<Self> {
        let mut numbers = [0; Self::LEN];
        numbers[..3].copy_from_slice(&[operation as i64, argument, -1]);
        let Some(tensor) = tensor else { return Ok(Self(numbers)) };
        let kind = tensor.f_kind().map_err(|error| Error::new(Code::Engine, error.to_string()))?;
        let sizes = tensor.size();
        let dtype = KINDS.iter().position(|known| *known == kind);
        let (Some(dtype), true) = (dtype, sizes.len() <= DIMENSIONS) else {
            let message = format!("expected a tensor of numbers, given {kind:?} of {} dimensions", sizes.len());
            return Err(Error::new(Code::Unsupported, message));
        };
        let on_gpu = i64::from(tensor.device() != Device::Cpu);
        numbers[2..Self::SIZES].copy_from_slice(&[dtype as i64, on_gpu, sizes.len() as i64]);
        numbers[Self::SIZES..][..sizes.len()].copy_from_slice(&sizes);
        Ok(Self(numbers))
    }

    /// The call of another process.
    pub(crate) fn of_numbers(given: &[i64]) -> Self {
        let mut numbers = [0; Self::LEN];
        numbers.iter_mut().zip(given).for_each(|(number, given)| *number = *given);
        Self(numbers)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [operation, argument, dtype, on_gpu, dimensions, ..] = self.0;
        let known = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        formatter.write_str(NAMES.get(known(operation)).copied().unwrap_or("another operation"))?;
        if operation == Operation::Broadcast as i64 {
            write!(formatter, " from rank {argument}")?;
        }
        if let Some(kind) = KINDS.get(known(dtype)) {
            let sizes = &self.0[Self::SIZES..][..known(dimensions).min(DIMENSIONS)];
            write!(formatter, " with {kind:?} {sizes:?}{}", if on_gpu == 0 { "" } else { " on a GPU" })?;
        }
        if operation == Operation::AllReduce as i64 {
            let name = REDUCTIONS.get(known(argument)).copied().unwrap_or("unknown");
            write!(formatter, ", operation {name}")?;
        }
        Ok(())
    }
}
