//! The implementation of `trait Engine` on libtorch.

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_optim::fallible::{collected, copied, set_memory_check};
use stepwell_optim::{Code, Definition, DeviceView, Error, Outcome, Result, View, state_memory, take_state_memory};
use stepwell_session::{
    Activation, BatchNorm, CallBackward, CudaReport, Data, Device, DeviceMemoryUse, DeviceStep, Dtype, Elementwise,
    Engine, GroupSettings, LibraryOptimizer, LinearAlgebra, LinearOptions, Loss, Placement, Primitive, ProcessGroup,
    Reduction, Session, Slice, SliceMut,
};

use crate::descriptors::bump;
use crate::devices::{Devices, HostDevices, StepDevices};
use crate::elementwise::SpareTensors;
use crate::error::{check_not_busy, from_tch};
use crate::library::optimizer;
use crate::parameter_views::flat_vector;
use crate::parameter_views::view_cache::ViewCache;
use crate::process_group::TorchGroup;
use crate::tensor::{Tensor, kind, sizes};
use crate::{cuda, shim, threads};
use crate::{linear_algebra, primitives};

// A job moves objects of a session to another thread (decision 0028).
const _: fn() = || {
    fn moves_between_threads<T: Send>() {}
    moves_between_threads::<Session<TorchEngine>>();
};

/// libtorch on the CPU and on CUDA devices.
#[derive(Clone, Debug)]
pub struct TorchEngine {
    devices: Arc<Devices>,
    /// The processes of the training, for every clone of the engine.
    group: Arc<Mutex<Option<Arc<TorchGroup>>>>,
    /// False for an engine of tests whose tensors are reached by copies only.
    lends_memory: bool,
}

impl TorchEngine {
    /// An engine. Installs the allocator of the process at the first call.
    pub fn new() -> Self {
        shim::use_allocator();
        set_memory_check(stepwell_memory::may_allocate);
        Self { devices: Arc::default(), group: Arc::default(), lends_memory: true }
    }

    /// An engine that does not lend the memory of its tensors to a step, as if they were on a device, for tests.
    #[doc(hidden)]
    pub fn without_lending() -> Self {
        Self { lends_memory: false, ..Self::new() }
    }

    /// An engine whose tensors on the CPU count as tensors of devices, for tests.
    #[doc(hidden)]
    pub fn with_host_devices(devices: HostDevices) -> Self {
        Self { devices: Arc::new(Devices::with_host_devices(devices)), ..Self::new() }
    }

    /// The first byte of the elements and how many there are, if they are in host memory in row-major order. Not every bit pattern
    /// is a boolean.
    fn host_bytes(&self, tensor: &Tensor) -> Result<Option<(*mut u8, usize)>> {
        let (dtype, length) = (tensor.dtype()?, self.byte_count(tensor)?);
        let is_host = self.lends_memory && tensor.device()? == Device::Cpu && tensor.as_ref().is_contiguous();
        if !is_host || dtype == Dtype::Bool || length == 0 {
            return Ok(None);
        }
        let first = shim::data(tensor.tensor_ref())?.cast_mut().cast::<u8>();
        Ok((!first.is_null()).then_some((first, length)))
    }

    /// Overwrites the elements with the elements of a tensor that `source` makes from the shape. Allocates no memory for them.
    fn overwrite(
        &self,
        tensor: &Tensor,
        given: Dtype,
        source: impl FnOnce(&[usize]) -> Result<tch::Tensor>,
    ) -> Result<()> {
        check_not_busy()?;
        let dtype = tensor.dtype()?;
        if given != dtype {
            let (expected, given) = (dtype.name(), given.name());
            return Err(Error::new(Code::Dtype, format!("expected elements of dtype {expected}, given {given}")));
        }
        let source = source(&tensor.shape()?)?;
        let _guard = tch::no_grad_guard();
        tensor.writer().f_copy_(&source).map_err(from_tch)
    }
}

impl Default for TorchEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for TorchEngine {
    type Tensor = Tensor;
    type ViewCache = ViewCache;
    type Spare = SpareTensors;

