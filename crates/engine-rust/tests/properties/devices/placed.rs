//! An engine whose tensors are on a device, and which refuses every operation on tensors of several devices. Their elements are in
//! host memory, and reached by copies.

use std::sync::{Arc, Mutex};

use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Error, Result, View};
use stepwell_session::{Activation, BatchNorm, Data, Device, Dtype, Engine, Loss, Primitive, Reduction};

type Inner = <RustEngine as Engine>::Tensor;

/// A tensor with its device, which all clones share.
#[derive(Clone)]
pub(crate) struct Placed {
    inner: Inner,
    device: Arc<Mutex<Device>>,
}

impl Placed {
    fn new(inner: Inner, device: Device) -> Self {
        Self { inner, device: Arc::new(Mutex::new(device)) }
    }

    fn device(&self) -> Device {
        *self.device.lock().unwrap()
    }
}

/// The device double with two CUDA devices.
#[derive(Clone)]
pub(crate) struct PlacedEngine(pub(crate) RustEngine);

/// The text of the error for tensors on several devices. The session must never cause it.
pub(crate) const MIXED: &str = "an operation on tensors of several devices";

fn common<'a>(tensors: impl IntoIterator<Item = Option<&'a Placed>>) -> Result<Device> {
    let mut devices = tensors.into_iter().flatten().map(|tensor| tensor.device());
    let first = devices.next().unwrap_or(Device::Cpu);
    if devices.all(|device| device == first) { Ok(first) } else { Err(Error::new(Code::Internal, MIXED)) }
}

impl Engine for PlacedEngine {
    type Tensor = Placed;
    type ViewCache = <RustEngine as Engine>::ViewCache;
    type Spare = <RustEngine as Engine>::Spare;
    const HAS_DEVICES: bool = true;

