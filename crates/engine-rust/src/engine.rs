//! The implementation of `trait Engine` in Rust alone.

#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::Ordering;

use stepwell_optim::{Code, Error, Result, Shared, View};
#[cfg(not(target_family = "wasm"))]
use stepwell_optim::{state_memory, take_state_memory};
use stepwell_session::{
    Activation, BatchNorm, BusyGuard, CallBackward, Data, Device, Dtype, Engine, Loss, Primitive, Reduction, Slice,
    SliceMut,
};

use crate::autograd::graph::Autograd;
#[cfg(not(target_family = "wasm"))]
use crate::autograd::reaches;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::{busy_error, engine_error, internal_error};
use crate::memory::element_count;
use crate::operations::{
    activations, batch_norm, called_function, embedding, layer_norm, linear, multiply, reshape, select,
};
#[cfg(not(target_family = "wasm"))]
use crate::parallel::threads;
use crate::{losses, parameter_views, primitives};

/// Tensors with autograd in Rust alone, on the CPU and on one thread.
#[derive(Clone)]
pub struct RustEngine {
    autograd: Shared<Autograd>,
}

impl RustEngine {
    /// In bytes: half of the address space of WebAssembly. Natively the system sets the limit.
    const DEFAULT_BUDGET: usize = if cfg!(target_arch = "wasm32") { 1 << 31 } else { usize::MAX };

    /// An engine with the default memory budget.
    pub fn new() -> Self {
        #[cfg(not(target_family = "wasm"))]
        stepwell_optim::fallible::set_memory_check(stepwell_memory::may_allocate);
        Self::with_budget(Self::DEFAULT_BUDGET)
    }

    /// An engine whose tensors and optimizer states together take at most `bytes` bytes. More is an error with the code
    /// [`Code::Memory`].
    pub fn with_budget(bytes: usize) -> Self {
        Self { autograd: Shared::new(Autograd::new(bytes)) }
    }

    fn not_busy(&self) -> Result<()> {
        if BusyGuard::is_held() { Err(busy_error()) } else { Ok(()) }
    }
}

impl Default for RustEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for RustEngine {
    type Tensor = Tensor;
    /// Nothing is cached: the checks of this engine are fast.
    type ViewCache = ();
    type Spare = ();

    fn require(&self, device: Device) -> Result<()> {
        match device {
            Device::Cpu => Ok(()),
            Device::Cuda(_) => {
                let message = format_args!(
                    "device {device} cannot be used: this engine computes on the CPU alone, use cpu, or Stepwell on Node with libtorch"
                );
                Err(Error::new(Code::Device, message))
            }
        }
    }

    #[cfg(not(target_family = "wasm"))]
    fn threads(&self) -> usize {
        threads::used()
    }

    #[cfg(not(target_family = "wasm"))]
    fn thread_limit(&self) -> usize {
        threads::limit()
    }

    #[cfg(not(target_family = "wasm"))]
    fn set_threads(&self, threads: usize) -> Result<()> {
        threads::set(threads);
        Ok(())
    }

    #[cfg(target_family = "wasm")]
    fn memory_limit(&self, _: usize) -> usize {
        self.autograd.budget.tensor_limit()
    }

    #[cfg(not(target_family = "wasm"))]
    fn memory_limit(&self, wanted: usize) -> usize {
        self.autograd.budget.tensor_limit().min(stepwell_memory::tensor_limit(wanted))
    }

    fn tensor(&self, data: &Data, shape: &[usize], device: Device) -> Result<Tensor> {
        self.require(device)?;
        let count = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
        if count != Some(data.len()) {
            let message = format_args!("expected as many elements as shape {shape:?} has, given {}", data.len());
            return Err(Error::new(Code::Shape, message));
        }
        Ok(self.autograd.leaf(shape, Buffer::from_data(&self.autograd.budget, data)?))
    }

    fn full(&self, element: &Data, shape: &[usize], device: Device) -> Result<Tensor> {
        self.require(device)?;
        Ok(self.autograd.leaf(shape, Buffer::full(&self.autograd.budget, element, element_count(shape)?)?))
    }

    fn data(&self, tensor: &Tensor) -> Result<Data> {
        tensor.storage().read()?.to_data()
    }

