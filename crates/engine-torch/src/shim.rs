//! Safe functions over the C++ shim. A [`TensorRef`] borrows its tensor, so that the tensor outlives each call.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr;

use stepwell_optim::Result;
use stepwell_optim::fallible::reserve;
use torch_sys::C_tensor;

use crate::error;

/// Numbers of element types, as in shim.cpp.
pub(crate) const FLOAT: u8 = 0;
pub(crate) const DOUBLE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const HALF: u8 = 3;
pub(crate) const BFLOAT16: u8 = 4;

/// Bits of [`ParameterDescriptor::layout`] and [`ParameterDescriptor::grad_layout`], as in shim.cpp.
pub(crate) const CPU: u8 = 1;
pub(crate) const DENSE: u8 = 2;
pub(crate) const CONTIGUOUS: u8 = 4;
/// Bit of a gradient: its sizes equal the sizes of its parameter.
pub(crate) const FITS: u8 = 8;

/// A pointer to a tensor, an argument of the shim. The tensor is defined; [`describe`] alone accepts an undefined one.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct TensorRef<'a> {
    pointer: *const C_tensor,
    tensor: PhantomData<&'a tch::Tensor>,
}

impl<'a> From<&'a tch::Tensor> for TensorRef<'a> {
    fn from(tensor: &'a tch::Tensor) -> Self {
        Self { pointer: tensor.as_ptr(), tensor: PhantomData }
    }
}

impl TensorRef<'_> {
    pub(crate) fn pointer(self) -> *const C_tensor {
        self.pointer
    }
}

/// Takes ownership of a tensor that the shim made; `None` for null.
///
/// # Safety
/// The caller owns the pointer and does not free it.
pub(crate) unsafe fn owned(tensor: *mut C_tensor) -> Option<tch::Tensor> {
    // SAFETY: as the caller promises.
    (!tensor.is_null()).then(|| unsafe { tch::Tensor::from_ptr(tensor) })
}

/// Metadata of one tensor. Has the layout of `stepwell_tensor_info`.
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

/// Addresses and metadata of a parameter and its gradient. Has the layout of `stepwell_parameter_descriptor`.
///
/// Without a gradient, or for a frozen parameter, all fields but `parameter` and `frozen_with_grad` are 0. An address is null
/// unless the elements can be read on the CPU.
#[derive(Clone)]
#[repr(C)]
pub(crate) struct ParameterDescriptor {
    pub(crate) data: *mut c_void,
    pub(crate) storage: *const c_void,
    pub(crate) grad_data: *const c_void,
    pub(crate) grad_storage: *const c_void,
    #[allow(dead_code, reason = "read by the shim")]
    grad_impl: *const c_void,
    #[allow(dead_code, reason = "read by the shim")]
    parameter: *const c_void,
    elements: i64,
    pub(crate) dtype: u8,
    pub(crate) layout: u8,
    pub(crate) grad_dtype: u8,
    pub(crate) grad_layout: u8,
    pub(crate) has_grad: u8,
    /// Not 0 if the parameter has a gradient but does not require one.
    pub(crate) frozen_with_grad: u8,
}

impl ParameterDescriptor {
    /// The descriptor of a parameter that was not described yet.
    const NONE: Self = Self {
        data: ptr::null_mut(),
        storage: ptr::null(),
        grad_data: ptr::null(),
        grad_storage: ptr::null(),
        grad_impl: ptr::null(),
        parameter: ptr::null(),
        elements: 0,
        dtype: 0,
        layout: 0,
        grad_dtype: 0,
        grad_layout: 0,
        has_grad: 0,
        frozen_with_grad: 0,
    };

    pub(crate) fn len(&self) -> usize {
        size(self.elements)
    }
}

/// Addresses that identify a parameter and its gradient: equal addresses mean equal tensors while the parameter lives and the
/// metadata generation is unchanged. Has the layout of `stepwell_fingerprint`.
#[allow(dead_code, reason = "read by the shim")]
#[repr(C)]
pub(crate) struct Fingerprint {
    parameter: *const c_void,
    grad_field: *const c_void,
    gradient: *const c_void,
}

