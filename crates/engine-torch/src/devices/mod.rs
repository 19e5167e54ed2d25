//! CUDA devices that run the kernels of a step, with libtorch's streams and memory.

mod folders;
mod memory;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

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
    cuda: RefCell<Vec<(usize, Rc<CudaDevice>)>>,
    /// See [`HostDevice`].
    host: Option<HostDevice>,
}

/// A device for tests, whose memory is main memory.
pub struct HostDevice {
    /// The device.
    pub device: Rc<dyn Device>,
    /// True if a tensor of the CPU counts as one of the device: by its index in the list of an optimizer.
    pub has: Box<dyn Fn(usize) -> bool>,
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").field("cuda", &self.cuda.borrow().len()).finish_non_exhaustive()
    }
}

impl Devices {
    pub(crate) fn with_host_device(host: HostDevice) -> Self {
        Self { host: Some(host), ..Self::default() }
    }

    /// The placement of so many parameters, whose device is the one of a descriptor; `None` if they are on several.
    pub(crate) fn placement(&self, count: usize, common: Option<u8>) -> Placement {
        let Some(device) = common else { return Placement::Several };
        if device != ON_CPU {
            return if device == ON_OTHER { Placement::Host } else { Placement::Device };
        }
        let Some(host) = &self.host else { return Placement::Host };
        match (0..count).filter(|index| (host.has)(*index)).count() {
            0 => Placement::Host,
            on_device if on_device == count => Placement::Device,
            _ => Placement::Several,
        }
    }

    /// The device of parameters, as in a descriptor, ready for work on libtorch's current stream.
    pub(crate) fn device(&self, device: u8) -> Result<Rc<dyn Device>> {
        if device == ON_CPU
            && let Some(host) = &self.host
        {
            return Ok(Rc::clone(&host.device));
        }
        let ordinal = match device.checked_sub(ON_CUDA_0) {
            Some(ordinal) if device != ON_OTHER => usize::from(ordinal),
            _ => return Err(Error::new(Code::Internal, "a step on a device that is not a CUDA device")),
        };
        let cuda = self.cuda(ordinal)?;
        cuda.set_stream(shim::current_stream(ordinal)?)?;
        Ok(cuda)
    }

    fn cuda(&self, ordinal: usize) -> Result<Rc<CudaDevice>> {
        let mut devices = self.cuda.borrow_mut();
        if let Some((_, device)) = devices.iter().find(|(known, _)| *known == ordinal) {
            return Ok(Rc::clone(device));
        }
        let device = Rc::new(CudaDevice::new(CudaSettings {
            ordinal,
            nvrtc_folders: nvrtc_folders(),
            cache_folder: cache_folder(),
            allocate: Box::new(move |bytes| allocate(ordinal, bytes)),
        })?);
        push(&mut devices, (ordinal, Rc::clone(&device)))?;
        Ok(device)
    }
}
