//! What L-BFGS remembers, on its way to libtorch and back.

use std::ptr;

use stepwell_optim::fallible::{collected, copied, filled, with_capacity};
use stepwell_optim::{Code, Error, LbfgsStateDict, Result, Results};
use stepwell_session::{Differentiable, Slice};
use torch_sys::C_tensor;

use crate::tensor::Tensor;

/// Tensors of a [`Raw`] memory, in its order.
const D: usize = 0;
const PREV_FLAT_GRAD: usize = 1;
const OLD_DIRS: usize = 2;
const OLD_STPS: usize = 3;
const RO: usize = 4;

/// What L-BFGS remembers, as lbfgs.cpp takes and gives it.
#[repr(C)]
pub(crate) struct Raw {
    func_evals: i64,
    n_iter: i64,
    t: f64,
    prev_loss: f64,
    h_diag: f64,
    pub(crate) tensors: [*mut C_tensor; 5],
}

impl Raw {
    pub(crate) fn empty() -> Self {
        Self { func_evals: 0, n_iter: 0, t: 0.0, prev_loss: 0.0, h_diag: 0.0, tensors: [ptr::null_mut(); 5] }
    }
}

// As in lbfgs.cpp.
const _: () = assert!(size_of::<Raw>() == 80);

/// A memory with its vectors as tensors.
pub(crate) struct Given {
    scalars: Raw,
    tensors: [Option<Tensor>; 5],
}

impl Given {
    pub(crate) fn new<T: Differentiable>(memory: &LbfgsStateDict<T>) -> Result<Self> {
        let vector = |v: &[T]| match v {
            [] => Ok(None),
            _ => Tensor::from_slice(T::slice(v), &[v.len()]).map(Some),
        };
        let rows = |rows: &[Vec<T>]| match rows.first() {
            None => Ok(None),
            Some(first) => {
                let mut elements = with_capacity(rows.len() * first.len())?;
                rows.iter().for_each(|row| elements.extend_from_slice(row));
                Tensor::from_slice(T::slice(&elements), &[rows.len(), first.len()]).map(Some)
            }
        };
        let ro = match memory.ro.len() {
            0 => None,
            count => Some(Tensor::from_slice(Slice::Double(&memory.ro), &[count])?),
        };
        let tensors =
            [vector(&memory.d)?, vector(&memory.prev_flat_grad)?, rows(&memory.old_dirs)?, rows(&memory.old_stps)?, ro];
        let scalars = Raw {
            func_evals: i64::try_from(memory.func_evals).unwrap_or(i64::MAX),
            n_iter: i64::try_from(memory.n_iter).unwrap_or(i64::MAX),
            t: memory.t,
            prev_loss: memory.prev_loss,
            h_diag: memory.h_diag,
            tensors: [ptr::null_mut(); 5],
        };
        Ok(Self { scalars, tensors })
    }

    /// The tensors must live as long as this is used.
    pub(crate) fn raw(&self) -> Raw {
        let pointer = |tensor: &Option<Tensor>| {
            tensor.as_ref().map_or(ptr::null_mut(), |tensor| tensor.handle().pointer().cast_mut())
        };
        Raw { tensors: self.tensors.each_ref().map(pointer), ..self.scalars }
    }
}

/// What libtorch remembers, as Stepwell does.
pub(crate) fn received<T: Differentiable>(
    raw: &Raw,
    tensors: [Result<Option<Tensor>>; 5],
) -> Result<LbfgsStateDict<T>> {
    let mut elements: [Vec<T>; 5] = Default::default();
    for (elements, tensor) in elements.iter_mut().zip(tensors) {
        let Some(tensor) = tensor? else { continue };
        if tensor.dtype()? != T::DTYPE {
            return Err(Error::new(Code::Parameter, "the closure changed the dtype of a parameter"));
        }
        *elements = filled(tensor.shape()?.iter().product(), T::default())?;
        tensor.read_into(T::slice_mut(elements))?;
    }
    let width = elements[D].len().max(1);
    let rows = |elements: &[T]| elements.chunks_exact(width).map(copied).values();
    Ok(LbfgsStateDict {
        func_evals: u64::try_from(raw.func_evals).unwrap_or(0),
        n_iter: u64::try_from(raw.n_iter).unwrap_or(0),
        t: raw.t,
        prev_loss: raw.prev_loss,
        h_diag: raw.h_diag,
        old_dirs: rows(&elements[OLD_DIRS])?,
        old_stps: rows(&elements[OLD_STPS])?,
        ro: collected(elements[RO].iter().map(|ro| ro.to_f64()))?,
        d: std::mem::take(&mut elements[D]),
        prev_flat_grad: std::mem::take(&mut elements[PREV_FLAT_GRAD]),
    })
}