// The sizes in shim.cpp.
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
        unchanged: *mut u8,
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
    fn stepwell_elements_written();
    fn stepwell_backward(tensor: *const C_tensor, root_gradient: *const C_tensor) -> i32;
    fn stepwell_replace(tensor: *const C_tensor, source: *const C_tensor) -> i32;
    safe fn stepwell_cuda_devices(out: &mut i32) -> i32;
    safe fn stepwell_use_allocator();
    safe fn stepwell_bytes_held() -> usize;
}

/// The error of a status, with the text of the shim. The numbers are the ones of `Status` in status.h.
pub(crate) fn check(status: i32) -> Result<()> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: a buffer of this thread that ends with 0. The next call of the shim is the first to write to it.
    let text = unsafe { CStr::from_ptr(stepwell_failure()) }.to_string_lossy();
    Err(if status == 2 { error::out_of_memory(&text) } else { error::engine_error(&text) })
}

/// A number that is equal for all handles of one tensor, and unique while the tensor lives.
pub(crate) fn identity(tensor: TensorRef<'_>) -> u64 {
    // SAFETY: a live, defined tensor.
    unsafe { stepwell_identity(tensor.pointer) as u64 }
}

pub(crate) fn describe(tensor: TensorRef<'_>) -> Result<TensorInfo> {
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
    // SAFETY: a live tensor; if it is undefined the shim returns an error. The struct has the layout that the shim fills.
    check(unsafe { stepwell_describe(tensor.pointer, &mut info) })?;
    Ok(info)
}

pub(crate) fn shape(tensor: TensorRef<'_>) -> Result<Vec<usize>> {
    let info = describe(tensor)?;
    match size(info.dimensions) {
        0 => Ok(Vec::new()),
        // SAFETY: the live tensor owns one size for each dimension, and nothing changes them during this expression.
        n => Ok(unsafe { std::slice::from_raw_parts(info.sizes, n) }.iter().map(|&n| size(n)).collect()),
    }
}

