//! Safe functions over the C++ shim, except for descriptors of parameters. A [`TensorRef`] borrows its tensor, so that the tensor
//! outlives each call.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_optim::{Code, Error, Result};
use torch_sys::C_tensor;

use crate::error;

/// Numbers of element types, as in shim.cpp.
pub(crate) const FLOAT: u8 = 0;
pub(crate) const DOUBLE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const HALF: u8 = 3;
pub(crate) const BFLOAT16: u8 = 4;
pub(crate) const BOOL: u8 = 6;

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

// SAFETY: a borrowed tensor, which threads may read at the same time, as the one that it borrows from.
unsafe impl Send for TensorRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for TensorRef<'_> {}

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

// The size in shim.cpp.
const _: () = assert!(size_of::<TensorInfo>() == 32);

unsafe extern "C" {
    safe fn stepwell_failure() -> *const c_char;
    fn stepwell_identity(tensor: *const C_tensor) -> *const c_void;
    fn stepwell_storage(tensor: *const C_tensor) -> *const c_void;
    fn stepwell_describe(tensor: *const C_tensor, out: *mut TensorInfo) -> i32;
    fn stepwell_dtype_and_device(tensor: *const C_tensor, device: *mut i32) -> u8;
    fn stepwell_has_shape_of(a: *const C_tensor, b: *const C_tensor) -> bool;
    fn stepwell_elements(tensor: *const C_tensor) -> i64;
    fn stepwell_requires_graph(tensor: *const C_tensor) -> bool;
    safe fn stepwell_exclude_autograd() -> u64;
    safe fn stepwell_restore_autograd(excluded: u64);
    fn stepwell_data(tensor: *const C_tensor, out: *mut *const c_void) -> i32;
    fn stepwell_grad(tensor: *const C_tensor, out: *mut *mut C_tensor) -> i32;
    fn stepwell_set_grad(tensor: *const C_tensor, gradient: *const C_tensor) -> i32;
    fn stepwell_elements_written();
    fn stepwell_backward(
        tensor: *const C_tensor,
        root_gradient: *const C_tensor,
        caller: *mut c_void,
        call: CallFunction,
    ) -> i32;
    fn stepwell_with_backward(
        function: u64,
        marker: *const C_tensor,
        inputs: *const *const C_tensor,
        count: usize,
        output: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> i32;
    fn stepwell_is_shared(tensor: *const C_tensor) -> bool;
    fn stepwell_replace(tensor: *const C_tensor, source: *const C_tensor) -> i32;
    safe fn stepwell_current_stream(device: i32, out: &mut u64) -> i32;
    fn stepwell_record_stream(tensor: *const C_tensor) -> i32;
    fn stepwell_libtorch_path(out: *mut c_char, size: usize) -> bool;
    safe fn stepwell_use_allocator();
    safe fn stepwell_bytes_held() -> usize;
    safe fn stepwell_take_bytes_held() -> i64;
    safe fn stepwell_add_bytes_held(bytes: i64);
    fn stepwell_reaches(tensor: *const C_tensor, identities: *const u64, count: usize, reaches: *mut u8) -> i32;
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

/// A number that is equal for tensors with one storage, or parts of one, and unique while one of them lives.
pub(crate) fn storage(tensor: TensorRef<'_>) -> u64 {
    // SAFETY: a live, defined tensor.
    unsafe { stepwell_storage(tensor.pointer) as u64 }
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

/// The number of the dtype, and the device: -1 for the CPU, -2 for neither CPU nor CUDA.
pub(crate) fn dtype_and_device(tensor: TensorRef<'_>) -> (u8, i32) {
    let mut device = 0;
    // SAFETY: a live, defined tensor, and a number to write to.
    let dtype = unsafe { stepwell_dtype_and_device(tensor.pointer, &mut device) };
    (dtype, device)
}

/// Libtorch's dispatcher on this thread passes its autograd layers over while this lives.
pub(crate) struct WithoutAutograd(u64);

impl WithoutAutograd {
    /// For an operation that returns new memory. `None` if the graph records it: an input requires a gradient.
    pub(crate) fn unless_recorded<'a>(mut inputs: impl Iterator<Item = TensorRef<'a>>) -> Option<Self> {
        // SAFETY: live, defined tensors.
        let recorded = inputs.any(|tensor| unsafe { stepwell_requires_graph(tensor.pointer) });
        (!recorded).then(|| Self(stepwell_exclude_autograd()))
    }
}

impl Drop for WithoutAutograd {
    fn drop(&mut self) {
        stepwell_restore_autograd(self.0);
    }
}

/// Whether two tensors have equal sizes.
pub(crate) fn has_shape_of(a: TensorRef<'_>, b: TensorRef<'_>) -> bool {
    // SAFETY: live, defined tensors.
    unsafe { stepwell_has_shape_of(a.pointer, b.pointer) }
}

/// The number of elements.
pub(crate) fn elements(tensor: TensorRef<'_>) -> usize {
    // SAFETY: a live, defined tensor.
    size(unsafe { stepwell_elements(tensor.pointer) })
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
pub(crate) fn size(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// Of the process and not of a thread: an optimizer may move to another thread with its view cache.
static METADATA_GENERATION: AtomicU64 = AtomicU64::new(0);

/// Number of metadata changes of the process: a tensor was given another memory, shape, flag or gradient by other means than
/// backward. New elements do not count.
///
/// While the number is equal, a live parameter at one address has the same metadata, and so has a gradient at one address.
pub(crate) fn metadata_generation() -> u64 {
    METADATA_GENERATION.load(Ordering::Relaxed)
}

/// Counts a metadata change. Must be called before each one.
pub(crate) fn bump_metadata_generation() {
    METADATA_GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The address of the elements of a dense tensor.
pub(crate) fn data(tensor: TensorRef<'_>) -> Result<*const c_void> {
    let mut data = ptr::null();
    // SAFETY: a live, defined tensor.
    check(unsafe { stepwell_data(tensor.pointer, &mut data) })?;
    Ok(data)
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

/// Runs the backward of a function of the caller, as `CallFunction` of called_function.h.
type CallFunction = unsafe extern "C" fn(
    caller: *mut c_void,
    function: u64,
    gradient: *const C_tensor,
    inputs: *const *const C_tensor,
    count: usize,
    gradients: *mut *mut C_tensor,
) -> i32;

/// The caller of a backward: its function, and the error of the function, which C++ does not pass on.
struct Caller<'a, 'b> {
    call: &'a mut CallTensors<'b>,
    error: Option<Error>,
}

/// Runs the backward of a function: its number, the gradient of its output, and its inputs.
pub(crate) type CallTensors<'a> = dyn FnMut(u64, &tch::Tensor, &[tch::Tensor]) -> Result<Vec<Option<tch::Tensor>>> + 'a;

/// # Safety
/// `caller` is a [`Caller`], which nothing else uses during the call. The tensors live, and `gradients` has `count` places.
unsafe extern "C" fn call_function(
    caller: *mut c_void,
    function: u64,
    gradient: *const C_tensor,
    inputs: *const *const C_tensor,
    count: usize,
    gradients: *mut *mut C_tensor,
) -> i32 {
    // SAFETY: as the caller promises.
    let caller = unsafe { &mut *caller.cast::<Caller<'_, '_>>() };
    // SAFETY: a live tensor, of which this makes another reference.
    let shared = |tensor: *const C_tensor| unsafe { tch::Tensor::clone_from_ptr(tensor.cast_mut()) };
    // A panic must not reach C++.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut tensors = Vec::new();
        for i in 0..count {
            // SAFETY: `inputs` has `count` live tensors.
            tensors.push(shared(unsafe { *inputs.add(i) }));
        }
        (caller.call)(function, &shared(gradient), &tensors)
    }));
    let made = match result {
        Ok(Ok(made)) => made,
        Ok(Err(error)) => {
            caller.error = Some(error);
            return 1;
        }
        Err(_) => {
            caller.error = Some(Error::new(Code::Internal, "a panic in a function of the caller"));
            return 1;
        }
    };
    for (i, tensor) in made.into_iter().enumerate().take(count) {
        if let Some(tensor) = tensor {
            // SAFETY: one of `count` places. C++ owns the new reference.
            unsafe { *gradients.add(i) = ManuallyDrop::new(tensor).as_mut_ptr() };
        }
    }
    0
}

/// Accumulates the gradients of a tensor, times a root gradient if there is one, into its leaves. `call` runs functions of the
/// caller.
pub(crate) fn backward(
    tensor: TensorRef<'_>,
    root_gradient: Option<TensorRef<'_>>,
    call: &mut CallTensors<'_>,
) -> Result<()> {
    let gradient = root_gradient.map_or(ptr::null(), |gradient| gradient.pointer);
    let mut caller = Caller { call, error: None };
    // SAFETY: live tensors, and a caller that outlives the call.
    let status =
        unsafe { stepwell_backward(tensor.pointer, gradient, (&raw mut caller).cast::<c_void>(), call_function) };
    match caller.error {
        Some(error) => Err(error),
        None => check(status),
    }
}

/// A tensor with the elements of `output`, whose backward calls a function.
pub(crate) fn with_backward(
    function: u64,
    marker: TensorRef<'_>,
    inputs: &[TensorRef<'_>],
    output: TensorRef<'_>,
) -> Result<tch::Tensor> {
    let mut out = ptr::null_mut();
    // SAFETY: live tensors. A TensorRef is a pointer.
    check(unsafe {
        let pointers = inputs.as_ptr().cast::<*const C_tensor>();
        stepwell_with_backward(function, marker.pointer, pointers, inputs.len(), output.pointer, &mut out)
    })?;
    // SAFETY: the shim made it for this caller.
    unsafe { owned(out) }.ok_or_else(|| Error::new(Code::Internal, "no tensor was made"))
}

/// Whether there is another reference to a tensor.
pub(crate) fn is_shared(tensor: TensorRef<'_>) -> bool {
    // SAFETY: a live tensor.
    unsafe { stepwell_is_shared(tensor.pointer) }
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

/// Takes the count of [`bytes_held`] of this thread, which is negative if it has freed more than it has allocated.
pub(crate) fn take_bytes_held() -> i64 {
    stepwell_take_bytes_held()
}

/// Adds the count that another thread had.
pub(crate) fn add_bytes_held(bytes: i64) {
    stepwell_add_bytes_held(bytes);
}

/// Whether a backward of a tensor would accumulate a gradient of one of the tensors with these identities.
pub(crate) fn reaches(tensor: TensorRef<'_>, identities: &[u64]) -> Result<bool> {
    const { assert!(size_of::<u64>() == size_of::<*const c_void>(), "an identity is an address") };
    let mut reaches = 0;
    // SAFETY: a live, defined tensor. The shim compares the addresses and does not follow them.
    check(unsafe { stepwell_reaches(tensor.pointer, identities.as_ptr(), identities.len(), &mut reaches) })?;
    Ok(reaches != 0)
}

/// The driver's handle of libtorch's current stream on a CUDA device. 0 is the default stream.
pub(crate) fn current_stream(ordinal: usize) -> Result<u64> {
    let mut stream = 0;
    check(stepwell_current_stream(i32::try_from(ordinal).unwrap_or(i32::MAX), &mut stream))?;
    Ok(stream)
}

/// Tells libtorch's allocator that work on the current stream uses the memory of a tensor.
pub(crate) fn record_stream(tensor: TensorRef<'_>) -> Result<()> {
    // SAFETY: a live, defined tensor.
    check(unsafe { stepwell_record_stream(tensor.pointer) })
}

/// The path of a library of libtorch, if the system tells it.
pub(crate) fn libtorch_path() -> Option<PathBuf> {
    let mut path = [0u8; 4096];
    // SAFETY: as many bytes as the size says.
    if !unsafe { stepwell_libtorch_path(path.as_mut_ptr().cast(), path.len()) } {
        return None;
    }
    CStr::from_bytes_until_nul(&path).ok()?.to_str().ok().map(PathBuf::from)
}
