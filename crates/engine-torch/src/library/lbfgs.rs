//! libtorch's own L-BFGS, for `fused: false`.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use stepwell_optim::{AnyLbfgsStateDict, Code, Error, Result};
use stepwell_session::{Dtype, LibraryGroup};
use torch_sys::C_tensor;

use crate::descriptors;
use crate::library::lbfgs_state::{FfiLbfgsState, LbfgsTensors, lbfgs_state_from_ffi};
use crate::library::options::option_number;
use crate::parameter_views::check::gradient_fault;
use crate::shim::{self, TensorRef};
use crate::tensor::Tensor;

/// The number of options that lbfgs.cpp reads.
const OPTIONS: usize = 7;
/// The status of a step whose closure failed: `kClosureFailed` in lbfgs.cpp.
const CLOSURE_FAILED: i32 = 3;

type Closure = extern "C" fn(context: *mut c_void, loss: *mut f64) -> i32;

unsafe extern "C" {
    fn stepwell_lbfgs_step(
        options: *const f64,
        tensors: *const *const C_tensor,
        count: usize,
        before: *const FfiLbfgsState,
        closure: Closure,
        context: *mut c_void,
        after: *mut FfiLbfgsState,
    ) -> i32;
}

/// The context pointer of the closure: its arguments and its result.
struct Context<'a> {
    closure: &'a mut dyn FnMut() -> Result<f64>,
    tensor_refs: &'a [TensorRef<'a>],
    first_loss: Option<f64>,
    failure: Option<std::result::Result<Error, Box<dyn Any + Send>>>,
}

impl Context<'_> {
    fn evaluate(&mut self) -> Result<f64> {
        let loss = (self.closure)()?;
        let mut descriptors = Vec::new();
        descriptors::describe_parameters(self.tensor_refs, &mut descriptors)?;
        for descriptor in descriptors.iter().filter(|descriptor| descriptor.has_grad != 0) {
            if let Some(what) = gradient_fault(descriptor) {
                return Err(Error::new(Code::Gradient, format!("a parameter cannot be updated: {what}")));
            }
        }
        self.first_loss.get_or_insert(loss);
        Ok(loss)
    }
}

/// The function that C++ calls. Catches panics, which must not unwind into C++.
extern "C" fn evaluate(context: *mut c_void, loss: *mut f64) -> i32 {
    // SAFETY: the context of `minimize`, which does not access it until C++ returns.
    let context = unsafe { &mut *context.cast::<Context<'_>>() };
    context.failure = match catch_unwind(AssertUnwindSafe(|| context.evaluate())) {
        Ok(Ok(value)) => {
            // SAFETY: C++ passes the address of a double.
            unsafe { *loss = value };
            return 0;
        }
        Ok(Err(error)) => Some(Ok(error)),
        Err(panic) => Some(Err(panic)),
    };
    1
}

/// Makes one step. Returns the loss of the first evaluation and the new state.
pub(crate) fn minimize(
    group: &LibraryGroup<'_, Tensor>,
    state: Option<&AnyLbfgsStateDict>,
    closure: &mut dyn FnMut() -> Result<f64>,
) -> Result<(f64, AnyLbfgsStateDict)> {
    let options: Vec<f64> = group.options.iter().take(OPTIONS).map(option_number).collect();
    let Some(first) = group.parameters.first().filter(|_| options.len() == OPTIONS) else {
        return Err(Error::new(Code::Internal, "lbfgs: expected parameters and 7 options"));
    };
    let before = match (state, first.dtype()?) {
        (Some(AnyLbfgsStateDict::Float(state)), Dtype::Float) => Some(LbfgsTensors::new(state)?),
        (Some(AnyLbfgsStateDict::Double(state)), Dtype::Double) => Some(LbfgsTensors::new(state)?),
        // The first step, or the parameters had another dtype.
        _ => None,
    };
    let ffi = before.as_ref().map(LbfgsTensors::as_ffi);
    let tensor_refs: Vec<TensorRef<'_>> = group.parameters.iter().map(Tensor::tensor_ref).collect();
    let mut context = Context { closure, tensor_refs: &tensor_refs, first_loss: None, failure: None };
    let mut after = FfiLbfgsState::empty();
    // lbfgs.cpp replaces gradients that are not contiguous.
    shim::bump_metadata_generation();
    // SAFETY: as many options as are read; live, defined tensors, in `ffi` too; a context that outlives the call.
    let status = unsafe {
        stepwell_lbfgs_step(
            options.as_ptr(),
            tensor_refs.as_ptr().cast(),
            tensor_refs.len(),
            ffi.as_ref().map_or(ptr::null(), ptr::from_ref),
            evaluate,
            (&raw mut context).cast(),
            &mut after,
        )
    };
    // SAFETY: null, or new handles, owned by this call. True after a failure too.
    let tensors = after.tensors.map(|tensor| unsafe { shim::owned(tensor) });
    let (failure, first_loss) = (context.failure.take(), context.first_loss);
    let bumped = descriptors::bump(&tensor_refs, None);
    match failure {
        Some(Ok(error)) if status == CLOSURE_FAILED => return Err(error),
        Some(Err(panic)) => resume_unwind(panic),
        _ => shim::check(status).and(bumped)?,
    }
    let tensors = tensors.map(|tensor| tensor.map(|tensor| Tensor::from_tch(Ok(tensor))).transpose());
    let state = match first.dtype()? {
        Dtype::Float => AnyLbfgsStateDict::Float(lbfgs_state_from_ffi(&after, tensors)?),
        _ => AnyLbfgsStateDict::Double(lbfgs_state_from_ffi(&after, tensors)?),
    };
    Ok((first_loss.unwrap_or(f64::NAN), state))
}
