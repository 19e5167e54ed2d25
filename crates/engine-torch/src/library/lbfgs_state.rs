//! Conversion of the L-BFGS state to and from tensors of libtorch.

use std::ptr;

use stepwell_optim::fallible::{collected, copied, filled, with_capacity};
use stepwell_optim::{Code, Error, LbfgsStateDict, Result, Results};
use stepwell_session::{Differentiable, Slice};
use torch_sys::C_tensor;

use crate::tensor::Tensor;

/// Indices of [`FfiLbfgsState::tensors`].
const D: usize = 0;
const PREV_FLAT_GRAD: usize = 1;
const OLD_DIRS: usize = 2;
const OLD_STPS: usize = 3;
const RO: usize = 4;

/// The state as lbfgs.cpp reads and writes it. A tensor that is absent is null. Has the layout of `stepwell_lbfgs_state`.
#[repr(C)]
pub(crate) struct FfiLbfgsState {
    func_evals: i64,
    n_iter: i64,
    t: f64,
    prev_loss: f64,
    h_diag: f64,
    pub(crate) tensors: [*mut C_tensor; 5],
}

impl FfiLbfgsState {
    pub(crate) fn empty() -> Self {
        Self { func_evals: 0, n_iter: 0, t: 0.0, prev_loss: 0.0, h_diag: 0.0, tensors: [ptr::null_mut(); 5] }
    }
}

// The size in lbfgs.cpp.
const _: () = assert!(size_of::<FfiLbfgsState>() == 80);

/// A state whose vectors have been copied to tensors.
pub(crate) struct LbfgsTensors {
    scalars: FfiLbfgsState,
    tensors: [Option<Tensor>; 5],
}

impl LbfgsTensors {
    pub(crate) fn new<T: Differentiable>(state: &LbfgsStateDict<T>) -> Result<Self> {
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
        let ro = match state.ro.len() {
            0 => None,
            count => Some(Tensor::from_slice(Slice::Double(&state.ro), &[count])?),
        };
        let tensors =
            [vector(&state.d)?, vector(&state.prev_flat_grad)?, rows(&state.old_dirs)?, rows(&state.old_stps)?, ro];
        let scalars = FfiLbfgsState {
            func_evals: i64::try_from(state.func_evals).unwrap_or(i64::MAX),
            n_iter: i64::try_from(state.n_iter).unwrap_or(i64::MAX),
            t: state.t,
            prev_loss: state.prev_loss,
            h_diag: state.h_diag,
            tensors: [ptr::null_mut(); 5],
        };
        Ok(Self { scalars, tensors })
    }

    /// Pointers to the tensors, valid while `self` lives.
    pub(crate) fn as_ffi(&self) -> FfiLbfgsState {
        let pointer = |tensor: &Option<Tensor>| {
            tensor.as_ref().map_or(ptr::null_mut(), |tensor| tensor.tensor_ref().pointer().cast_mut())
        };
        FfiLbfgsState { tensors: self.tensors.each_ref().map(pointer), ..self.scalars }
    }
}

/// The state that lbfgs.cpp has written, with the elements copied out of its tensors.
pub(crate) fn lbfgs_state_from_ffi<T: Differentiable>(
    ffi: &FfiLbfgsState,
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
        func_evals: u64::try_from(ffi.func_evals).unwrap_or(0),
        n_iter: u64::try_from(ffi.n_iter).unwrap_or(0),
        t: ffi.t,
        prev_loss: ffi.prev_loss,
        h_diag: ffi.h_diag,
        old_dirs: rows(&elements[OLD_DIRS])?,
        old_stps: rows(&elements[OLD_STPS])?,
        ro: collected(elements[RO].iter().map(|ro| ro.to_f64()))?,
        d: std::mem::take(&mut elements[D]),
        prev_flat_grad: std::mem::take(&mut elements[PREV_FLAT_GRAD]),
    })
}
