//! CUDA devices: whether they can be used, what is missing, their memory, and waiting for their work.

use std::sync::OnceLock;

use stepwell_cuda::{DriverProperties, driver_properties};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{CudaDevice, CudaReport, Device, DeviceMemoryUse};

use crate::shim::check;

/// Memory of a device in bytes. Has the layout of `stepwell_memory_figures`.
#[derive(Default)]
#[repr(C)]
struct MemoryFigures {
    allocated: i64,
    reserved: i64,
    peak: i64,
    free: i64,
    total: i64,
}

// The size in cuda.cpp.
const _: () = assert!(size_of::<MemoryFigures>() == 40);

unsafe extern "C" {
    safe fn stepwell_cuda_devices(out: &mut i32) -> i32;
    safe fn stepwell_cuda_synchronize(device: i32) -> i32;
    safe fn stepwell_cuda_memory(device: i32, out: &mut MemoryFigures) -> i32;
    safe fn stepwell_cuda_empty_cache() -> i32;
}

/// The missing piece, and the remedy as a sentence.
type Missing = (String, String);

/// Why the process has not loaded libtorch's CUDA library; `None` if it has.
static ABSENCE: OnceLock<Option<Missing>> = OnceLock::new();

/// States why the process has not loaded libtorch's CUDA library, and the remedy as a sentence, for messages; `None` if it has. The
/// first call counts: the loader decides once for the process.
pub fn explain_cuda(missing: Option<Missing>) {
    let _ = ABSENCE.set(missing);
}

const INSTALL_DRIVER: &str = "Install NVIDIA's driver; in a container, start it with the GPUs of the machine.";

/// The missing piece if no CUDA device can be used; `None` if one can. `count` is the number of devices, `None` if libtorch was loaded
/// without CUDA.
fn missing(
    count: Option<usize>,
    absence: Option<&Missing>,
    driver: impl Fn() -> Option<DriverProperties>,
) -> Option<Missing> {
    let said = |missing: &str, remedy: &str| Some((missing.to_owned(), remedy.to_owned()));
    match (count, absence) {
        (Some(1..), _) => None,
        (None, Some(absence)) => Some(absence.clone()),
        (None, None) => said(
            "libtorch was used in this process before its CUDA library was loaded",
            "Import Stepwell before other packages that use libtorch.",
        ),
        (Some(0), _) => match driver() {
            None => said("no NVIDIA driver was found", INSTALL_DRIVER),
            Some(DriverProperties { fault: Some(fault), .. }) => {
                Some((fault, "Check the devices with nvidia-smi, and the variable CUDA_VISIBLE_DEVICES.".to_owned()))
            }
            Some(DriverProperties { version, .. }) => Some((
                format!("libtorch finds no device, and the driver supports CUDA {version}"),
                "Install a driver that supports the CUDA version of libtorch.".to_owned(),
            )),
        },
    }
}

/// The number of CUDA devices; `None` if libtorch was loaded without CUDA.
fn count() -> Result<Option<usize>> {
    let mut devices = 0;
    check(stepwell_cuda_devices(&mut devices))?;
    Ok(usize::try_from(devices).ok())
}

/// Fails with what is missing if the device cannot be used.
pub(crate) fn require(device: Device) -> Result<()> {
    let Device::Cuda(index) = device else { return Ok(()) };
    let found = count()?;
    let reason = match found {
        Some(count) if index < count => return Ok(()),
        Some(count @ 1..) => format!("CUDA devices here: {count}, counted from 0"),
        _ => match missing(found, absence(), driver_properties) {
            Some((missing, remedy)) => format!("{missing}. {remedy} cudaStatus() tells more"),
            None => String::new(),
        },
    };
    Err(Error::new(Code::Device, format!("device {device} cannot be used: {reason}")))
}

fn absence() -> Option<&'static Missing> {
    ABSENCE.get().and_then(Option::as_ref)
}

