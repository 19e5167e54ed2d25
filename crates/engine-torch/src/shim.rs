//! The C++ shim, made safe: a tensor lives while its handle does.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr;

use stepwell_optim::Result;
use stepwell_optim::fallible::reserve;
use torch_sys::C_tensor;

use crate::error;

/// Element types as the shim numbers them.
pub(crate) const FLOAT: u8 = 0;
pub(crate) const DOUBLE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const HALF: u8 = 3;
pub(crate) const BFLOAT16: u8 = 4;

/// Bits of [`ParameterDescriptor::layout`] and [`ParameterDescriptor::grad_layout`].
pub(crate) const CPU: u8 = 1;
pub(crate) const DENSE: u8 = 2;
pub(crate) const CONTIGUOUS: u8 = 4;
/// Of a gradient: its sizes are those of its parameter.
pub(crate) const FITS: u8 = 8;

/// A tensor as the shim takes it. Defined, except where [`describe`] finds out.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Handle<'a> {
    pointer: *const C_tensor,
    tensor: PhantomData<&'a tch::Tensor>,
}

impl<'a> From<&'a tch::Tensor> for Handle<'a> {
    fn from(tensor: &'a tch::Tensor) -> Self {
        Self { pointer: tensor.as_ptr(), tensor: PhantomData }
    }
}

impl Handle<'_> {
    pub(crate) fn pointer(self) -> *const C_tensor {
        self.pointer
    }
}

/// A tensor that the shim made; `None` for null.
///
/// # Safety
/// Nobody else frees it.
pub(crate) unsafe fn owned(tensor: *mut C_tensor) -> Option<tch::Tensor> {
    // SAFETY: as the caller promises.
    (!tensor.is_null()).then(|| unsafe { tch::Tensor::from_ptr(tensor) })
}

/// What one tensor is.
#[repr(C)]
pub(crate) struct TensorInfo {
    sizes: *const i64,
    dimensions: i64,
    elements: i64,
    /// -1: CPU, -2: neither CPU nor CUDA.
    pub(crate) device: i32,
    pub(crate) dtype: u8,
    dense: u8,
    leaf: u8,
    requires_grad: u8,
}

impl TensorInfo {
    pub(crate) fn len(&self) -> usize {
        size(self.elements)
    }

    pub(crate) fn is_dense(&self) -> bool {
        self.dense != 0
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.leaf != 0
    }

    pub(crate) fn requires_grad(&self) -> bool {
        self.requires_grad != 0
    }
}

/// A parameter and its gradient. Without a gradient that may update it, everything but `parameter` and `frozen` is 0; an
/// address is null unless it can be read here.
#[derive(Clone)]
#[repr(C)]
pub(crate) struct ParameterDescriptor {
    pub(crate) data: *mut c_void,
    pub(crate) storage: *const c_void,
    pub(crate) grad: *const c_void,
    pub(crate) grad_storage: *const c_void,
    #[allow(dead_code, reason = "the shim's")]
    gradient: *const c_void,
    #[allow(dead_code, reason = "the shim's")]
    parameter: *const c_void,
    elements: i64,
    pub(crate) dtype: u8,
    pub(crate) layout: u8,
    pub(crate) grad_dtype: u8,
    pub(crate) grad_layout: u8,
    pub(crate) has_grad: u8,
    /// Not 0: there is a gradient, and the parameter's flag is off.
    pub(crate) frozen: u8,
}

impl ParameterDescriptor {
    /// Of no parameter.
    const NONE: Self = Self {
        data: ptr::null_mut(),
        storage: ptr::null(),
        grad: ptr::null(),
        grad_storage: ptr::null(),
        gradient: ptr::null(),
        parameter: ptr::null(),
        elements: 0,
        dtype: 0,
        layout: 0,
        grad_dtype: 0,
        grad_layout: 0,
        has_grad: 0,
        frozen: 0,
    };

    pub(crate) fn len(&self) -> usize {
        size(self.elements)
    }
}

/// What tells that a parameter and its gradient still are the tensors that they were. Addresses that the shim looks at while
/// nothing was altered and the parameter lives.
#[allow(dead_code, reason = "the shim's")]
#[repr(C)]
pub(crate) struct Fingerprint {
    parameter: *const c_void,
    place: *const c_void,
    gradient: *const c_void,
}

// As in shim.cpp.
const _: () =
    assert!(size_of::<TensorInfo>() == 32 && size_of::<ParameterDescriptor>() == 64 && size_of::<Fingerprint>() == 24);

