//! The interface to a tensor library.
//!
//! Shapes, dtypes and devices of arguments are checked by the session before an operation is called, so both engines
//! give the same errors. An engine returns an [`Error`](stepwell_optim::Error) for everything else that it refuses, and
//! never panics.

pub(crate) mod busy_guard;
pub(crate) mod device_reports;
pub(crate) mod element_count;
pub(crate) mod library_optimizers;
pub(crate) mod linear_algebra;
pub(crate) mod operations;
pub(crate) mod placement;
pub(crate) mod primitives;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod process_group;

#[cfg(not(target_family = "wasm"))]
use std::sync::Arc;

#[cfg(not(target_family = "wasm"))]
use stepwell_optim::Shared;
use stepwell_optim::{Code, Definition, Error, Movable, Outcome, Result, View};

use crate::engine::device_reports::{CudaReport, DeviceMemoryUse};
use crate::engine::library_optimizers::{LibraryOptimizer, only_fused};
use crate::engine::linear_algebra::{LinearAlgebra, LinearOptions};
use crate::engine::operations::{Activation, BatchNorm, Loss, Reduction};
#[cfg(not(target_family = "wasm"))]
use crate::engine::placement::DeviceStep;
use crate::engine::placement::Placement;
use crate::engine::primitives::{Elementwise, Primitive};
#[cfg(not(target_family = "wasm"))]
use crate::engine::process_group::{GroupSettings, ProcessGroup};
use crate::values::data::{Data, Slice, SliceMut};
use crate::values::device::Device;
use crate::values::dtype::Dtype;

/// Runs the backward of a function of the caller: its number, the gradient of its output, and its inputs. Returns a gradient for
/// each input that has one, of its shape and dtype.
pub type CallBackward<'a, T> = dyn FnMut(u64, &T, &[T]) -> Result<Vec<Option<T>>> + 'a;