/// The report of this process.
pub(crate) fn report() -> Result<CudaReport> {
    let found = count()?;
    let driver = driver_properties();
    let known = driver.iter().flat_map(|driver| &driver.devices);
    let mut known = known.map(|device| CudaDevice {
        name: device.name.clone(),
        memory: device.memory,
        capability: device.capability.map(|number| number.to_string()).join("."),
    });
    // libtorch decides which devices there are; the driver describes them in the same order.
    let devices = (0..found.unwrap_or(0)).map(|_| known.next().unwrap_or_default()).collect();
    let missing = missing(found, absence(), || driver.clone());
    let driver = driver.as_ref().map(|driver| driver.version.clone());
    Ok(CudaReport { loaded: found.is_some(), driver, devices, missing })
}

/// Waits until the device has done all work that it was given.
pub(crate) fn synchronize(device: Device) -> Result<()> {
    require(device)?;
    match device {
        Device::Cpu => Ok(()),
        Device::Cuda(index) => check(stepwell_cuda_synchronize(ordinal(index)?)),
    }
}

/// The memory of a CUDA device; `None` for the CPU.
pub(crate) fn device_memory(device: Device) -> Result<Option<DeviceMemoryUse>> {
    require(device)?;
    let Device::Cuda(index) = device else { return Ok(None) };
    let mut figures = MemoryFigures::default();
    check(stepwell_cuda_memory(ordinal(index)?, &mut figures))?;
    let MemoryFigures { allocated, reserved, peak, free, total } = figures;
    let [allocated, reserved, peak, free, total] =
        [allocated, reserved, peak, free, total].map(|bytes| usize::try_from(bytes).unwrap_or(0));
    Ok(Some(DeviceMemoryUse { allocated, reserved, peak, free, total }))
}

/// Gives memory that libtorch keeps for later tensors back to the CUDA devices. True if there was some.
pub fn release_device_memory() -> Result<bool> {
    let reserved = || -> Result<usize> {
        let devices = (0..count()?.unwrap_or(0)).map(|index| device_memory(Device::Cuda(index)));
        devices.map(|used| Ok(used?.unwrap_or_default().reserved)).sum()
    };
    let before = reserved()?;
    check(stepwell_cuda_empty_cache())?;
    Ok(reserved()? < before)
}

fn ordinal(index: usize) -> Result<i32> {
    i32::try_from(index)
        .map_err(|_| Error::new(Code::Device, format!("expected a device of this machine, given {index}")))
}

#[cfg(test)]
mod tests {
    use stepwell_cuda::{DeviceProperties, DriverProperties};

    use crate::cuda::missing;

    fn driver(fault: Option<&str>) -> Option<DriverProperties> {
        let devices = if fault.is_some() { Vec::new() } else { vec![DeviceProperties::default()] };
        Some(DriverProperties { version: "12.4".into(), devices, fault: fault.map(Into::into) })
    }

    #[test]
    fn names_the_missing_piece_and_the_remedy() {
        let absence = ("no CUDA library".to_owned(), "Install one.".to_owned());
        let never = || unreachable!("the driver is not asked");
        assert_eq!(missing(Some(2), None, never), None);
        assert_eq!(missing(None, Some(&absence), never), Some(absence));
        let text = |count, driver: Option<DriverProperties>| {
            missing(count, None, move || driver.clone()).map(|(missing, remedy)| format!("{missing}. {remedy}"))
        };
        let contains = |text: Option<String>, part: &str| text.is_some_and(|text| text.contains(part));
        assert!(contains(text(None, None), "Import Stepwell before"));
        assert!(contains(text(Some(0), None), "Install NVIDIA's driver"));
        assert!(contains(text(Some(0), driver(Some("status 3"))), "status 3. Check the devices with nvidia-smi"));
        assert!(contains(text(Some(0), driver(None)), "supports CUDA 12.4. Install a driver"));
    }
}
