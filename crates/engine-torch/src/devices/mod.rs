//! CUDA devices that run the kernels of a step, with libtorch's streams and memory.

mod folders;
mod memory;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_cuda::{CudaDevice, CudaSettings};
use stepwell_optim::fallible::push;
use stepwell_optim::{Code, Device, Error, Result};
use stepwell_session::Placement;

use crate::descriptors::{ON_CPU, ON_CUDA_0, ON_OTHER};
use crate::devices::folders::{cache_folder, nvrtc_folders};
use crate::devices::memory::allocate;
use crate::shim;

/// The devices of an engine.
#[derive(Default)]
pub(crate) struct Devices {
    /// Devices that have made a step, by their numbers.
    cuda: Mutex<Vec<(usize, Arc<CudaDevice>)>>,
    /// See [`HostDevices`].
    host: Option<HostDevices>,
}

/// Devices for tests, whose memory is main memory.
pub struct HostDevices {
    /// The devices.
    pub devices: Vec<Arc<dyn Device>>,
    /// The index of the device that has a tensor of the CPU, by its index in the list of an optimizer; `None` for the CPU.
    pub of: Box<dyn Fn(usize) -> Option<usize> + Send + Sync>,
}

/// The devices of a step.
pub(crate) struct StepDevices {
    pub(crate) devices: Vec<Arc<dyn Device>>,
    /// The index of each parameter's device, in a step on [`HostDevices`]. Otherwise empty.
    pub(crate) host: Vec<usize>,
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").finish_non_exhaustive()
    }
}

impl Devices {
    pub(crate) fn with_host_devices(host: HostDevices) -> Self {
        Self { host: Some(host), ..Self::default() }
    }

    /// Whether these are devices for tests.
    pub(crate) fn are_on_the_host(&self) -> bool {
        self.host.is_some()
    }

    /// The placement of so many parameters, whose devices are the ones of descriptors.
    pub(crate) fn placement(&self, count: usize, devices: &[u8]) -> Placement {
        match (devices, &self.host) {
            ([ON_OTHER] | [], _) | ([ON_CPU], None) => Placement::Host,
            ([ON_CPU], Some(host)) => match (0..count).filter(|index| (host.of)(*index).is_some()).count() {
                0 => Placement::Host,
                on_devices if on_devices == count => Placement::Devices,
                _ => Placement::Mixed,
            },
            (devices, _) if devices.iter().all(|device| is_cuda(*device)) => Placement::Devices,
            _ => Placement::Mixed,
        }
    }

    /// The devices of so many parameters, which are the ones of descriptors, ready for work on libtorch's current streams.
    pub(crate) fn step_devices(&self, devices: &[u8], count: usize) -> Result<StepDevices> {
        if let ([ON_CPU], Some(host)) = (devices, &self.host) {
            let on: Vec<usize> = (0..count).map(|index| (host.of)(index).unwrap_or_default()).collect();
            let used: Vec<usize> = (0..host.devices.len()).filter(|device| on.contains(device)).collect();
            let index = |device: &usize| used.iter().position(|used| used == device).unwrap_or_default();
            return Ok(StepDevices {
                devices: used.iter().map(|device| Arc::clone(&host.devices[*device])).collect(),
                host: on.iter().map(index).collect(),
            });
        }
        let mut list: Vec<Arc<dyn Device>> = Vec::new();
        for device in devices {
            if !is_cuda(*device) {
                return Err(Error::new(Code::Internal, "a step on a device that is not a CUDA device"));
            }
            let ordinal = usize::from(device - ON_CUDA_0);
            let cuda = self.cuda(ordinal)?;
            cuda.set_stream(shim::current_stream(ordinal)?)?;
            push(&mut list, cuda as Arc<dyn Device>)?;
        }
        Ok(StepDevices { devices: list, host: Vec::new() })
    }

    fn cuda(&self, ordinal: usize) -> Result<Arc<CudaDevice>> {
        let mut devices = self.cuda.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, device)) = devices.iter().find(|(known, _)| *known == ordinal) {
            return Ok(Arc::clone(device));
        }
        let device = Arc::new(CudaDevice::new(CudaSettings {
            ordinal,
            nvrtc_folders: nvrtc_folders(),
            cache_folder: cache_folder(),
            allocate: Box::new(move |bytes| allocate(ordinal, bytes)),
        })?);
        push(&mut devices, (ordinal, Arc::clone(&device)))?;
        Ok(device)
    }
}

/// True if a device of a descriptor is a CUDA device.
fn is_cuda(device: u8) -> bool {
    device >= ON_CUDA_0 && device != ON_OTHER
}
