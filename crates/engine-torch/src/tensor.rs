//! The tensor type of the engine, with conversions from and to [`Data`] and slices.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use stepwell_optim::fallible::{collected, filled};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Data, Device, Dtype, Slice, SliceMut};
use tch::{Kind, TchError};

use crate::error::from_tch;
use crate::shim::{self, TensorRef};

/// A tensor of libtorch. A clone is another handle with the same storage, gradient and identity.
#[derive(Clone, Debug)]
pub struct Tensor(Arc<SharedHandle>);

/// The one handle of libtorch that the clones of a tensor share.
#[derive(Debug)]
struct SharedHandle(tch::Tensor);

// SAFETY: libtorch counts references atomically, and a handle may be used and dropped on any thread.
unsafe impl Send for SharedHandle {}
// SAFETY: threads may read a tensor at the same time. A session lends a tensor that a job may write to, or whose metadata it may
// change, to that job alone (decision 0028).
unsafe impl Sync for SharedHandle {}

/// Fails unless the tensor is defined and dense.
impl TryFrom<tch::Tensor> for Tensor {
    type Error = Error;

    fn try_from(tensor: tch::Tensor) -> Result<Self> {
        match shim::describe(TensorRef::from(&tensor))?.is_dense() {
            true => Ok(Self(Arc::new(SharedHandle(tensor)))),
            false => Err(Error::new(Code::Engine, "expected a dense tensor")),
        }
    }
}

impl AsRef<tch::Tensor> for Tensor {
    fn as_ref(&self) -> &tch::Tensor {
        &self.0.0
    }
}

impl Tensor {
    /// The result of a tch operation, which is always defined.
    pub(crate) fn from_tch(result: std::result::Result<tch::Tensor, TchError>) -> Result<Self> {
        result.map(|tensor| Self(Arc::new(SharedHandle(tensor)))).map_err(from_tch)
    }

    /// A handle without a tensor, which nothing but `SpareTensors` may see. `None` if there is no memory.
    pub(crate) fn undefined() -> Option<Self> {
        // SAFETY: a function without arguments, whose result this handle owns.
        unsafe { shim::owned(torch_sys::at_new_tensor()) }.map(|tensor| Self(Arc::new(SharedHandle(tensor))))
    }

    /// Whether no clone of this handle lives.
    pub(crate) fn is_only_handle(&self) -> bool {
        let is_only = Arc::strong_count(&self.0) == 1;
        // Another thread may have dropped a clone just before.
        fence(Ordering::Acquire);
        is_only
    }