    fn assign(&self, tensor: &Tensor, data: &Data) -> Result<()> {
        self.not_busy()?;
        check_assignable(tensor, data.dtype(), data.len())?;
        let storage = tensor.storage();
        match (&mut *storage.write()?, data) {
            (Buffer::Float(elements), Data::Float(data)) => elements.copy_from_slice(data),
            (Buffer::Double(elements), Data::Double(data)) => elements.copy_from_slice(data),
            (Buffer::Long(elements), Data::Long(data)) => elements.copy_from_slice(data),
            (Buffer::Bool(elements), Data::Bool(data)) => elements.copy_from_slice(data),
            _ => return Err(storage_dtype_error()),
        }
        Ok(())
    }

    fn read_into(&self, tensor: &Tensor, to: SliceMut<'_>) -> Result<()> {
        to.check(tensor.dtype(), tensor.len())?;
        let storage = tensor.storage();
        match (&*storage.read()?, to) {
            (Buffer::Float(elements), SliceMut::Float(to)) => to.copy_from_slice(elements),
            (Buffer::Double(elements), SliceMut::Double(to)) => to.copy_from_slice(elements),
            _ => return Err(storage_dtype_error()),
        }
        Ok(())
    }

    fn write_from(&self, tensor: &Tensor, from: Slice<'_>) -> Result<()> {
        self.not_busy()?;
        let length = match from {
            Slice::Float(elements) => elements.len(),
            Slice::Double(elements) => elements.len(),
        };
        check_assignable(tensor, from.dtype(), length)?;
        let storage = tensor.storage();
        match (&mut *storage.write()?, from) {
            (Buffer::Float(elements), Slice::Float(from)) => elements.copy_from_slice(from),
            (Buffer::Double(elements), Slice::Double(from)) => elements.copy_from_slice(from),
            _ => return Err(storage_dtype_error()),
        }
        Ok(())
    }

    fn copy(&self, from: &Tensor, to: &Tensor) -> Result<()> {
        self.not_busy()?;
        let (from, to) = (from.storage(), to.storage());
        // A shared storage needs no copy.
        if Shared::ptr_eq(&from, &to) || to.write()?.copy_from(&*from.read()?) {
            Ok(())
        } else {
            Err(storage_dtype_error())
        }
    }

    fn convert(&self, tensor: &Tensor, dtype: Dtype, device: Device) -> Result<Tensor> {
        self.require(device)?;
        let copy = tensor.storage().read()?.convert(&self.autograd.budget, dtype)?;
        Ok(self.autograd.leaf(&tensor.shape(), copy))
    }

    fn replace(&self, tensor: &Tensor, source: &Tensor) -> Result<()> {
        self.not_busy()?;
        tensor.replace(source);
        Ok(())
    }

    fn shape(&self, tensor: &Tensor) -> Result<Vec<usize>> {
        Ok(tensor.shape().to_vec())
    }

    fn dtype(&self, tensor: &Tensor) -> Result<Dtype> {
        Ok(tensor.dtype())
    }

    fn device(&self, _: &Tensor) -> Result<Device> {
        Ok(Device::Cpu)
    }

    fn identity(&self, tensor: &Tensor) -> u64 {
        tensor.identity()
    }

    fn is_leaf(&self, tensor: &Tensor) -> bool {
        tensor.grad_fn().is_none()
    }

    fn requires_grad(&self, tensor: &Tensor) -> bool {
        tensor.requires_grad()
    }

    fn set_requires_grad(&self, tensor: &Tensor, flag: bool) -> Result<()> {
        if !self.is_leaf(tensor) {
            return Err(Error::new(Code::Argument, "only a leaf tensor's flag can be set"));
        }
        if flag && !tensor.dtype().is_floating() {
            return Err(engine_error("only tensors of floating point can require gradients"));
        }
        tensor.set_requires_grad(flag);
        Ok(())
    }

    fn grad(&self, tensor: &Tensor) -> Option<Tensor> {
        tensor.grad()
    }

    fn set_grad(&self, tensor: &Tensor, grad: Option<&Tensor>) -> Result<()> {
        self.not_busy()?;
        if grad.is_some_and(|grad| grad.identity() == tensor.identity()) {
            return Err(Error::new(Code::Gradient, "a tensor cannot be its own gradient"));
        }
        tensor.set_grad(grad.map(|grad| match grad.requires_grad() {
            true => self.autograd.leaf_over(&grad.shape(), grad.dtype(), grad.storage()),
            false => grad.clone(),
        }));
        Ok(())
    }

    fn zero_grad(&self, tensor: &Tensor) -> Result<()> {
        self.not_busy()?;
        let Some(gradient) = tensor.grad() else { return Ok(()) };
        gradient.storage().write()?.fill_zero();
        Ok(())
    }

    fn backward(&self, tensor: &Tensor, seed: f64) -> Result<()> {
        self.not_busy()?;
        self.autograd.backward(tensor, seed)
    }

