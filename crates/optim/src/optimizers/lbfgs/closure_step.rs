//! A step of L-BFGS, and the state that it returns.


use crate::shared::{Shared, SharedCell};
#[cfg(not(target_family = "wasm"))]
use crate::device::device::Device;
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
#[cfg(not(target_family = "wasm"))]
use crate::optimizers::lbfgs::device_vectors::{DeviceElement, DeviceObjective, DeviceVectors};
use crate::optimizers::lbfgs::history::History;
use crate::optimizers::lbfgs::host_vectors::HostVectors;
use crate::optimizers::lbfgs::objective::Objective;
use crate::optimizers::lbfgs::options::LbfgsOptions;
use crate::optimizers::lbfgs::state_dict::{AnyLbfgsStateDict, LbfgsStateDict};
use crate::optimizers::lbfgs::step::step;
use crate::optimizers::lbfgs::vector_memory::VectorMemory;
use crate::options::table::OptionSet;
use crate::options::value::OptionValue;
#[cfg(not(target_family = "wasm"))]
use crate::state::view::Element;

/// The state of L-BFGS, with its workspace, in the memory where the last step was made. Clones share both until a step
/// of one changes them.
#[derive(Clone)]
pub struct LbfgsState(TypedHistory);

#[derive(Clone)]
enum TypedHistory {
    Float(SharedHistory<HostVectors<f32>>),
    Double(SharedHistory<HostVectors<f64>>),
    #[cfg(not(target_family = "wasm"))]
    DeviceFloat(SharedHistory<DeviceVectors<f32>>),
    #[cfg(not(target_family = "wasm"))]
    DeviceDouble(SharedHistory<DeviceVectors<f64>>),
}

/// Shared by an optimizer and its step.
type SharedHistory<V> = Shared<SharedCell<History<V>>>;

impl LbfgsState {
    /// A copy as plain data.
    pub(crate) fn state_dict(&self) -> Result<AnyLbfgsStateDict> {
        Ok(match &self.0 {
            TypedHistory::Float(history) => AnyLbfgsStateDict::Float(history.borrow().state_dict()?),
            TypedHistory::Double(history) => AnyLbfgsStateDict::Double(history.borrow().state_dict()?),
            #[cfg(not(target_family = "wasm"))]
            TypedHistory::DeviceFloat(history) => AnyLbfgsStateDict::Float(history.borrow().state_dict()?),
            #[cfg(not(target_family = "wasm"))]
            TypedHistory::DeviceDouble(history) => AnyLbfgsStateDict::Double(history.borrow().state_dict()?),
        })
    }

    /// The number of elements of a vector, the number of pairs, and the size of an element in bytes.
    pub(crate) fn size(&self) -> (usize, usize, usize) {
        let ((width, pairs), bytes) = match &self.0 {
            TypedHistory::Float(history) => (history.borrow().size(), size_of::<f32>()),
            TypedHistory::Double(history) => (history.borrow().size(), size_of::<f64>()),
            #[cfg(not(target_family = "wasm"))]
            TypedHistory::DeviceFloat(history) => (history.borrow().size(), size_of::<f32>()),
            #[cfg(not(target_family = "wasm"))]
            TypedHistory::DeviceDouble(history) => (history.borrow().size(), size_of::<f64>()),
        };
        (width, pairs, bytes)
    }

    /// The state in host memory. State on a device is copied.
    fn on_host(self) -> Result<TypedHistory> {
        match self.0 {
            history @ (TypedHistory::Float(_) | TypedHistory::Double(_)) => Ok(history),
            #[cfg(not(target_family = "wasm"))]
            _ => Ok(Self::try_from(self.state_dict()?)?.0),
        }
    }
}

impl TryFrom<AnyLbfgsStateDict> for LbfgsState {
    type Error = Error;

    /// # Errors
    /// [`Code::Format`](crate::Code::Format) for vectors of different lengths; [`Code::Memory`](crate::Code::Memory).
    fn try_from(state_dict: AnyLbfgsStateDict) -> Result<Self> {
        fn share<T: Scalar>(state_dict: LbfgsStateDict<T>) -> Result<SharedHistory<HostVectors<T>>> {
            Ok(Shared::new(SharedCell::new(History::from_state_dict(HostVectors::new(), state_dict)?)))
        }
        Ok(Self(match state_dict {
            AnyLbfgsStateDict::Float(state_dict) => TypedHistory::Float(share(state_dict)?),
            AnyLbfgsStateDict::Double(state_dict) => TypedHistory::Double(share(state_dict)?),
        }))
    }
}

/// A step of L-BFGS that has not run yet.
pub struct ClosureStep {
    options: Result<LbfgsOptions>,
    state: Option<LbfgsState>,
}

impl ClosureStep {
    pub(crate) fn new(values: &[OptionValue], state: Option<&LbfgsState>) -> Self {
        Self { options: LbfgsOptions::from_values(values), state: state.cloned() }
    }

    /// Runs the step on f32 parameters. Returns the loss at its start, and the new state.
    ///
    /// # Errors
    /// Errors of the objective, and [`Code::Memory`](crate::Code::Memory); the parameters are then unchanged.
    pub fn minimize_f32(self, parameters: &[f32], objective: &mut dyn Objective<f32>) -> Result<(f64, LbfgsState)> {
        let state = self.state.map(LbfgsState::on_host).transpose()?;
        let history = if let Some(TypedHistory::Float(history)) = state { Some(history) } else { None };
        let (loss, history) = minimize(&self.options?, HostVectors::new(), history, parameters, objective)?;
        Ok((loss, LbfgsState(TypedHistory::Float(history))))
    }

