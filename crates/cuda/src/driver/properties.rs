//! Properties of the driver and of its devices, which need no context.

use std::ffi::{c_char, c_int, c_uint};

use crate::driver::library::{functions, open_forever};

#[cfg(not(windows))]
const LIBRARY: &str = "libcuda.so.1";
#[cfg(windows)]
const LIBRARY: &str = "nvcuda.dll";

functions! {
    /// The functions of the driver that describe devices.
    QueryApi {
        init = "cuInit": fn(c_uint);
        version = "cuDriverGetVersion": fn(*mut c_int);
        device_count = "cuDeviceGetCount": fn(*mut c_int);
        device_get = "cuDeviceGet": fn(*mut c_int, c_int);
        device_name = "cuDeviceGetName": fn(*mut c_char, c_int, c_int);
        device_memory = "cuDeviceTotalMem_v2": fn(*mut usize, c_int);
        device_attribute = "cuDeviceGetAttribute": fn(*mut c_int, c_int, c_int);
    }
}

/// `CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `_MINOR` of `cuda.h`.
const CAPABILITY: [c_int; 2] = [75, 76];
/// In bytes. Names of devices are shorter.
const NAME_BYTES: usize = 256;

/// The NVIDIA driver of this machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DriverProperties {
    /// The newest version of CUDA that it supports, such as 13.0.
    pub version: String,
    /// The devices that this process may use, in the order of their numbers.
    pub devices: Vec<DeviceProperties>,
    /// Why it can use no device; `None` if it can.
    pub fault: Option<String>,
}

/// A CUDA device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceProperties {
    /// The name of the product.
    pub name: String,
    /// In bytes: all memory of the device.
    pub memory: usize,
    /// The compute capability: major and minor.
    pub capability: [u32; 2],
}

/// The driver of this machine and its devices; `None` without a driver. Makes no context, and takes no memory on a device.
pub fn driver_properties() -> Option<DriverProperties> {
    QueryApi::resolve(open_forever(LIBRARY).ok()?).ok().map(|api| api.properties())
}

impl QueryApi {
    fn properties(&self) -> DriverProperties {
        let mut number: c_int = 0;
        // SAFETY: the result is stored in a live variable; the function needs no initialization.
        let known = unsafe { (self.version)(&mut number) } == 0;
        let version = if known { format!("{}.{}", number / 1000, number % 1000 / 10) } else { String::new() };
        // SAFETY: takes flags, which must be 0.
        let status = unsafe { (self.init)(0) };
        if status != 0 {
            let fault = Some(format!("the driver cannot be initialized: status {status}"));
            return DriverProperties { version, fault, ..DriverProperties::default() };
        }
        let mut count = 0;
        // SAFETY: the result is stored in a live variable.
        unsafe { (self.device_count)(&mut count) };
        let devices: Vec<_> = (0..count).filter_map(|ordinal| self.device(ordinal)).collect();
        let fault = devices.is_empty().then(|| "the driver finds no device that this process may use".to_owned());
        DriverProperties { version, devices, fault }
    }

    fn device(&self, ordinal: c_int) -> Option<DeviceProperties> {
        let (mut device, mut memory, mut name) = (0, 0, [0u8; NAME_BYTES]);
        let mut numbers = [0; 2];
        // SAFETY: the results are stored in live variables; the name has as many bytes as is given.
        let statuses = unsafe {
            [
                (self.device_get)(&mut device, ordinal),
                (self.device_name)(name.as_mut_ptr().cast(), NAME_BYTES as c_int, device),
                (self.device_memory)(&mut memory, device),
                (self.device_attribute)(&mut numbers[0], CAPABILITY[0], device),
                (self.device_attribute)(&mut numbers[1], CAPABILITY[1], device),
            ]
        };
        let text: Vec<u8> = name.into_iter().take_while(|byte| *byte != 0).collect();
        statuses.iter().all(|status| *status == 0).then(|| DeviceProperties {
            name: String::from_utf8_lossy(&text).into_owned(),
            memory,
            capability: numbers.map(|number| number.unsigned_abs()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::{c_char, c_int, c_uint};

    use crate::driver::properties::{DeviceProperties, QueryApi, driver_properties};

    unsafe extern "C" fn init(_: c_uint) -> c_int {
        0
    }
    unsafe extern "C" fn no_device(_: c_uint) -> c_int {
        100
    }
    unsafe extern "C" fn version(out: *mut c_int) -> c_int {
        // SAFETY: the caller gives a variable.
        unsafe { *out = 12_040 };
        0
    }
    unsafe extern "C" fn two(out: *mut c_int) -> c_int {
        // SAFETY: the caller gives a variable.
        unsafe { *out = 2 };
        0
    }
    unsafe extern "C" fn get(out: *mut c_int, ordinal: c_int) -> c_int {
        // SAFETY: the caller gives a variable.
        unsafe { *out = ordinal + 7 };
        // The second device is lost.
        ordinal * 999
    }
    unsafe extern "C" fn name(out: *mut c_char, size: c_int, device: c_int) -> c_int {
        assert!(size == 256 && device >= 7);
        // SAFETY: the caller gives so many bytes.
        unsafe { c"GPU A".as_ptr().copy_to(out, 6) };
        0
    }
    unsafe extern "C" fn memory(out: *mut usize, _: c_int) -> c_int {
        // SAFETY: the caller gives a variable.
        unsafe { *out = 1 << 34 };
        0
    }
    unsafe extern "C" fn attribute(out: *mut c_int, attribute: c_int, _: c_int) -> c_int {
        // SAFETY: the caller gives a variable.
        unsafe { *out = if attribute == 75 { 9 } else { 0 } };
        0
    }

    fn api(init: unsafe extern "C" fn(c_uint) -> c_int) -> QueryApi {
        QueryApi {
            init,
            version,
            device_count: two,
            device_get: get,
            device_name: name,
            device_memory: memory,
            device_attribute: attribute,
        }
    }

    #[test]
    fn describes_the_devices_that_work() {
        let found = api(init).properties();
        assert_eq!((found.version.as_str(), &found.fault), ("12.4", &None));
        let device = DeviceProperties { name: "GPU A".into(), memory: 1 << 34, capability: [9, 0] };
        assert_eq!(found.devices, [device]);
    }

    #[test]
    fn says_why_there_is_no_device() {
        let found = api(no_device).properties();
        assert!(found.devices.is_empty() && found.fault.is_some_and(|text| text.contains("status 100")));
    }

    #[test]
    fn a_machine_without_a_driver_has_no_properties() {
        if !std::path::Path::new("/dev/nvidiactl").exists() && crate::driver::api::DriverApi::get().is_err() {
            assert!(driver_properties().is_none_or(|found| found.devices.is_empty()));
        }
    }
}
