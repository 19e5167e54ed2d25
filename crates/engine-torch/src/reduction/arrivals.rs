//! Gradients, as a backward computes them.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use stepwell_optim::{Code, Error, Result};
use torch_sys::C_tensor;

use crate::shim::{self, TensorRef};
use crate::tensor::Tensor;

/// The position of a parameter, and its gradient.
pub(super) type Arrival = (usize, tch::Tensor);

#[repr(C)]
struct RawArrivals {
    opaque: [u8; 0],
}

/// Calls a function when a backward has accumulated the gradient of one of these tensors.
pub(super) struct Arrivals {
    raw: NonNull<RawArrivals>,
    /// Where C++ finds it.
    _context: Box<Context>,
}

struct Context {
    tensors: Vec<Tensor>,
    arrived: Box<Arrived>,
}

/// Takes the position of a tensor and its gradient, in the thread of the backward.
type Arrived = dyn Fn(usize, tch::Tensor) + Send + Sync;

unsafe extern "C" {
    fn stepwell_watch_gradients(
        leaves: *const TensorRef<'_>,
        count: usize,
        arrived: unsafe extern "C" fn(*const c_void, usize),
        context: *const c_void,
        arrivals: *mut *mut RawArrivals,
    ) -> i32;
    fn stepwell_free_arrivals(arrivals: *mut RawArrivals);
    fn stepwell_owns_memory(tensor: *const C_tensor) -> bool;
}

impl Arrivals {
    /// From now on, until it is dropped. No backward runs now.
    pub(super) fn watch(tensors: &[Tensor], arrived: Box<Arrived>) -> Result<Self> {
        let context = Box::new(Context { tensors: tensors.to_vec(), arrived });
        let leaves: Vec<_> = context.tensors.iter().map(Tensor::tensor_ref).collect();
        let mut raw = ptr::null_mut();
        // SAFETY: live tensors. The context is used until the arrivals are freed, which are dropped before it.
        shim::check(unsafe {
            let context = (&raw const *context).cast();
            stepwell_watch_gradients(leaves.as_ptr(), leaves.len(), gradient_arrived, context, &mut raw)
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::new(Code::Internal, "no arrivals were made"))?;
        Ok(Self { raw, _context: context })
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        // SAFETY: owned by this one, and no backward runs.
        unsafe { stepwell_free_arrivals(self.raw.as_ptr()) };
    }
}

/// # Safety
/// `context` is the live [`Context`] of arrivals.
unsafe extern "C" fn gradient_arrived(context: *const c_void, position: usize) {
    // SAFETY: as the caller promises.
    let context = unsafe { &*context.cast::<Context>() };
    // A panic must not reach C++. The end of the reduction finds a gradient that is not reported here.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Some(tensor) = context.tensors.get(position)
            && let Ok(Some(gradient)) = shim::grad(tensor.tensor_ref())
        {
            (context.arrived)(position, gradient);
        }
    }));
}

/// Whether no other tensor shares the memory of this one.
pub(super) fn owns_memory(tensor: &tch::Tensor) -> bool {
    // SAFETY: a live, defined tensor.
    unsafe { stepwell_owns_memory(tensor.as_ptr()) }
}