    fn require(&self, device: Device) -> Result<()> {
        match device {
            Device::Cpu | Device::Cuda(0 | 1) => Ok(()),
            Device::Cuda(_) => Err(Error::new(Code::Device, format!("device {device} cannot be used: there are two"))),
        }
    }
    fn memory_limit(&self, wanted: usize) -> usize {
        self.0.memory_limit(wanted)
    }
    fn tensor(&self, data: &Data, shape: &[usize], device: Device) -> Result<Placed> {
        self.require(device)?;
        Ok(Placed::new(self.0.tensor(data, shape, Device::Cpu)?, device))
    }
    fn full(&self, element: &Data, shape: &[usize], device: Device) -> Result<Placed> {
        self.require(device)?;
        Ok(Placed::new(self.0.full(element, shape, Device::Cpu)?, device))
    }
    fn data(&self, tensor: &Placed) -> Result<Data> {
        self.0.data(&tensor.inner)
    }
    fn assign(&self, tensor: &Placed, data: &Data) -> Result<()> {
        self.0.assign(&tensor.inner, data)
    }
    fn unshared(&self, tensor: Placed, others: &[&Placed]) -> Result<Placed> {
        let others: Vec<_> = others.iter().map(|other| &other.inner).collect();
        Ok(Placed::new(self.0.unshared(tensor.inner.clone(), &others)?, tensor.device()))
    }
    fn storage(&self, tensor: &Placed) -> u64 {
        self.0.storage(&tensor.inner)
    }
    fn copy(&self, from: &Placed, to: &Placed) -> Result<()> {
        common([Some(from), Some(to)])?;
        self.0.copy(&from.inner, &to.inner)
    }
    fn convert(&self, tensor: &Placed, dtype: Dtype, device: Device) -> Result<Placed> {
        self.require(device)?;
        Ok(Placed::new(self.0.convert(&tensor.inner, dtype, Device::Cpu)?, device))
    }
    fn replace(&self, tensor: &Placed, source: &Placed) -> Result<()> {
        let device = source.device();
        *tensor.device.lock().unwrap() = device;
        self.0.replace(&tensor.inner, &source.inner)
    }
    fn shape(&self, tensor: &Placed) -> Result<Vec<usize>> {
        self.0.shape(&tensor.inner)
    }
    fn dtype(&self, tensor: &Placed) -> Result<Dtype> {
        self.0.dtype(&tensor.inner)
    }
    fn device(&self, tensor: &Placed) -> Result<Device> {
        Ok(tensor.device())
    }
    fn identity(&self, tensor: &Placed) -> u64 {
        self.0.identity(&tensor.inner)
    }
    fn is_leaf(&self, tensor: &Placed) -> bool {
        self.0.is_leaf(&tensor.inner)
    }
    fn requires_grad(&self, tensor: &Placed) -> bool {
        self.0.requires_grad(&tensor.inner)
    }
    fn set_requires_grad(&self, tensor: &Placed, flag: bool) -> Result<()> {
        self.0.set_requires_grad(&tensor.inner, flag)
    }
    fn grad(&self, tensor: &Placed) -> Option<Placed> {
        Some(Placed::new(self.0.grad(&tensor.inner)?, tensor.device()))
    }
    fn set_grad(&self, tensor: &Placed, grad: Option<&Placed>) -> Result<()> {
        common([Some(tensor), grad])?;
        self.0.set_grad(&tensor.inner, grad.map(|grad| &grad.inner))
    }
    fn zero_grad(&self, tensor: &Placed) -> Result<()> {
        self.0.zero_grad(&tensor.inner)
    }
    fn backward(&self, tensor: &Placed, seed: f64) -> Result<()> {
        self.0.backward(&tensor.inner, seed)
    }
    fn no_grad<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.no_grad(f)
    }
    fn with_parameter_views(
        &self,
        parameters: &[Placed],
        name: &dyn Fn(usize) -> String,
        cache: &mut Self::ViewCache,
        zero_grad: bool,
        step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
    ) -> Result<()> {
        let inner: Vec<_> = parameters.iter().map(|parameter| parameter.inner.clone()).collect();
        self.0.with_parameter_views(&inner, name, cache, zero_grad, step)
    }
    fn linear(&self, input: &Placed, weight: &Placed, bias: Option<&Placed>) -> Result<Placed> {
        let device = common([Some(input), Some(weight), bias])?;
        Ok(Placed::new(self.0.linear(&input.inner, &weight.inner, bias.map(|bias| &bias.inner))?, device))
    }
    fn apply(&self, primitive: &Primitive, inputs: &[&Placed]) -> Result<Vec<Placed>> {
        let device = common(inputs.iter().map(|input| Some(*input)))?;
        let inner: Vec<_> = inputs.iter().map(|input| &input.inner).collect();
        let outputs = self.0.apply(primitive, &inner)?;
        Ok(outputs.into_iter().map(|output| Placed::new(output, device)).collect())
    }
    fn reshape(&self, input: &Placed, shape: &[usize]) -> Result<Placed> {
        Ok(Placed::new(self.0.reshape(&input.inner, shape)?, input.device()))
    }
    fn index_select(&self, tensor: &Placed, indices: &[usize]) -> Result<Placed> {
        Ok(Placed::new(self.0.index_select(&tensor.inner, indices)?, tensor.device()))
    }
    fn activation(&self, input: &Placed, activation: Activation) -> Result<Placed> {
        Ok(Placed::new(self.0.activation(&input.inner, activation)?, input.device()))
    }
    fn multiply(&self, a: &Placed, b: &Placed) -> Result<Placed> {
        let device = common([Some(a), Some(b)])?;
        Ok(Placed::new(self.0.multiply(&a.inner, &b.inner)?, device))
    }
    fn batch_norm(&self, input: &Placed, norm: &BatchNorm<'_, Placed>) -> Result<Placed> {
        let (mean, variance) = norm.running.unzip();
        let device = common([Some(input), norm.weight, norm.bias, mean, variance])?;
        let inner = BatchNorm {
            weight: norm.weight.map(|tensor| &tensor.inner),
            bias: norm.bias.map(|tensor| &tensor.inner),
            running: norm.running.map(|(mean, variance)| (&mean.inner, &variance.inner)),
            training: norm.training,
            momentum: norm.momentum,
            eps: norm.eps,
        };
        Ok(Placed::new(self.0.batch_norm(&input.inner, &inner)?, device))
    }
    fn layer_norm(
        &self,
        input: &Placed,
        shape: &[usize],
        weight: Option<&Placed>,
        bias: Option<&Placed>,
        eps: f64,
    ) -> Result<Placed> {
        let device = common([Some(input), weight, bias])?;
        let [weight, bias] = [weight, bias].map(|tensor| tensor.map(|tensor| &tensor.inner));
        Ok(Placed::new(self.0.layer_norm(&input.inner, shape, weight, bias, eps)?, device))
    }
    fn embedding(&self, weight: &Placed, indices: &Placed) -> Result<Placed> {
        let device = common([Some(weight), Some(indices)])?;
        Ok(Placed::new(self.0.embedding(&weight.inner, &indices.inner)?, device))
    }
    fn loss(&self, loss: Loss, input: &Placed, target: &Placed, reduction: Reduction) -> Result<Placed> {
        let device = common([Some(input), Some(target)])?;
        Ok(Placed::new(self.0.loss(loss, &input.inner, &target.inner, reduction)?, device))
    }
}