    /// Runs the step on f64 parameters, as [`ClosureStep::minimize_f32`] does.
    pub fn minimize_f64(self, parameters: &[f64], objective: &mut dyn Objective<f64>) -> Result<(f64, LbfgsState)> {
        let state = self.state.map(LbfgsState::on_host).transpose()?;
        let history = if let Some(TypedHistory::Double(history)) = state { Some(history) } else { None };
        let (loss, history) = minimize(&self.options?, HostVectors::new(), history, parameters, objective)?;
        Ok((loss, LbfgsState(TypedHistory::Double(history))))
    }

    /// Runs the step on a device, on so many parameters of f32 or f64. The state is made there, and state in other memory
    /// moves there. Sums of products are read by the host, and no vector is.
    ///
    /// A vector of at most 16,384 elements has the bits of a step on the host. In a longer one each sum has another order.
    /// It differs from the host's by at most `length * f64::EPSILON`, relative to the sum of the magnitudes of its terms.
    ///
    /// # Errors
    /// Errors of the objective and of the device, and [`Code::Memory`](crate::Code::Memory); the parameters are then
    /// unchanged. [`Code::Dtype`](crate::Code::Dtype) for parameters of 16 bits.
    #[cfg(not(target_family = "wasm"))]
    pub fn minimize_on_device(
        self,
        device: &Shared<dyn Device>,
        element: Element,
        length: usize,
        objective: &mut dyn DeviceObjective,
    ) -> Result<(f64, LbfgsState)> {
        let options = self.options?;
        let state = self.state.map(|state| state.0);
        match element {
            Element::Float => {
                let history = match state {
                    Some(TypedHistory::DeviceFloat(history)) => moved(history, device, length)?,
                    Some(TypedHistory::Float(history)) => uploaded(&history, device, length)?,
                    _ => None,
                };
                let (loss, history) = minimize_there(&options, device, history, length, objective)?;
                Ok((loss, LbfgsState(TypedHistory::DeviceFloat(history))))
            }
            Element::Double => {
                let history = match state {
                    Some(TypedHistory::DeviceDouble(history)) => moved(history, device, length)?,
                    Some(TypedHistory::Double(history)) => uploaded(&history, device, length)?,
                    _ => None,
                };
                let (loss, history) = minimize_there(&options, device, history, length, objective)?;
                Ok((loss, LbfgsState(TypedHistory::DeviceDouble(history))))
            }
            Element::Half | Element::BFloat16 => Err(Error::new(crate::error::Code::Dtype, "lbfgs: parameters of 16 bits")),
        }
    }
}

/// The history on this device.
#[cfg(not(target_family = "wasm"))]
fn moved<T: DeviceElement>(
    history: SharedHistory<DeviceVectors<T>>,
    device: &Shared<dyn Device>,
    length: usize,
) -> Result<Option<SharedHistory<DeviceVectors<T>>>> {
    let is_there = history.borrow().memory.are_on(device, length);
    if is_there { Ok(Some(history)) } else { uploaded(&history, device, length) }
}

/// A copy of a history on a device; `None` if its vectors have another length.
#[cfg(not(target_family = "wasm"))]
fn uploaded<T: DeviceElement, V: VectorMemory<Element = T>>(
    history: &SharedHistory<V>,
    device: &Shared<dyn Device>,
    length: usize,
) -> Result<Option<SharedHistory<DeviceVectors<T>>>> {
    let history = history.borrow();
    if !history.fits(length) {
        return Ok(None);
    }
    let copy = History::from_state_dict(DeviceVectors::new(device, length)?, history.state_dict()?)?;
    Ok(Some(Shared::new(SharedCell::new(copy))))
}

#[cfg(not(target_family = "wasm"))]
fn minimize_there<T: DeviceElement>(
    options: &LbfgsOptions,
    device: &Shared<dyn Device>,
    history: Option<SharedHistory<DeviceVectors<T>>>,
    length: usize,
    objective: &mut dyn DeviceObjective,
) -> Result<(f64, SharedHistory<DeviceVectors<T>>)> {
    let known = history.as_ref().map(|history| history.borrow().memory.clone());
    let memory = match known {
        Some(memory) => memory,
        None => DeviceVectors::new(device, length)?,
    };
    // The parameters before the step, which a failed step restores.
    let start = memory.vector_of(length, |to| DeviceVectors::<T>::read(objective, to))?;
    minimize(options, memory, history, DeviceVectors::<T>::all(&start), objective)
}

/// Starts without history if there is one of another dtype or size.
fn minimize<V: VectorMemory>(
    options: &LbfgsOptions,
    memory: V,
    history: Option<SharedHistory<V>>,
    parameters: V::Ref<'_>,
    objective: &mut V::Objective<'_>,
) -> Result<(f64, SharedHistory<V>)> {
    let history = match history.filter(|history| history.borrow().fits(V::length(parameters))) {
        Some(history) if has_other_owners(&history) => {
            let state_dict = history.borrow().state_dict()?;
            Shared::new(SharedCell::new(History::from_state_dict(memory, state_dict)?))
        }
        Some(history) => history,
        None => Shared::new(SharedCell::new(History::new(memory))),
    };
    let loss = step(options, &history, parameters, objective)?;
    Ok((loss, history))
}

/// True if the history has an owner besides the optimizer and this step: a clone of the optimizer, or an outer step.
/// Also true after a panic in a closure.
fn has_other_owners<V: VectorMemory>(history: &SharedHistory<V>) -> bool {
    Shared::strong_count(history) > 2 || history.borrow().is_stepping()
}