/// A count of libtorch, which is signed and never negative.
fn size(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

thread_local! {
    static METADATA_GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// Number of metadata changes on this thread: a tensor was given another memory, shape, flag or gradient by other means than
/// backward. New elements do not count.
///
/// While the number is equal, a live parameter at one address has the same metadata, and so has a gradient at one address.
pub(crate) fn metadata_generation() -> u64 {
    METADATA_GENERATION.get()
}

/// Counts a metadata change. Must be called before each one.
pub(crate) fn bump_metadata_generation() {
    METADATA_GENERATION.set(METADATA_GENERATION.get() + 1);
}

/// Updates the descriptors of parameters and their gradients, in order. Returns true if none has changed.
pub(crate) fn describe_parameters(
    parameters: &[TensorRef<'_>],
    descriptors: &mut Vec<ParameterDescriptor>,
) -> Result<bool> {
    reserve(descriptors, parameters.len())?;
    descriptors.resize(parameters.len(), ParameterDescriptor::NONE);
    let (tensors, count, mut unchanged) = (parameters.as_ptr().cast(), parameters.len(), 0);
    // SAFETY: live, defined tensors, and a descriptor for each.
    check(unsafe { stepwell_describe_parameters(tensors, count, descriptors.as_mut_ptr(), &mut unchanged) })?;
    Ok(unchanged != 0)
}

/// Fingerprints of parameters; `None` if a parameter has no version counter. `reused` supplies the allocation.
pub(crate) fn take_fingerprints(
    parameters: &[TensorRef<'_>],
    mut reused: Vec<Fingerprint>,
) -> Option<Vec<Fingerprint>> {
    reused.clear();
    reserve(&mut reused, parameters.len()).ok()?;
    // SAFETY: live, defined tensors, and capacity for one fingerprint each. All are written if the shim returns true.
    unsafe {
        if !stepwell_take_fingerprints(parameters.as_ptr().cast(), parameters.len(), reused.as_mut_ptr()) {
            return None;
        }
        reused.set_len(parameters.len());
    }
    Some(reused)
}

/// If all fingerprints match, bumps the version of each parameter that has a gradient and returns true. Otherwise changes no
/// version and returns false.
///
/// # Safety
/// The parameters of the fingerprints live, and [`metadata_generation`] has not changed since the fingerprints were taken.
pub(crate) unsafe fn bump_if_unchanged(parameters: &[TensorRef<'_>], fingerprints: &[Fingerprint]) -> bool {
    let count = parameters.len();
    // SAFETY: live, defined tensors, one fingerprint for each, and the promise of the caller.
    count == fingerprints.len()
        && unsafe { stepwell_bump_if_unchanged(parameters.as_ptr().cast(), count, fingerprints.as_ptr()) }
}

/// The address of the elements of a dense tensor.
pub(crate) fn data(tensor: TensorRef<'_>) -> Result<*const c_void> {
    let mut data = ptr::null();
    // SAFETY: a live, defined tensor.
    check(unsafe { stepwell_data(tensor.pointer, &mut data) })?;
    Ok(data)
}

/// Bumps the versions of tensors, which tells autograd of a write: of all, or of those whose descriptor has a gradient.
pub(crate) fn bump(tensors: &[TensorRef<'_>], descriptors: Option<&[ParameterDescriptor]>) -> Result<()> {
    let count = descriptors.map_or(tensors.len(), |descriptors| tensors.len().min(descriptors.len()));
    let descriptors = descriptors.map_or(ptr::null(), <[ParameterDescriptor]>::as_ptr);
    // SAFETY: live, defined tensors, and null or one descriptor for each.
    check(unsafe { stepwell_bump(tensors.as_ptr().cast(), descriptors, count) })
}

/// The gradient of a tensor, in a new handle.
pub(crate) fn grad(tensor: TensorRef<'_>) -> Result<Option<tch::Tensor>> {
    let mut gradient = ptr::null_mut();
    // SAFETY: a live, defined tensor.
    check(unsafe { stepwell_grad(tensor.pointer, &mut gradient) })?;
    // SAFETY: a new handle, owned by this call.
    Ok(unsafe { owned(gradient) })
}

/// Replaces the gradient; `None` makes it undefined.
pub(crate) fn set_grad(tensor: TensorRef<'_>, gradient: Option<TensorRef<'_>>) -> Result<()> {
    bump_metadata_generation();
    // SAFETY: live, defined tensors; null makes the gradient undefined.
    check(unsafe { stepwell_set_grad(tensor.pointer, gradient.map_or(ptr::null(), |g| g.pointer)) })
}

/// Says that elements were written that an older graph may need.
pub(crate) fn elements_written() {
    // SAFETY: sets a number of this thread.
    unsafe { stepwell_elements_written() }
}

/// Accumulates the gradients of the leaves. `root_gradient` is the gradient of `tensor`; `None` is 1, for a scalar only. If it
/// fails, no gradient has changed.
pub(crate) fn backward(tensor: TensorRef<'_>, root_gradient: Option<TensorRef<'_>>) -> Result<()> {
    // SAFETY: live, defined tensors; null stands for 1.
    check(unsafe { stepwell_backward(tensor.pointer, root_gradient.map_or(ptr::null(), |gradient| gradient.pointer)) })
}

/// Gives `tensor` the storage, sizes, dtype and device of `source`. It keeps its identity.
pub(crate) fn replace(tensor: TensorRef<'_>, source: TensorRef<'_>) -> Result<()> {
    bump_metadata_generation();
    // SAFETY: live, defined tensors.
    check(unsafe { stepwell_replace(tensor.pointer, source.pointer) })
}

/// Installs the allocator of allocator.cpp as libtorch's CPU allocator.
pub(crate) fn use_allocator() {
    stepwell_use_allocator();
}

/// Bytes of main memory that tensors of this thread have, except blocks below 1 KiB.
pub(crate) fn bytes_held() -> usize {
    stepwell_bytes_held()
}

/// The number of CUDA devices; `None` if libtorch was loaded without CUDA.
pub(crate) fn cuda_devices() -> Result<Option<usize>> {
    let mut devices = 0;
    check(stepwell_cuda_devices(&mut devices))?;
    Ok(usize::try_from(devices).ok())
}
