//! libtorch's own L-BFGS, for `fused: false`.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use stepwell_optim::{AnyLbfgsStateDict, Code, Error, Result};
use stepwell_session::{Dtype, LibraryGroup};
use torch_sys::C_tensor;

use crate::library::conversion::number;
use crate::library::lbfgs_state::{Given, Raw, received};
use crate::parameter_views::check::gradient_fault;
use crate::shim::{self, CPU, Handle};
use crate::tensor::Tensor;

/// As many options as lbfgs.cpp reads.
const OPTIONS: usize = 7;
/// The status of a step whose closure failed, as in lbfgs.cpp.
const CLOSURE_FAILED: i32 = 3;

type Closure = extern "C" fn(context: *mut c_void, loss: *mut f64) -> i32;

unsafe extern "C" {
    fn stepwell_lbfgs_step(
        options: *const f64,
        tensors: *const *const C_tensor,
        count: usize,
        before: *const Raw,
        closure: Closure,
        context: *mut c_void,
        after: *mut Raw,
    ) -> i32;
}

/// What the closure is called with, and how it went.
struct Context<'a> {
    closure: &'a mut dyn FnMut() -> Result<f64>,
    handles: &'a [Handle<'a>],
    first_loss: Option<f64>,
    failure: Option<std::result::Result<Error, Box<dyn Any + Send>>>,
}

impl Context<'_> {
    fn evaluate(&mut self) -> Result<f64> {
        let loss = (self.closure)()?;
        let mut descriptors = Vec::new();
        shim::describe_parameters(self.handles, &mut descriptors)?;
        for descriptor in descriptors.iter().filter(|descriptor| descriptor.has_grad != 0) {
            if let Some(what) = gradient_fault(descriptor, descriptor.layout & CPU) {
                return Err(Error::new(Code::Gradient, format!("a parameter cannot be updated: {what}")));
            }
        }
        self.first_loss.get_or_insert(loss);
        Ok(loss)
    }
}

/// Called by C++, which no panic may reach.
extern "C" fn evaluate(context: *mut c_void, loss: *mut f64) -> i32 {
    // SAFETY: the context of `minimize`, which waits for C++ to return and does not look at it meanwhile.
    let context = unsafe { &mut *context.cast::<Context<'_>>() };
    context.failure = match catch_unwind(AssertUnwindSafe(|| context.evaluate())) {
        Ok(Ok(value)) => {
            // SAFETY: a place for one number.
            unsafe { *loss = value };
            return 0;
        }
        Ok(Err(error)) => Some(Ok(error)),
        Err(panic) => Some(Err(panic)),
    };
    1
}

/// One step. Returns the loss at its start and what to remember.
pub(crate) fn minimize(
    group: &LibraryGroup<'_, Tensor>,
    memory: Option<&AnyLbfgsStateDict>,
    closure: &mut dyn FnMut() -> Result<f64>,
) -> Result<(f64, AnyLbfgsStateDict)> {
    let options: Vec<f64> = group.options.iter().take(OPTIONS).map(number).collect();
    let Some(first) = group.parameters.first().filter(|_| options.len() == OPTIONS) else {
        return Err(Error::new(Code::Internal, "lbfgs without parameters, or with a strange row of options"));
    };
    let before = match (memory, first.dtype()?) {
        (Some(AnyLbfgsStateDict::Float(memory)), Dtype::Float) => Some(Given::new(memory)?),
        (Some(AnyLbfgsStateDict::Double(memory)), Dtype::Double) => Some(Given::new(memory)?),
        // None yet, or of parameters that were of another dtype.
        _ => None,
    };
    let raw = before.as_ref().map(Given::raw);
    let handles: Vec<Handle<'_>> = group.parameters.iter().map(Tensor::handle).collect();
    let mut context = Context { closure, handles: &handles, first_loss: None, failure: None };
    let mut after = Raw::empty();
    // Gradients that are not contiguous are replaced.
    shim::bump_metadata_generation();
    // SAFETY: a row of the length that is read; live, defined tensors, also in `raw`; a context that outlives the call.
    let status = unsafe {
        stepwell_lbfgs_step(
            options.as_ptr(),
            handles.as_ptr().cast(),
            handles.len(),
            raw.as_ref().map_or(ptr::null(), ptr::from_ref),
            evaluate,
            (&raw mut context).cast(),
            &mut after,
        )
    };
    // SAFETY: null, or new handles that nobody else frees; also after a failure.
    let tensors = after.tensors.map(|tensor| unsafe { shim::owned(tensor) });
    let (failure, first_loss) = (context.failure.take(), context.first_loss);
    let bumped = shim::bump(&handles, None);
    match failure {
        Some(Ok(error)) if status == CLOSURE_FAILED => return Err(error),
        Some(Err(panic)) => resume_unwind(panic),
        _ => shim::check(status).and(bumped)?,
    }
    let tensors = tensors.map(|tensor| tensor.map(|tensor| Tensor::made(Ok(tensor))).transpose());
    let memory = match first.dtype()? {
        Dtype::Float => AnyLbfgsStateDict::Float(received(&after, tensors)?),
        _ => AnyLbfgsStateDict::Double(received(&after, tensors)?),
    };
    Ok((first_loss.unwrap_or(f64::NAN), memory))
}
