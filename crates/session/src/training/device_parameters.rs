//! The parameters of L-BFGS on a device, as one vector there.

use stepwell_optim::fallible::{push, with_capacity};
use stepwell_optim::{ClosureStep, Code, Device, DeviceObjective, Element, Error, LbfgsState, Result, Shared};

use crate::engine::Engine;
use crate::engine::placement::Placement;
use crate::training::engine_access::{EngineAccess, changed, element_count};
use crate::values::device::Device as DeviceName;
use crate::values::dtype::Dtype;

/// The device that has all parameters and runs the kernels of a step; `None` if there is no such device.
pub(crate) fn device_of<E: Engine>(engine: &E, tensors: &[E::Tensor]) -> Result<Option<Shared<dyn Device>>> {
    if !E::HAS_DEVICES {
        return Ok(None);
    }
    let mut cache = E::ViewCache::default();
    if engine.placement(tensors, &mut cache)? != Placement::Devices {
        return Ok(None);
    }
    let devices = engine.step_devices(tensors, &mut cache)?;
    Ok(if let [device] = &devices[..] { Some(Shared::clone(device)) } else { None })
}

/// Makes a step on a device. No elements of parameters, gradients or state are copied to host memory.
pub(crate) fn minimize_there<E: Engine>(
    access: &EngineAccess<'_, E>,
    (device, dtype): (&Shared<dyn Device>, Dtype),
    tensors: &[E::Tensor],
    trained: &[bool],
    closure: &mut dyn FnMut() -> Result<f64>,
    step: ClosureStep,
) -> Result<(f64, LbfgsState)> {
    let (element, bytes) = match dtype {
        Dtype::Float => (Element::Float, size_of::<f32>()),
        Dtype::Double => (Element::Double, size_of::<f64>()),
        other => return Err(Error::new(Code::Dtype, format_args!("lbfgs: parameters of {}", other.name()))),
    };
    let (mut places, mut length, mut devices) = (with_capacity(tensors.len())?, 0, Vec::new());
    for tensor in tensors {
        let count = element_count(&*access.engine(), tensor)?;
        places.push(length..length + count);
        length += count;
        push(&mut devices, access.engine().device(tensor)?)?;
    }
    let mut parameters =
        DeviceParameters { access, device, dtype, tensors, trained, places, devices, closure, bytes: length * bytes };
    step.minimize_on_device(device, element, length, &mut parameters)
}

struct DeviceParameters<'a, 'b, E: Engine> {
    access: &'a EngineAccess<'b, E>,
    device: &'a Shared<dyn Device>,
    dtype: Dtype,
    tensors: &'a [E::Tensor],
    trained: &'a [bool],
    /// The elements of each tensor in the vector.
    places: Vec<std::ops::Range<usize>>,
    /// As the engine names the device of each tensor.
    devices: Vec<DeviceName>,
    closure: &'a mut dyn FnMut() -> Result<f64>,
    /// Of the vector.
    bytes: usize,
}

impl<E: Engine> DeviceParameters<'_, '_, E> {
    /// The tensors that `select` makes of the parameters and of whether they are trained, with their places.
    fn pieces(&self, select: impl Fn(&E, &E::Tensor, bool) -> Option<E::Tensor>) -> Result<Vec<(usize, E::Tensor)>> {
        let engine = self.access.engine();
        let mut pieces = with_capacity(self.tensors.len())?;
        let parameters = self.tensors.iter().zip(self.trained).zip(&self.places).zip(&self.devices);
        for (((tensor, trained), place), device) in parameters {
            let Some(tensor) = select(&engine, tensor, *trained) else { continue };
            if engine.dtype(&tensor)? != self.dtype
                || engine.device(&tensor)? != *device
                || element_count(&*engine, &tensor)? != place.len()
            {
                return Err(changed());
            }
            pieces.push((place.start, tensor));
        }
        Ok(pieces)
    }
}

impl<E: Engine> DeviceObjective for DeviceParameters<'_, '_, E> {
    fn parameters(&mut self, to: u64) -> Result<()> {
        let pieces = self.pieces(|_, tensor, _| Some(tensor.clone()))?;
        self.access.engine().gather(&pieces, to)
    }

    fn set_parameters(&mut self, from: u64) -> Result<()> {
        let pieces = self.pieces(|_, tensor, trained| trained.then(|| tensor.clone()))?;
        self.access.engine().scatter(from, &pieces)
    }

    fn evaluate(&mut self, gradient: u64) -> Result<f64> {
        let loss = (self.closure)()?;
        let pieces = self.pieces(|engine, tensor, trained| if trained { engine.grad(tensor) } else { None })?;
        if pieces.len() < self.tensors.len() && self.bytes > 0 {
            self.device.zero(gradient, self.bytes)?;
        }
        self.access.engine().gather(&pieces, gradient)?;
        Ok(loss)
    }
}