    fn backward_calling(&self, tensor: &Tensor, seed: f64, call: &mut CallBackward<'_, Tensor>) -> Result<()> {
        self.not_busy()?;
        self.autograd.backward_calling(tensor, seed, call)
    }

    fn with_backward(&self, function: u64, marker: &Tensor, inputs: &[Tensor], output: &Tensor) -> Result<Tensor> {
        called_function::with_backward(&self.autograd, function, marker, inputs, output)
    }

    fn storage(&self, tensor: &Tensor) -> u64 {
        Shared::as_ptr(&tensor.storage()) as *const () as u64
    }

    fn is_shared(&self, tensor: &Tensor) -> bool {
        tensor.is_shared()
    }

    fn no_grad<R>(&self, f: impl FnOnce() -> R) -> R {
        self.autograd.without_recording(f)
    }

    fn with_parameter_views(
        &self,
        parameters: &[Tensor],
        name: &dyn Fn(usize) -> String,
        (): &mut (),
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
    ) -> Result<()> {
        self.not_busy()?;
        parameter_views::with_parameter_views(&self.autograd.budget, parameters, name, zero_grad, step)
    }

    #[cfg(not(target_family = "wasm"))]
    fn bytes_held(&self) -> usize {
        // The budget counts tensors of all threads of a session, and the core of optimizers the states of one thread.
        let moved = self.autograd.moved_bytes.load(Ordering::Relaxed);
        self.autograd.budget.allocated().saturating_add(state_memory()).saturating_add_signed(moved as isize)
    }

    #[cfg(not(target_family = "wasm"))]
    fn take_bytes_held(&self) -> i64 {
        take_state_memory()
    }

    #[cfg(not(target_family = "wasm"))]
    fn add_bytes_held(&self, bytes: i64) {
        self.autograd.moved_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    #[cfg(not(target_family = "wasm"))]
    fn reaches(&self, tensor: &Tensor, identities: &[u64]) -> Result<bool> {
        reaches::reaches(tensor, identities)
    }

    fn apply(&self, primitive: &Primitive, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        primitives::apply(&self.autograd, primitive, inputs)
    }

    fn unshared(&self, tensor: Tensor, others: &[&Tensor]) -> Result<Tensor> {
        let storage = tensor.storage();
        match others.iter().any(|other| Shared::ptr_eq(&storage, &other.storage())) {
            true => reshape::copy(&self.autograd, &tensor),
            false => Ok(tensor),
        }
    }

    fn linear(&self, input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        linear::linear(&self.autograd, input, weight, bias)
    }

    fn reshape(&self, input: &Tensor, shape: &[usize]) -> Result<Tensor> {
        reshape::reshape(&self.autograd, input, shape)
    }

    fn index_select(&self, tensor: &Tensor, indices: &[usize]) -> Result<Tensor> {
        select::select(&self.autograd, tensor, indices)
    }

    fn activation(&self, input: &Tensor, activation: Activation) -> Result<Tensor> {
        activations::activation(&self.autograd, input, activation)
    }

    fn multiply(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        multiply::multiply(&self.autograd, a, b)
    }

    fn batch_norm(&self, input: &Tensor, norm: &BatchNorm<'_, Tensor>) -> Result<Tensor> {
        self.not_busy()?;
        batch_norm::batch_norm(&self.autograd, input, norm)
    }

    fn layer_norm(
        &self,
        input: &Tensor,
        shape: &[usize],
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        layer_norm::layer_norm(&self.autograd, input, shape, weight, bias, eps)
    }

    fn embedding(&self, weight: &Tensor, indices: &Tensor) -> Result<Tensor> {
        embedding::embedding(&self.autograd, weight, indices)
    }

    fn loss(&self, loss: Loss, input: &Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        losses::loss(&self.autograd, loss, input, target, reduction)
    }
}

/// Fails unless the tensor has this dtype and this number of elements.
fn check_assignable(tensor: &Tensor, dtype: Dtype, length: usize) -> Result<()> {
    if dtype != tensor.dtype() {
        let (expected, given) = (tensor.dtype().name(), dtype.name());
        return Err(Error::new(Code::Dtype, format_args!("expected elements of dtype {expected}, given {given}")));
    }
    if length != tensor.len() {
        let message = format_args!("expected as many elements as shape {:?} has, given {length}", tensor.shape());
        return Err(Error::new(Code::Shape, message));
    }
    Ok(())
}

fn storage_dtype_error() -> Error {
    internal_error("a tensor has elements of another dtype than its metadata")
}
