//! A call of an operation in numbers, which the processes compare before they begin it.

use std::fmt;

use stepwell_optim::{Code, Error, Result};
use stepwell_session::ReduceOp;
use tch::{Device, Kind, Tensor};

/// An operation of a group.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Of all tensors, which become equal on all processes.
    AllReduce(ReduceOp),
    /// From the process of a rank.
    Broadcast(usize),
    /// The tensors of all processes become the rows of one.
    AllGather,
    /// Each process has a part of the result, along the first dimension.
    ReduceScatter(ReduceOp),
    /// Without tensors.
    Barrier,
    /// Numbers that the engine or the session exchanges within a call.
    Numbers,
}

/// The names of the operations, in their order.
const NAMES: [&str; 6] = [
    "all-reduce",
    "broadcast",
    "all-gather",
    "reduce-scatter",
    "barrier",
    "a function that exchanges numbers (step, distributed and others)",
];

/// The dtypes of tensors, with the names of the k-api for those that it has.
const KINDS: [(Kind, &str); 10] = [
    (Kind::Float, "float"),
    (Kind::Double, "double"),
    (Kind::Half, "half"),
    (Kind::BFloat16, "bfloat16"),
    (Kind::Int64, "long"),
    (Kind::Bool, "bool"),
    (Kind::Int, "int32"),
    (Kind::Int16, "int16"),
    (Kind::Int8, "int8"),
    (Kind::Uint8, "uint8"),
];

/// The most dimensions of a tensor that the processes compare; a tensor of the SDK has at most 64.
const DIMENSIONS: usize = 64;

/// The length of the numbers of a tensor: its dtype, whether it is on a GPU, the number of dimensions, and their sizes.
const TENSOR: usize = 3 + DIMENSIONS;

/// The operation, its argument, the number of tensors, the position of one of them, and the numbers of that one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call([i64; Call::LEN]);

impl Operation {
    /// The position of its name, and its argument.
    fn numbers(self) -> [i64; 2] {
        match self {
            Self::AllReduce(op) => [0, op as i64],
            Self::Broadcast(from) => [1, from as i64],
            Self::AllGather => [2, 0],
            Self::ReduceScatter(op) => [3, op as i64],
            Self::Barrier => [4, 0],
            Self::Numbers => [5, 0],
        }
    }

    pub(crate) fn name(self) -> &'static str {
        NAMES[self.numbers()[0] as usize]
    }
}

/// The name of a dtype.
pub(crate) fn dtype_name(kind: Kind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("another dtype", |(_, name)| name)
}

/// The numbers of tensors, one tensor after the other.
pub(crate) fn numbers_of(tensors: &[&Tensor]) -> Result<Vec<i64>> {
    let mut numbers = Vec::with_capacity(tensors.len() * TENSOR);
    for tensor in tensors {
        let kind = tensor.f_kind().map_err(|error| Error::new(Code::Engine, error.to_string()))?;
        let sizes = tensor.size();
        let dtype = KINDS.iter().position(|(known, _)| *known == kind);
        let (Some(dtype), true) = (dtype, sizes.len() <= DIMENSIONS) else {
            let message = format!("expected a tensor of numbers, given {kind:?} of {} dimensions", sizes.len());
            return Err(Error::new(Code::Unsupported, message));
        };
        let on_gpu = i64::from(tensor.device() != Device::Cpu);
        numbers.extend([dtype as i64, on_gpu, sizes.len() as i64]);
        numbers.extend(&sizes);
        numbers.resize(numbers.len().next_multiple_of(TENSOR), 0);
    }
    Ok(numbers)
}

impl Call {
    pub(crate) const LEN: usize = Self::HEAD + TENSOR;
    /// How many numbers come before the ones of the tensor.
    const HEAD: usize = 4;

    /// `tensors` are the numbers of its tensors.
    pub(crate) fn new(operation: Operation, tensors: &[i64]) -> Self {
        let ([operation, argument], mut numbers) = (operation.numbers(), [0; Self::LEN]);
        numbers[..Self::HEAD].copy_from_slice(&[operation, argument, (tensors.len() / TENSOR) as i64, 0]);
        Self(numbers).with_tensor(0, tensors)
    }

    /// The call with the tensor of a position, from the numbers of all its tensors. Without such a tensor, the one of before stays.
    pub(crate) fn with_tensor(mut self, position: usize, tensors: &[i64]) -> Self {
        if let Some(tensor) = tensors.chunks_exact(TENSOR).nth(position) {
            self.0[Self::HEAD - 1] = position as i64;
            self.0[Self::HEAD..].copy_from_slice(tensor);
        }
        self
    }

    /// The number of its tensors.
    pub(crate) fn tensors(&self) -> usize {
        self.0[2] as usize
    }

    pub(crate) fn numbers(&self) -> &[i64] {
        &self.0
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
        let [operation, argument, count, position, dtype, on_gpu, dimensions, ..] = self.0;
        let known = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let is = |other: Operation| other.numbers()[0] == operation;
        formatter.write_str(NAMES.get(known(operation)).copied().unwrap_or("another operation"))?;
        if is(Operation::Broadcast(0)) {
            write!(formatter, " from rank {argument}")?;
        }
        match count {
            0 if is(Operation::Barrier) => {}
            0 => formatter.write_str(" without a tensor")?,
            1 => formatter.write_str(" with ")?,
            _ => write!(formatter, " with {count} tensors, of which tensor {position} is ")?,
        }
        if let (1.., Some((_, name))) = (count, KINDS.get(known(dtype))) {
            let sizes = &self.0[Self::HEAD + 3..][..known(dimensions).min(DIMENSIONS)];
            write!(formatter, "{name} {sizes:?}{}", if on_gpu == 0 { "" } else { " on a GPU" })?;
        }
        if is(Operation::AllReduce(ReduceOp::Sum)) || is(Operation::ReduceScatter(ReduceOp::Sum)) {
            let name = ReduceOp::NAMES.get(known(argument)).map_or("unknown", |(name, _)| *name);
            write!(formatter, ", operation {name}")?;
        }
        Ok(())
    }
}