/// Tensors with autograd. Shapes are row-major, as in PyTorch; a batch comes first. A clone of an engine is the engine itself: both
/// share their state.
pub trait Engine: Clone + Movable + 'static {
    /// A tensor. A clone shares storage, gradient and identity with the original.
    type Tensor: Clone + Movable;
    /// Cache of [`Engine::with_parameter_views`] for one list of parameters: checks that passed need no second run while
    /// nothing but elements has changed.
    type ViewCache: Default + Movable;
    /// Memory of freed tensors, for later results of [`Engine::elementwise`].
    type Spare: Default + Movable;

    /// Fails with the reason if the device cannot be used.
    fn require(&self, device: Device) -> Result<()>;
    /// Reports on CUDA. Fails only if there is no memory.
    fn cuda_report(&self) -> Result<CudaReport> {
        Ok(CudaReport::default())
    }
    /// Waits until the device has done all work that it was given.
    fn synchronize(&self, device: Device) -> Result<()> {
        self.require(device)
    }
    /// The memory of a CUDA device; `None` for the CPU.
    fn device_memory(&self, device: Device) -> Result<Option<DeviceMemoryUse>> {
        self.require(device).map(|()| None)
    }
    /// Meets the other processes of a training, which then are its [`Engine::process_group`]. Waits for them.
    #[cfg(not(target_family = "wasm"))]
    fn connect(&self, settings: &GroupSettings) -> Result<()> {
        let _ = settings;
        Err(Error::new(Code::Unsupported, "this engine trains in one process: use the native engine with libtorch"))
    }
    /// Leaves the processes of the training.
    #[cfg(not(target_family = "wasm"))]
    fn disconnect(&self) {}
    /// The processes of the training; `None` before [`Engine::connect`].
    #[cfg(not(target_family = "wasm"))]
    fn process_group(&self) -> Option<Arc<dyn ProcessGroup<Self::Tensor>>> {
        None
    }
    /// Bytes that one more tensor may have now; a call that needs more is refused instead of risking the process. The
    /// answer may be too small if it is at least `wanted`, since an exact one may take long.
    fn memory_limit(&self, wanted: usize) -> usize;

    /// A new tensor with a copy of the data. `data.len()` is the product of `shape`.
    fn tensor(&self, data: &Data, shape: &[usize], device: Device) -> Result<Self::Tensor>;
    /// A new tensor with each element equal to the one of `element`. Takes no memory but its own.
    fn full(&self, element: &Data, shape: &[usize], device: Device) -> Result<Self::Tensor>;
    /// A new tensor of host memory, whose elements the caller sets before any is read. They may be what the memory was before.
    fn blank(&self, dtype: Dtype, shape: &[usize]) -> Result<Self::Tensor> {
        self.full(&Data::Long(vec![0]).cast(dtype)?, shape, Device::Cpu)
    }
    /// A copy of the elements.
    fn data(&self, tensor: &Self::Tensor) -> Result<Data>;
    /// Overwrites the elements in place, seen by every clone. Same dtype and length.
    fn assign(&self, tensor: &Self::Tensor, data: &Data) -> Result<()>;
    /// Adds 1 to a long tensor of one element, in place.
    fn increment(&self, tensor: &Self::Tensor) -> Result<()> {
        match self.data(tensor)? {
            Data::Long(counted) => {
                self.assign(tensor, &Data::Long(counted.into_iter().map(|n| n.wrapping_add(1)).collect()))
            }
            other => {
                Err(Error::new(Code::Dtype, format_args!("expected a long tensor, given {}", other.dtype().name())))
            }
        }
    }
    /// Copies the elements into a slice of the same dtype and length.
    fn read_into(&self, tensor: &Self::Tensor, to: SliceMut<'_>) -> Result<()> {
        to.copy_from(&self.data(tensor)?)
    }
    /// Overwrites the elements in place, as [`Engine::assign`] does, from a slice of the same dtype and length.
    fn write_from(&self, tensor: &Self::Tensor, from: Slice<'_>) -> Result<()> {
        self.assign(tensor, &from.to_data()?)
    }
    /// Calls `read` with the bytes of the elements, if these are in host memory in row-major order and every bit pattern is an
    /// element. Otherwise returns false.
    #[cfg(not(target_family = "wasm"))]
    fn with_bytes(&self, tensor: &Self::Tensor, read: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let _ = (tensor, read);
        Ok(false)
    }
    /// As [`Engine::with_bytes`], for bytes that `write` overwrites in place, seen by every clone.
    #[cfg(not(target_family = "wasm"))]
    fn with_bytes_mut(&self, tensor: &Self::Tensor, write: &mut dyn FnMut(&mut [u8]) -> Result<()>) -> Result<bool> {
        let _ = (tensor, write);
        Ok(false)
    }
    /// Overwrites the elements in place, as [`Engine::assign`] does, from a tensor of equal shape, dtype and device.
    /// Takes no memory for them.
    fn copy(&self, from: &Self::Tensor, to: &Self::Tensor) -> Result<()>;
    /// A copy of another dtype or on another device, cut off from the graph.
    fn convert(&self, tensor: &Self::Tensor, dtype: Dtype, device: Device) -> Result<Self::Tensor>;
    /// Gives `tensor` the storage of `source` and keeps its identity, so that every clone sees the change.
    fn replace(&self, tensor: &Self::Tensor, source: &Self::Tensor) -> Result<()>;

    /// Sizes of the dimensions.
    fn shape(&self, tensor: &Self::Tensor) -> Result<Vec<usize>>;
    /// Element type.
    fn dtype(&self, tensor: &Self::Tensor) -> Result<Dtype>;
    /// The device of the tensor.
    fn device(&self, tensor: &Self::Tensor) -> Result<Device>;
    /// Bytes of the elements.
    fn byte_count(&self, tensor: &Self::Tensor) -> Result<usize> {
        Ok(self.shape(tensor)?.iter().product::<usize>() * self.dtype(tensor)?.size())
    }
    /// Whether two tensors have equal shapes.
    fn has_shape_of(&self, a: &Self::Tensor, b: &Self::Tensor) -> Result<bool> {
        Ok(self.shape(a)? == self.shape(b)?)
    }
    /// A number that identifies a live tensor; equal for clones.
    fn identity(&self, tensor: &Self::Tensor) -> u64;

    /// True if no operation made it.
    fn is_leaf(&self, tensor: &Self::Tensor) -> bool;
    /// True if gradients are computed for it.
    fn requires_grad(&self, tensor: &Self::Tensor) -> bool;
    /// Sets whether gradients are computed for a leaf.
    fn set_requires_grad(&self, tensor: &Self::Tensor, flag: bool) -> Result<()>;
    /// The accumulated gradient.
    fn grad(&self, tensor: &Self::Tensor) -> Option<Self::Tensor>;
    /// Replaces the gradient; `None` makes it undefined.
    fn set_grad(&self, tensor: &Self::Tensor, grad: Option<&Self::Tensor>) -> Result<()>;
    /// Sets a defined gradient to 0.
    fn zero_grad(&self, tensor: &Self::Tensor) -> Result<()>;
    /// Accumulates the gradients of `seed` times a scalar into its leaves and releases the graph. Fails if the scalar's
    /// dtype cannot hold `seed`.
    fn backward(&self, tensor: &Self::Tensor, seed: f64) -> Result<()>;
    /// As [`Engine::backward`], through graphs with functions of [`Engine::with_backward`], which `call` runs without recording
    /// operations.
    fn backward_calling(
        &self,
        tensor: &Self::Tensor,
        seed: f64,
        call: &mut CallBackward<'_, Self::Tensor>,
    ) -> Result<()> {
        let _ = call;
        self.backward(tensor, seed)
    }
    /// A tensor with the elements of `output`, which is a leaf of floating point. Its backward is a function of the caller, by its
    /// number. The function gets the gradient of the tensor and `inputs`, and returns their gradients. The graph holds a
    /// clone of `marker` as long as it can call the function. Returns a leaf if no input requires a gradient, or if operations
    /// are not recorded.
    fn with_backward(
        &self,
        function: u64,
        marker: &Self::Tensor,
        inputs: &[Self::Tensor],
        output: &Self::Tensor,
    ) -> Result<Self::Tensor> {
        let _ = (function, marker, inputs, output);
        Err(Error::new(Code::Unsupported, "this engine does not have functions with a backward of their own"))
    }
    /// A number that tensors have in common which share memory, and no others that live.
    fn storage(&self, tensor: &Self::Tensor) -> u64;
    /// Whether a tensor has clones, such as in a graph.
    fn is_shared(&self, tensor: &Self::Tensor) -> bool {
        let _ = tensor;
        true
    }
    /// Runs `f` without recording operations.
    fn no_grad<R>(&self, f: impl FnOnce() -> R) -> R
    where
        Self: Sized;

    /// Calls `step` with views of the memory of parameters and their gradients: one view for each tensor, in order. The view is
    /// `None` if the tensor has no gradient, or is frozen (does not require a gradient).
    ///
    /// Unless every gradient in a view fits its parameter, returns an error and does not call `step`. Bumps the version
    /// of each parameter in a view, however `step` ends. A backward pass through an older graph is then an error, not a
    /// wrong gradient. `zero_grad` says that `step` sets the gradients in its views to 0; the engine then sets
    /// gradients of frozen parameters to 0. `cache` belongs to this list of parameters. `name` has the name of a parameter
    /// by its index, for messages.
    fn with_parameter_views(
        &self,
        parameters: &[Self::Tensor],
        name: &dyn Fn(usize) -> String,
        cache: &mut Self::ViewCache,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
    ) -> Result<()>;

    /// True for a library with devices other than the CPU, which run the kernels of a step. Otherwise no code is compiled for them.
    const HAS_DEVICES: bool = false;

    /// The memory that has the parameters. `cache` belongs to this list of parameters.
    fn placement(&self, parameters: &[Self::Tensor], cache: &mut Self::ViewCache) -> Result<Placement> {
        let _ = (parameters, cache);
        Ok(Placement::Host)
    }

    /// As [`Engine::with_parameter_views`], for parameters whose placement is [`Placement::Devices`]: calls `step`
    /// with these devices, and with addresses on them.
    #[cfg(not(target_family = "wasm"))]
    fn with_device_views(
        &self,
        parameters: &[Self::Tensor],
        name: &dyn Fn(usize) -> String,
        cache: &mut Self::ViewCache,
        zero_grad: bool,
        step: &mut DeviceStep<'_>,
    ) -> Result<()> {
        let _ = (parameters, name, cache, zero_grad, step);
        Err(Error::new(Code::Internal, "a step on a device of an engine that has none"))
    }

    /// The devices of parameters whose placement is [`Placement::Devices`]. `cache` belongs to this list of parameters.
    #[cfg(not(target_family = "wasm"))]
    fn step_devices(
        &self,
        parameters: &[Self::Tensor],
        cache: &mut Self::ViewCache,
    ) -> Result<Vec<Shared<dyn stepwell_optim::Device>>> {
        let _ = (parameters, cache);
        Err(Error::new(Code::Internal, "a step on a device of an engine that has none"))
    }

    /// Copies tensors of a device into a vector at an address there, each to its place, in row-major order. All have one
    /// dtype. The vector contains the places, which are counted in elements.
    #[cfg(not(target_family = "wasm"))]
    fn gather(&self, pieces: &[(usize, Self::Tensor)], to: u64) -> Result<()> {
        let _ = (pieces, to);
        Err(Error::new(Code::Internal, "a vector on a device of an engine that has none"))
    }

    /// Copies from a vector into tensors in place, as [`Engine::gather`] does in the other direction.
    #[cfg(not(target_family = "wasm"))]
    fn scatter(&self, from: u64, pieces: &[(usize, Self::Tensor)]) -> Result<()> {
        let _ = (from, pieces);
        Err(Error::new(Code::Internal, "a vector on a device of an engine that has none"))
    }

    /// True for a library whose tensors may be outside of host memory. Otherwise no code is compiled for copies of them.
    const HAS_STAGING: bool = false;

    /// As [`Engine::with_parameter_views`], for parameters on any device, which are reached by copies only. The views are
    /// of copies in host memory, which `cache` keeps for the next step. If `step` returns [`Outcome::Stepped`], the
    /// parameters become equal to their copies. Otherwise their elements are not written.
    ///
    /// If `zero_grad` is true and `step` does not fail, the engine sets all gradients to 0. Fails with `ERR_MEMORY` if host
    /// memory cannot hold the copies.
    fn with_staged_views(
        &self,
        parameters: &[Self::Tensor],
        name: &dyn Fn(usize) -> String,
        cache: &mut Self::ViewCache,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<Outcome>,
    ) -> Result<()> {
        self.with_parameter_views(parameters, name, cache, zero_grad, &mut |views| step(views).map(drop))
    }

    /// Bytes of this thread's tensors, of tensors in graphs and of its optimizers' state. The binding reports them to
    /// the garbage collector, which sees only handles. 0 if the engine does not count them.
    fn bytes_held(&self) -> usize {
        0
    }

    /// Takes the count of [`Engine::bytes_held`] of this thread, for the thread that has its objects from now on. Negative if
    /// this thread has freed more than it has allocated.
    #[cfg(not(target_family = "wasm"))]
    fn take_bytes_held(&self) -> i64 {
        0
    }

    /// Adds the count that another thread had, whose objects are on this thread from now on.
    #[cfg(not(target_family = "wasm"))]
    fn add_bytes_held(&self, bytes: i64) {
        let _ = bytes;
    }

    /// Whether a backward of a tensor would accumulate a gradient of one of the tensors with these identities.
    #[cfg(not(target_family = "wasm"))]
    fn reaches(&self, tensor: &Self::Tensor, identities: &[u64]) -> Result<bool> {
        let _ = (tensor, identities);
        Ok(false)
    }

    /// Called before each command: applies settings of the whole process to this thread.
    fn enter(&self) {}
    /// The number of threads of a step, which equals the number of threads of the engine's operations.
    fn threads(&self) -> usize {
        1
    }
    /// The number of threads that was set, which may be larger than the number of cores.
    fn thread_limit(&self) -> usize {
        self.threads()
    }
    /// Sets the number of threads of the whole process. Fails if the engine has one thread only.
    fn set_threads(&self, threads: usize) -> Result<()> {
        match threads {
            1 => Ok(()),
            _ => Err(Error::new(
                Code::Argument,
                format_args!("expected 1 thread, since this engine has no more, given {threads}"),
            )),
        }
    }

    /// True for a library with tensors of half and bfloat16. Otherwise no code is compiled for them.
    const HAS_REDUCED: bool = false;

    /// True for a library that has optimizers of its own. Otherwise no code is compiled for them.
    const HAS_OPTIMIZERS: bool = false;

    /// A new optimizer of the library, without state. Fails if the library does not have it.
    fn library_optimizer(&self, definition: &'static Definition) -> Result<LibraryOptimizer<Self::Tensor>> {
        Err(only_fused(definition, "since this engine has no optimizers of its own"))
    }

    /// Applies a primitive to its inputs and returns its outputs, with the meaning that [`Primitive`] states. The session has
    /// checked shapes, dtypes and devices.
    ///
    /// # Errors
    /// [`Code::Unsupported`] for a primitive that the engine does not have; [`Code::Memory`].
    fn apply(&self, primitive: &Primitive, inputs: &[&Self::Tensor]) -> Result<Vec<Self::Tensor>> {
        let _ = (primitive, inputs);
        Err(Error::new(Code::Unsupported, "this engine does not have the operation"))
    }

    /// True for a library with functions of linear algebra. Otherwise no code is compiled for them.
    const HAS_LINEAR_ALGEBRA: bool = false;

    /// Applies a function of linear algebra to its inputs and returns its outputs, with the meaning that [`LinearAlgebra`] states.
    ///
    /// # Errors
    /// [`Code::Engine`] with the library's text, for a matrix that is singular or not positive definite, for example.
    fn linear_algebra(
        &self,
        function: LinearAlgebra,
        inputs: &[&Self::Tensor],
        options: &LinearOptions,
    ) -> Result<Vec<Self::Tensor>> {
        let _ = (function, inputs, options);
        Err(Error::new(Code::Unsupported, "this engine has no linear algebra"))
    }

    /// The first output of [`Engine::apply`].
    fn apply_one(&self, primitive: &Primitive, inputs: &[&Self::Tensor]) -> Result<Self::Tensor> {
        let first = self.apply(primitive, inputs)?.into_iter().next();
        first.ok_or_else(|| Error::new(Code::Internal, "a primitive without an output"))
    }

    /// Whether [`Engine::elementwise`] ever returns a tensor.
    const HAS_ELEMENTWISE: bool = false;

    /// A function of one tensor, or of two, and the bytes of its elements. It equals [`Engine::apply_one`] to the bit, and shares
    /// memory with no input. `None` unless the tensors have one shape and a floating dtype, and if the function fails: then
    /// [`Engine::apply_one`] has the error.
    fn elementwise(
        &self,
        _function: Elementwise,
        _inputs: (&Self::Tensor, Option<&Self::Tensor>),
        _spare: &mut Self::Spare,
    ) -> Option<(Self::Tensor, usize)> {
        None
    }

    /// Ends the life of a handle of a tensor.
    fn end(&self, tensor: Self::Tensor, _spare: &mut Self::Spare) {
        drop(tensor);
    }

    /// The tensor, or a copy of it in the graph if it shares memory with one of the others.
    fn unshared(&self, tensor: Self::Tensor, others: &[&Self::Tensor]) -> Result<Self::Tensor>;

    /// `input [*, in]` times `weight [out, in]` transposed, plus `bias [out]`.
    fn linear(&self, input: &Self::Tensor, weight: &Self::Tensor, bias: Option<&Self::Tensor>) -> Result<Self::Tensor>;
    /// The elements in another shape.
    fn reshape(&self, input: &Self::Tensor, shape: &[usize]) -> Result<Self::Tensor>;
    /// A copy of the rows at `indices`, in that order, along dimension 0; cut off from the graph.
    fn index_select(&self, tensor: &Self::Tensor, indices: &[usize]) -> Result<Self::Tensor>;
    /// As [`Engine::index_select`], on a device.
    fn batch(&self, tensor: &Self::Tensor, indices: &[usize], device: Device) -> Result<Self::Tensor> {
        let rows = self.index_select(tensor, indices)?;
        if !Self::HAS_DEVICES || self.device(&rows)? == device {
            return Ok(rows);
        }
        self.convert(&rows, self.dtype(&rows)?, device)
    }
    /// An elementwise function.
    fn activation(&self, input: &Self::Tensor, activation: Activation) -> Result<Self::Tensor>;
    /// The elementwise product of two tensors of one shape.
    fn multiply(&self, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor>;
    /// `input [n, c, *]` normalised over everything but `c`.
    fn batch_norm(&self, input: &Self::Tensor, norm: &BatchNorm<'_, Self::Tensor>) -> Result<Self::Tensor>;
    /// `input` normalised over its last dimensions, which have the sizes in `shape`.
    fn layer_norm(
        &self,
        input: &Self::Tensor,
        shape: &[usize],
        weight: Option<&Self::Tensor>,
        bias: Option<&Self::Tensor>,
        eps: f64,
    ) -> Result<Self::Tensor>;
    /// The rows of `weight [rows, columns]` at `indices [*]`, a long tensor: `[*, columns]`.
    fn embedding(&self, weight: &Self::Tensor, indices: &Self::Tensor) -> Result<Self::Tensor>;
    /// The loss of `input` and `target`.
    fn loss(
        &self,
        loss: Loss,
        input: &Self::Tensor,
        target: &Self::Tensor,
        reduction: Reduction,
    ) -> Result<Self::Tensor>;
}