    fn require(&self, device: Device) -> Result<()> {
        cuda::require(device)
    }

    fn cuda_report(&self) -> Result<CudaReport> {
        cuda::report()
    }

    fn synchronize(&self, device: Device) -> Result<()> {
        cuda::synchronize(device)
    }

    fn device_memory(&self, device: Device) -> Result<Option<DeviceMemoryUse>> {
        cuda::device_memory(device)
    }

    fn connect(&self, settings: &GroupSettings) -> Result<()> {
        let group = TorchGroup::connect(settings, self.devices.are_on_the_host())?;
        *self.group.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(group));
        Ok(())
    }

    fn disconnect(&self) {
        if let Some(group) = self.group.lock().unwrap_or_else(PoisonError::into_inner).take() {
            group.end();
        }
    }

    fn process_group(&self) -> Option<Arc<dyn ProcessGroup<Tensor>>> {
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(group)
    }

    fn memory_limit(&self, wanted: usize) -> usize {
        stepwell_memory::tensor_limit(wanted)
    }

    fn tensor(&self, data: &Data, shape: &[usize], device: Device) -> Result<Tensor> {
        self.require(device)?;
        let tensor = Tensor::from_data(data, shape)?;
        match device {
            Device::Cpu => Ok(tensor),
            Device::Cuda(_) => Tensor::from_tch(tensor.as_ref().f_to(on(device))),
        }
    }

    fn full(&self, element: &Data, shape: &[usize], device: Device) -> Result<Tensor> {
        self.require(device)?;
        let element = self.tensor(element, &[], device)?;
        // Not `f_full`: tch panics if it fails, when it drops the scalar.
        let mut full = tch::Tensor::f_empty(sizes(shape)?, (kind(element.dtype()?), on(device))).map_err(from_tch)?;
        Tensor::from_tch(full.f_fill_tensor_(element.as_ref()))
    }

    fn blank(&self, dtype: Dtype, shape: &[usize]) -> Result<Tensor> {
        // Not every bit pattern is a boolean.
        if dtype == Dtype::Bool {
            return self.full(&Data::Bool(vec![false]), shape, Device::Cpu);
        }
        Tensor::from_tch(tch::Tensor::f_empty(sizes(shape)?, (kind(dtype), on(Device::Cpu))))
    }

    fn data(&self, tensor: &Tensor) -> Result<Data> {
        tensor.to_data()
    }

    fn assign(&self, tensor: &Tensor, data: &Data) -> Result<()> {
        // SAFETY: the data is borrowed until the elements have been copied.
        self.overwrite(tensor, data.dtype(), |shape| unsafe { Tensor::over_data(data, shape) })
    }

    fn increment(&self, tensor: &Tensor) -> Result<()> {
        check_not_busy()?;
        // Not `f_add_scalar_`: tch panics if it fails, when it drops the scalar.
        let one = tensor.like_with_data(&Data::Long(vec![1]))?;
        tensor.writer().f_add_(one.as_ref()).map(drop).map_err(from_tch)
    }

    fn read_into(&self, tensor: &Tensor, to: SliceMut<'_>) -> Result<()> {
        tensor.read_into(to)
    }

    fn write_from(&self, tensor: &Tensor, from: Slice<'_>) -> Result<()> {
        // SAFETY: the slice is borrowed until the elements have been copied.
        self.overwrite(tensor, from.dtype(), |shape| unsafe { Tensor::over_slice(from, shape) })
    }

    fn with_bytes(&self, tensor: &Tensor, read: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let Some((first, length)) = self.host_bytes(tensor)? else { return Ok(false) };
        // SAFETY: so many bytes from there on are the elements of a live tensor, which no other code writes during the call.
        read(unsafe { slice::from_raw_parts(first, length) }).map(|()| true)
    }

    fn with_bytes_mut(&self, tensor: &Tensor, write: &mut dyn FnMut(&mut [u8]) -> Result<()>) -> Result<bool> {
        check_not_busy()?;
        let Some((first, length)) = self.host_bytes(tensor)? else { return Ok(false) };
        bump(&[tensor.tensor_ref()], None)?;
        // SAFETY: as above; `write` alone uses the elements.
        write(unsafe { slice::from_raw_parts_mut(first, length) }).map(|()| true)
    }

    fn copy(&self, from: &Tensor, to: &Tensor) -> Result<()> {
        self.overwrite(to, from.dtype()?, |_| Ok(from.writer()))
    }

    fn convert(&self, tensor: &Tensor, dtype: Dtype, device: Device) -> Result<Tensor> {
        self.require(device)?;
        let _guard = tch::no_grad_guard();
        let copy = tensor.as_ref().f_to_device_(on(device), kind(dtype), false, true).map_err(from_tch)?;
        Tensor::from_tch(copy.f_contiguous())
    }

    fn replace(&self, tensor: &Tensor, source: &Tensor) -> Result<()> {
        check_not_busy()?;
        shim::replace(tensor.tensor_ref(), source.tensor_ref())
    }

    fn shape(&self, tensor: &Tensor) -> Result<Vec<usize>> {
        tensor.shape()
    }

    fn dtype(&self, tensor: &Tensor) -> Result<Dtype> {
        tensor.dtype()
    }

    fn device(&self, tensor: &Tensor) -> Result<Device> {
        tensor.device()
    }

    fn byte_count(&self, tensor: &Tensor) -> Result<usize> {
        Ok(shim::elements(tensor.tensor_ref()) * tensor.dtype()?.size())
    }

    fn has_shape_of(&self, a: &Tensor, b: &Tensor) -> Result<bool> {
        Ok(shim::has_shape_of(a.tensor_ref(), b.tensor_ref()))
    }

    fn identity(&self, tensor: &Tensor) -> u64 {
        shim::identity(tensor.tensor_ref())
    }

    fn is_leaf(&self, tensor: &Tensor) -> bool {
        shim::describe(tensor.tensor_ref()).is_ok_and(|info| info.is_leaf())
    }

    fn requires_grad(&self, tensor: &Tensor) -> bool {
        shim::describe(tensor.tensor_ref()).is_ok_and(|info| info.requires_grad())
    }

    fn set_requires_grad(&self, tensor: &Tensor, flag: bool) -> Result<()> {
        if !self.is_leaf(tensor) {
            return Err(Error::new(Code::Argument, "only a leaf tensor's flag can be set"));
        }
        #[expect(clippy::disallowed_methods, reason = "within change_metadata")]
        tensor.change_metadata(|tensor| tensor.f_requires_grad_(flag).map(drop)).map_err(from_tch)
    }

    fn grad(&self, tensor: &Tensor) -> Option<Tensor> {
        Tensor::from_tch(Ok(shim::grad(tensor.tensor_ref()).ok()??)).ok()
    }

    fn set_grad(&self, tensor: &Tensor, grad: Option<&Tensor>) -> Result<()> {
        check_not_busy()?;
        if grad.is_some_and(|grad| self.identity(grad) == self.identity(tensor)) {
            return Err(Error::new(Code::Gradient, "a tensor cannot be its own gradient"));
        }
        shim::set_grad(tensor.tensor_ref(), grad.map(Tensor::tensor_ref))
    }

    fn zero_grad(&self, tensor: &Tensor) -> Result<()> {
        check_not_busy()?;
        let Some(mut gradient) = shim::grad(tensor.tensor_ref())? else { return Ok(()) };
        let _guard = tch::no_grad_guard();
        gradient.f_zero_().map(drop).map_err(from_tch)
    }

    fn backward(&self, tensor: &Tensor, seed: f64) -> Result<()> {
        let refuse = || Error::new(Code::Internal, "a function of the caller that cannot be called");
        self.backward_calling(tensor, seed, &mut |_, _, _| Err(refuse()))
    }

    fn backward_calling(&self, tensor: &Tensor, seed: f64, call: &mut CallBackward<'_, Tensor>) -> Result<()> {
        check_not_busy()?;
        // Without a root gradient, libtorch uses 1.
        let gradient = if seed == 1.0 { None } else { Some(root_gradient(tensor, seed)?) };
        let mut call = |function: u64, gradient: &tch::Tensor, inputs: &[tch::Tensor]| {
            let shared = |tensor: &tch::Tensor| Tensor::try_from(tensor.shallow_clone());
            let inputs = inputs.iter().map(shared).collect::<Result<Vec<_>>>()?;
            let gradients = call(function, &shared(gradient)?, &inputs)?;
            Ok(gradients.into_iter().map(|gradient| Some(gradient?.as_ref().shallow_clone())).collect())
        };
        shim::backward(tensor.tensor_ref(), gradient.as_ref().map(Tensor::tensor_ref), &mut call)
    }

    fn with_backward(&self, function: u64, marker: &Tensor, inputs: &[Tensor], output: &Tensor) -> Result<Tensor> {
        let inputs: Vec<_> = inputs.iter().map(Tensor::tensor_ref).collect();
        shim::with_backward(function, marker.tensor_ref(), &inputs, output.tensor_ref())?.try_into()
    }

    fn storage(&self, tensor: &Tensor) -> u64 {
        shim::storage(tensor.tensor_ref())
    }

    fn is_shared(&self, tensor: &Tensor) -> bool {
        !tensor.is_only_handle() || shim::is_shared(tensor.tensor_ref())
    }

    fn no_grad<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = tch::no_grad_guard();
        f()
    }

    fn with_parameter_views(
        &self,
        parameters: &[Tensor],
        name: &dyn Fn(usize) -> String,
        cache: &mut ViewCache,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
    ) -> Result<()> {
        if !self.lends_memory {
            return Err(Error::new(Code::Device, "the parameters are not on the CPU"));
        }
        cache.with_parameter_views(parameters, name, zero_grad, step)
    }

    const HAS_DEVICES: bool = true;

    fn placement(&self, parameters: &[Tensor], cache: &mut ViewCache) -> Result<Placement> {
        Ok(self.devices.placement(parameters.len(), cache.devices(parameters)?))
    }

    fn with_device_views(
        &self,
        parameters: &[Tensor],
        name: &dyn Fn(usize) -> String,
        cache: &mut ViewCache,
        zero_grad: bool,
        step: &mut DeviceStep<'_>,
    ) -> Result<()> {
        let numbers = copied(cache.devices(parameters)?)?;
        let StepDevices { devices, host } = self.devices.step_devices(&numbers, parameters.len())?;
        // The devices have the order of their numbers.
        let index = |parameter: usize, number| match host.get(parameter) {
            Some(index) => *index,
            None => numbers.iter().position(|other| *other == number).unwrap_or_default(),
        };
        let step = &mut |views: &[Option<DeviceView>]| step(&devices, views);
        cache.with_device_views(parameters, (&numbers, &index), name, zero_grad, step)
    }

    fn step_devices(
        &self,
        parameters: &[Tensor],
        cache: &mut ViewCache,
    ) -> Result<Vec<Arc<dyn stepwell_optim::Device>>> {
        Ok(self.devices.step_devices(cache.devices(parameters)?, parameters.len())?.devices)
    }

    fn gather(&self, pieces: &[(usize, Tensor)], to: u64) -> Result<()> {
        flat_vector::gather(pieces, to)
    }

    fn scatter(&self, from: u64, pieces: &[(usize, Tensor)]) -> Result<()> {
        check_not_busy()?;
        flat_vector::scatter(from, pieces)
    }

    const HAS_STAGING: bool = true;

    fn with_staged_views(
        &self,
        parameters: &[Tensor],
        name: &dyn Fn(usize) -> String,
        cache: &mut ViewCache,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<Outcome>,
    ) -> Result<()> {
        cache.with_staged_views(parameters, name, zero_grad, step)
    }

    fn bytes_held(&self) -> usize {
        shim::bytes_held() + state_memory()
    }

    fn take_bytes_held(&self) -> i64 {
        shim::take_bytes_held() + take_state_memory()
    }

    fn add_bytes_held(&self, bytes: i64) {
        shim::add_bytes_held(bytes);
        // Another thread may have written to tensors of graphs of this one.
        shim::elements_written();
    }

    fn reaches(&self, tensor: &Tensor, identities: &[u64]) -> Result<bool> {
        shim::reaches(tensor.tensor_ref(), identities)
    }

    fn enter(&self) {
        threads::enter();
    }

    fn threads(&self) -> usize {
        threads::used()
    }

    fn thread_limit(&self) -> usize {
        threads::limit()
    }

    fn set_threads(&self, threads: usize) -> Result<()> {
        threads::set(threads);
        Ok(())
    }

    const HAS_REDUCED: bool = true;
    const HAS_OPTIMIZERS: bool = true;

    fn library_optimizer(&self, definition: &'static Definition) -> Result<LibraryOptimizer<Tensor>> {
        optimizer::optimizer(definition)
    }

    fn apply(&self, primitive: &Primitive, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        primitives::apply(primitive, inputs)
    }

    const HAS_LINEAR_ALGEBRA: bool = true;

    fn linear_algebra(
        &self,
        function: LinearAlgebra,
        inputs: &[&Tensor],
        options: &LinearOptions,
    ) -> Result<Vec<Tensor>> {
        linear_algebra::apply(function, inputs, options)
    }

    fn apply_one(&self, primitive: &Primitive, inputs: &[&Tensor]) -> Result<Tensor> {
        primitives::apply_one(primitive, inputs)
    }

    const HAS_ELEMENTWISE: bool = true;

    fn elementwise(
        &self,
        function: Elementwise,
        inputs: (&Tensor, Option<&Tensor>),
        spare: &mut SpareTensors,
    ) -> Option<(Tensor, usize)> {
        match (function, inputs) {
            (Elementwise::Unary(function), (x, None)) => spare.unary(function, x),
            (Elementwise::Binary(function), (a, Some(b))) => spare.binary(function, a, b),
            _ => None,
        }
    }

    fn end(&self, tensor: Tensor, spare: &mut SpareTensors) {
        spare.take(tensor);
    }

    fn unshared(&self, tensor: Tensor, others: &[&Tensor]) -> Result<Tensor> {
        let storage = self.storage(&tensor);
        match others.iter().any(|other| self.storage(other) == storage) {
            true => Tensor::from_tch(tensor.as_ref().f_alias_copy()),
            false => Ok(tensor),
        }
    }

    fn linear(&self, input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        Tensor::from_tch(input.as_ref().f_linear(weight.as_ref(), bias.map(Tensor::as_ref)))
    }

    fn reshape(&self, input: &Tensor, shape: &[usize]) -> Result<Tensor> {
        Tensor::from_tch(input.as_ref().f_reshape(sizes(shape)?))
    }

    fn index_select(&self, tensor: &Tensor, indices: &[usize]) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let indices = collected(indices.iter().map(|index| *index as i64))?;
        let indices = tch::Tensor::f_from_slice(&indices).map_err(from_tch)?;
        let indices = indices.f_to(on(tensor.device()?)).map_err(from_tch)?;
        Tensor::from_tch(tensor.as_ref().f_index_select(0, &indices))
    }

    fn batch(&self, tensor: &Tensor, indices: &[usize], device: Device) -> Result<Tensor> {
        let rows = self.index_select(tensor, indices)?;
        let from = rows.device()?;
        if from == device {
            return Ok(rows);
        }
        self.require(device)?;
        if from != Device::Cpu {
            return self.convert(&rows, rows.dtype()?, device);
        }
        // From pinned memory the device copies while the program goes on. libtorch keeps that memory until the copy is done.
        let _guard = tch::no_grad_guard();
        let pinned = rows.as_ref().f_pin_memory(on(device)).map_err(from_tch)?;
        Tensor::from_tch(pinned.f_to_device_(on(device), kind(rows.dtype()?), true, false))
    }

    fn activation(&self, input: &Tensor, activation: Activation) -> Result<Tensor> {
        let input = input.as_ref();
        Tensor::from_tch(match activation {
            Activation::Relu => input.f_relu(),
            Activation::Tanh => input.f_tanh(),
            Activation::Sigmoid => input.f_sigmoid(),
            Activation::Gelu { tanh } => input.f_gelu(if tanh { "tanh" } else { "none" }),
        })
    }

    fn multiply(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        Tensor::from_tch(a.as_ref().f_mul(b.as_ref()))
    }

    fn batch_norm(&self, input: &Tensor, norm: &BatchNorm<'_, Tensor>) -> Result<Tensor> {
        check_not_busy()?;
        let [weight, bias] = [norm.weight, norm.bias].map(|tensor| tensor.map(Tensor::as_ref));
        let (mean, variance) = norm.running.map(|(mean, variance)| (mean.as_ref(), variance.as_ref())).unzip();
        Tensor::from_tch(input.as_ref().f_batch_norm(
            weight,
            bias,
            mean,
            variance,
            norm.training,
            norm.momentum,
            norm.eps,
            true,
        ))
    }

    fn layer_norm(
        &self,
        input: &Tensor,
        shape: &[usize],
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        let [weight, bias] = [weight, bias].map(|tensor| tensor.map(Tensor::as_ref));
        Tensor::from_tch(input.as_ref().f_layer_norm(sizes(shape)?, weight, bias, eps, true))
    }

    fn embedding(&self, weight: &Tensor, indices: &Tensor) -> Result<Tensor> {
        const NO_PADDING: i64 = -1;
        Tensor::from_tch(tch::Tensor::f_embedding(weight.as_ref(), indices.as_ref(), NO_PADDING, false, false))
    }

    fn loss(&self, loss: Loss, input: &Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        const WEIGHT: Option<&tch::Tensor> = None;
        let reduction = match reduction {
            Reduction::None => tch::Reduction::None,
            Reduction::Mean => tch::Reduction::Mean,
            Reduction::Sum => tch::Reduction::Sum,
        };
        let (input, target) = (input.as_ref(), target.as_ref());
        Tensor::from_tch(match loss {
            Loss::CrossEntropy { ignore } => input.f_cross_entropy_loss(target, WEIGHT, reduction, ignore, 0.0),
            Loss::Nll { ignore } => input.f_nll_loss_nd(target, WEIGHT, reduction, ignore),
            Loss::Mse => input.f_mse_loss(target, reduction),
            Loss::L1 => input.f_l1_loss(target, reduction),
            Loss::SmoothL1 { beta } => input.f_smooth_l1_loss(target, reduction, beta),
            Loss::Bce => input.f_binary_cross_entropy(target, WEIGHT, reduction),
            Loss::BceWithLogits => input.f_binary_cross_entropy_with_logits(target, WEIGHT, WEIGHT, reduction),
        })
    }
}

/// The gradient of a scalar that a backward starts from: the seed as a tensor with its dtype, shape and device. Fails if the seed
/// is not representable in that dtype.
fn root_gradient(scalar: &Tensor, seed: f64) -> Result<Tensor> {
    let dtype = scalar.dtype()?;
    let data = Data::Double(vec![seed]).cast(dtype)?;
    if let Data::Double(rounded) = data.clone().cast(Dtype::Double)?
        && rounded.iter().any(|x| x.is_finite() != seed.is_finite() || (*x == 0.0) != (seed == 0.0))
    {
        let message = format!("a gradient to start from is beyond the range of {}, given {seed:e}", dtype.name());
        return Err(Error::new(Code::Gradient, message));
    }
    scalar.like_with_data(&data)
}

fn on(device: Device) -> tch::Device {
    match device {
        Device::Cpu => tch::Device::Cpu,
        Device::Cuda(index) => tch::Device::Cuda(index),
    }
}