unsafe extern "C" {
    safe fn stepwell_failure() -> *const c_char;
    fn stepwell_identity(tensor: *const C_tensor) -> *const c_void;
    fn stepwell_describe(tensor: *const C_tensor, out: *mut TensorInfo) -> i32;
    fn stepwell_describe_parameters(
        tensors: *const *const C_tensor,
        count: usize,
        descriptors: *mut ParameterDescriptor,
        same: *mut u8,
    ) -> i32;
    fn stepwell_take_fingerprints(tensors: *const *const C_tensor, count: usize, out: *mut Fingerprint) -> bool;
    fn stepwell_bump_if_unchanged(
        tensors: *const *const C_tensor,
        count: usize,
        fingerprints: *const Fingerprint,
    ) -> bool;
    fn stepwell_data(tensor: *const C_tensor, out: *mut *const c_void) -> i32;
    fn stepwell_bump(tensors: *const *const C_tensor, descriptors: *const ParameterDescriptor, count: usize) -> i32;
    fn stepwell_grad(tensor: *const C_tensor, out: *mut *mut C_tensor) -> i32;
    fn stepwell_set_grad(tensor: *const C_tensor, gradient: *const C_tensor) -> i32;
    fn stepwell_backward(tensor: *const C_tensor, start: *const C_tensor) -> i32;
    fn stepwell_replace(tensor: *const C_tensor, source: *const C_tensor) -> i32;
    safe fn stepwell_cuda_devices(out: &mut i32) -> i32;
    safe fn stepwell_use_allocator();
    safe fn stepwell_bytes_held() -> usize;
}

/// The same values as in status.h.
pub(crate) fn check(status: i32) -> Result<()> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: the shim's buffer is of this thread, ends with 0 and is not written to before the next call.
    let text = unsafe { CStr::from_ptr(stepwell_failure()) }.to_string_lossy();
    Err(if status == 2 { error::out_of_memory(&text) } else { error::refused(&text) })
}

/// Equal for all handles of one tensor, unique while it lives.
pub(crate) fn identity(tensor: Handle<'_>) -> u64 {
    // SAFETY: a live, defined tensor.
    unsafe { stepwell_identity(tensor.pointer) as u64 }
}

pub(crate) fn describe(tensor: Handle<'_>) -> Result<TensorInfo> {
    let mut info = TensorInfo {
        sizes: ptr::null(),
        dimensions: 0,
        elements: 0,
        device: 0,
        dtype: 0,
        dense: 0,
        leaf: 0,
        requires_grad: 0,
    };
    // SAFETY: a live tensor, which the shim refuses if undefined, and a struct of the layout that it fills.
    check(unsafe { stepwell_describe(tensor.pointer, &mut info) })?;
    Ok(info)
}

pub(crate) fn shape(tensor: Handle<'_>) -> Result<Vec<usize>> {
    let info = describe(tensor)?;
    match size(info.dimensions) {
        0 => Ok(Vec::new()),
        // SAFETY: as many sizes as dimensions, which belong to the live tensor and which nothing changes meanwhile.
        n => Ok(unsafe { std::slice::from_raw_parts(info.sizes, n) }.iter().map(|&n| size(n)).collect()),
    }
}