    pub(crate) fn tensor_ref(&self) -> TensorRef<'_> {
        TensorRef::from(self.as_ref())
    }

    /// A handle for the operations of tch that write elements.
    pub(crate) fn writer(&self) -> tch::Tensor {
        shim::elements_written();
        self.0.0.shallow_clone()
    }

    /// Changes the metadata of the tensor, such as its shape or its storage. The change is counted, so that view caches check
    /// the tensor again.
    ///
    /// A change in another way is not counted: a later step may then write to memory that the tensor no longer has.
    pub fn change_metadata<R>(&self, f: impl FnOnce(&mut tch::Tensor) -> R) -> R {
        shim::bump_metadata_generation();
        f(&mut self.writer())
    }

    pub(crate) fn shape(&self) -> Result<Vec<usize>> {
        shim::shape(self.tensor_ref())
    }

    pub(crate) fn dtype(&self) -> Result<Dtype> {
        dtype(shim::dtype_and_device(self.tensor_ref()).0)
    }

    pub(crate) fn device(&self) -> Result<Device> {
        device(shim::dtype_and_device(self.tensor_ref()).1)
    }

    /// A tensor on the CPU with a copy of the data.
    pub(crate) fn from_data(data: &Data, shape: &[usize]) -> Result<Self> {
        match data {
            Data::Float(v) => Self::from_elements(v, Dtype::Float, shape),
            Data::Double(v) => Self::from_elements(v, Dtype::Double, shape),
            Data::Half(v) => Self::from_elements(v, Dtype::Half, shape),
            Data::BFloat16(v) => Self::from_elements(v, Dtype::BFloat16, shape),
            Data::Long(v) => Self::from_elements(v, Dtype::Long, shape),
            Data::Bool(v) => Self::from_elements(v, Dtype::Bool, shape),
        }
    }

    /// A tensor on the CPU with a copy of the slice.
    pub(crate) fn from_slice(slice: Slice<'_>, shape: &[usize]) -> Result<Self> {
        match slice {
            Slice::Float(v) => Self::from_elements(v, Dtype::Float, shape),
            Slice::Double(v) => Self::from_elements(v, Dtype::Double, shape),
        }
    }

    /// A tensor that borrows the memory of the data.
    ///
    /// # Safety
    /// The data lives as long as the tensor, and the tensor is not written to.
    pub(crate) unsafe fn over_data(data: &Data, shape: &[usize]) -> Result<tch::Tensor> {
        // SAFETY: the caller's promise.
        unsafe {
            match data {
                Data::Float(v) => Self::over_elements(v, Dtype::Float, shape),
                Data::Double(v) => Self::over_elements(v, Dtype::Double, shape),
                Data::Half(v) => Self::over_elements(v, Dtype::Half, shape),
                Data::BFloat16(v) => Self::over_elements(v, Dtype::BFloat16, shape),
                Data::Long(v) => Self::over_elements(v, Dtype::Long, shape),
                Data::Bool(v) => Self::over_elements(v, Dtype::Bool, shape),
            }
        }
    }

    /// A tensor that borrows the memory of the slice.
    ///
    /// # Safety
    /// As for [`Tensor::over_data`].
    pub(crate) unsafe fn over_slice(slice: Slice<'_>, shape: &[usize]) -> Result<tch::Tensor> {
        // SAFETY: the caller's promise.
        unsafe {
            match slice {
                Slice::Float(v) => Self::over_elements(v, Dtype::Float, shape),
                Slice::Double(v) => Self::over_elements(v, Dtype::Double, shape),
            }
        }
    }

    unsafe fn over_elements<T: Copy>(source: &[T], dtype: Dtype, shape: &[usize]) -> Result<tch::Tensor> {
        check_length(source.len(), shape)?;
        let shape = sizes(shape)?;
        let mut strides = vec![1; shape.len()];
        for i in (1..shape.len()).rev() {
            strides[i - 1] = strides[i] * shape[i].max(1);
        }
        let first = source.as_ptr().cast();
        // SAFETY: one element of this type for each of the shape, in row-major order. The caller keeps them alive.
        unsafe { tch::Tensor::f_from_blob(first, &shape, &strides, kind(dtype), tch::Device::Cpu) }.map_err(from_tch)
    }

    fn from_elements<T: Copy>(source: &[T], dtype: Dtype, shape: &[usize]) -> Result<Self> {
        check_length(source.len(), shape)?;
        #[expect(clippy::disallowed_methods, reason = "the one place that compares the length with the shape")]
        Self::from_tch(tch::Tensor::f_from_data_size(bytes(source), &sizes(shape)?, kind(dtype)))
    }

    /// A tensor with the shape and device of `self`, with a copy of the data.
    pub(crate) fn like_with_data(&self, data: &Data) -> Result<Self> {
        let tensor = Self::from_data(data, &self.shape()?)?;
        match self.device()? {
            Device::Cpu => Ok(tensor),
            Device::Cuda(index) => Self::from_tch(tensor.as_ref().f_to(tch::Device::Cuda(index))),
        }
    }

    /// Copies the elements, from any device.
    pub(crate) fn read_into(&self, to: SliceMut<'_>) -> Result<()> {
        to.check(self.dtype()?, shim::describe(self.tensor_ref())?.len())?;
        match to {
            SliceMut::Float(to) => self.0.0.f_copy_data(to, to.len()),
            SliceMut::Double(to) => self.0.0.f_copy_data(to, to.len()),
        }
        .map_err(from_tch)
    }

    /// A copy of the elements, from any device.
    pub(crate) fn to_data(&self) -> Result<Data> {
        fn read<T: tch::kind::Element + Default>(tensor: &tch::Tensor, elements: usize) -> Result<Vec<T>> {
            let mut out = filled(elements, T::default())?;
            // As bytes, since tch maps the Rust type of bfloat16 to half.
            // SAFETY: every bit pattern is a valid number, and `out` is not accessed while the slice lives.
            let bytes = unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), size_of_val(&out[..])) };
            tensor.f_copy_data_u8(bytes, elements).map_err(from_tch)?;
            Ok(out)
        }
        let elements = shim::describe(self.tensor_ref())?.len();
        Ok(match self.dtype()? {
            Dtype::Float => Data::Float(read(self.as_ref(), elements)?),
            Dtype::Double => Data::Double(read(self.as_ref(), elements)?),
            Dtype::Half => Data::Half(read(self.as_ref(), elements)?),
            Dtype::BFloat16 => Data::BFloat16(read(self.as_ref(), elements)?),
            Dtype::Long => Data::Long(read(self.as_ref(), elements)?),
            // Not as `bool`, whose other bit patterns are invalid.
            Dtype::Bool => Data::Bool(collected(read::<u8>(self.as_ref(), elements)?.into_iter().map(|x| x != 0))?),
        })
    }
}

/// The dtype of a number of the shim.
fn dtype(number: u8) -> Result<Dtype> {
    match number {
        shim::FLOAT => Ok(Dtype::Float),
        shim::DOUBLE => Ok(Dtype::Double),
        shim::HALF => Ok(Dtype::Half),
        shim::BFLOAT16 => Ok(Dtype::BFloat16),
        shim::LONG => Ok(Dtype::Long),
        shim::BOOL => Ok(Dtype::Bool),
        _ => Err(Error::new(Code::Dtype, "a tensor of a dtype that Stepwell does not support")),
    }
}

/// The device of a number of the shim.
fn device(number: i32) -> Result<Device> {
    match number {
        -1 => Ok(Device::Cpu),
        index => usize::try_from(index)
            .map(Device::Cuda)
            .map_err(|_| Error::new(Code::Device, "a tensor on a device other than cpu or cuda")),
    }
}

fn check_length(given: usize, shape: &[usize]) -> Result<()> {
    let elements = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    if elements == Some(given) {
        return Ok(());
    }
    Err(Error::new(Code::Shape, format!("expected as many elements as shape {shape:?} has, given {given}")))
}

fn bytes<T: Copy>(elements: &[T]) -> &[u8] {
    // SAFETY: the callers pass numbers, which have no padding. A byte needs no alignment.
    unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

/// The dtype as tch's type.
pub(crate) fn kind(dtype: Dtype) -> Kind {
    match dtype {
        Dtype::Float => Kind::Float,
        Dtype::Double => Kind::Double,
        Dtype::Half => Kind::Half,
        Dtype::BFloat16 => Kind::BFloat16,
        Dtype::Long => Kind::Int64,
        Dtype::Bool => Kind::Bool,
    }
}

/// Sizes as libtorch's type.
pub(crate) fn sizes(shape: &[usize]) -> Result<Vec<i64>> {
    shape.iter().map(|&n| size(n)).collect()
}

/// A size as libtorch's type.
pub(crate) fn size(n: usize) -> Result<i64> {
    i64::try_from(n).map_err(|_| Error::new(Code::Shape, format!("size {n} is too large")))
}