/// libtorch counts with signed numbers that are never negative.
fn size(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

thread_local! {
    static METADATA_GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// How often a tensor of this thread was altered in another way than by new elements or by backward: given another memory,
/// shape or gradient. While that is the same number, a parameter is what it was, and so is a gradient that is the same tensor.
pub(crate) fn metadata_generation() -> u64 {
    METADATA_GENERATION.get()
}

/// A tensor is altered so.
pub(crate) fn bump_metadata_generation() {
    METADATA_GENERATION.set(METADATA_GENERATION.get() + 1);
}

/// Describes parameters with their gradients, in order, where `descriptors` has what they were at the call before. Returns true
/// if they still are.
pub(crate) fn describe_parameters(
    parameters: &[Handle<'_>],
    descriptors: &mut Vec<ParameterDescriptor>,
) -> Result<bool> {
    reserve(descriptors, parameters.len())?;
    descriptors.resize(parameters.len(), ParameterDescriptor::NONE);
    let (tensors, count, mut same) = (parameters.as_ptr().cast(), parameters.len(), 0);
    // SAFETY: live, defined tensors, and a descriptor for each.
    check(unsafe { stepwell_describe_parameters(tensors, count, descriptors.as_mut_ptr(), &mut same) })?;
    Ok(same != 0)
}

/// What to watch of these parameters; `None` where one cannot be fingerprints.
pub(crate) fn take_fingerprints(parameters: &[Handle<'_>], mut used: Vec<Fingerprint>) -> Option<Vec<Fingerprint>> {
    used.clear();
    reserve(&mut used, parameters.len()).ok()?;
    // SAFETY: live, defined tensors, and room for each, all of which is written if true is returned.
    unsafe {
        if !stepwell_take_fingerprints(parameters.as_ptr().cast(), parameters.len(), used.as_mut_ptr()) {
            return None;
        }
        used.set_len(parameters.len());
    }
    Some(used)
}

/// True if these are the fingerprints parameters with the fingerprints gradients; autograd is then told that those with a gradient are
/// written to.
///
/// # Safety
/// The fingerprints parameters live, and [`metadata_generation`] is what it was when they were fingerprints.
pub(crate) unsafe fn bump_if_unchanged(parameters: &[Handle<'_>], fingerprints: &[Fingerprint]) -> bool {
    let count = parameters.len();
    // SAFETY: live, defined tensors, and a watch for each, of which the caller promises the rest.
    count == fingerprints.len()
        && unsafe { stepwell_bump_if_unchanged(parameters.as_ptr().cast(), count, fingerprints.as_ptr()) }
}

/// The address of the elements of a dense tensor.
pub(crate) fn data(tensor: Handle<'_>) -> Result<*const c_void> {
    let mut data = ptr::null();
    // SAFETY: a live, defined tensor.
    check(unsafe { stepwell_data(tensor.pointer, &mut data) })?;
    Ok(data)
}

/// Tells autograd that tensors were written to: all of them, or those with a gradient in their descriptors.
pub(crate) fn bump(tensors: &[Handle<'_>], descriptors: Option<&[ParameterDescriptor]>) -> Result<()> {
    let count = descriptors.map_or(tensors.len(), |descriptors| tensors.len().min(descriptors.len()));
    let descriptors = descriptors.map_or(ptr::null(), <[ParameterDescriptor]>::as_ptr);
    // SAFETY: live, defined tensors, and null or a descriptor for each.
    check(unsafe { stepwell_bump(tensors.as_ptr().cast(), descriptors, count) })
}

pub(crate) fn grad(tensor: Handle<'_>) -> Result<Option<tch::Tensor>> {
    let mut gradient = ptr::null_mut();
    // SAFETY: a live, defined tensor.
    check(unsafe { stepwell_grad(tensor.pointer, &mut gradient) })?;
    // SAFETY: a new handle that nobody else frees.
    Ok(unsafe { owned(gradient) })
}

pub(crate) fn set_grad(tensor: Handle<'_>, gradient: Option<Handle<'_>>) -> Result<()> {
    bump_metadata_generation();
    // SAFETY: live, defined tensors; null is no gradient.
    check(unsafe { stepwell_set_grad(tensor.pointer, gradient.map_or(ptr::null(), |g| g.pointer)) })
}

/// Accumulates gradients, beginning with `start`, or with 1 for a scalar.
pub(crate) fn backward(tensor: Handle<'_>, start: Option<Handle<'_>>) -> Result<()> {
    // SAFETY: live, defined tensors; null is 1.
    check(unsafe { stepwell_backward(tensor.pointer, start.map_or(ptr::null(), |start| start.pointer)) })
}

pub(crate) fn replace(tensor: Handle<'_>, source: Handle<'_>) -> Result<()> {
    bump_metadata_generation();
    // SAFETY: live, defined tensors.
    check(unsafe { stepwell_replace(tensor.pointer, source.pointer) })
}

/// Has libtorch take memory for large tensors as allocator.cpp does, from now on.
pub(crate) fn use_allocator() {
    stepwell_use_allocator();
}

/// Bytes of main memory that tensors of this thread have, but for very small ones.
pub(crate) fn bytes_held() -> usize {
    stepwell_bytes_held()
}

/// How many CUDA devices there are; `None` where libtorch came without CUDA.
pub(crate) fn cuda_devices() -> Result<Option<usize>> {
    let mut devices = 0;
    check(stepwell_cuda_devices(&mut devices))?;
    Ok(usize::try_from(devices).ok())
}
