//! The functions of the CUDA driver, and its statuses as errors.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::OnceLock;

use stepwell_optim::{Code, Error, Result};

use crate::driver::library::{functions, open_forever};

#[cfg(not(windows))]
const LIBRARY: &str = "libcuda.so.1";
#[cfg(windows)]
const LIBRARY: &str = "nvcuda.dll";

/// An opaque object of the driver: a context, a module, a function, a stream or an event.
pub(crate) type Object = *mut c_void;

functions! {
    /// The functions of the driver that Stepwell calls. An address on the device is a `u64`.
    DriverApi {
        init = "cuInit": fn(c_uint);
        error_name = "cuGetErrorName": fn(c_int, *mut *const c_char);
        error_string = "cuGetErrorString": fn(c_int, *mut *const c_char);
        device_get = "cuDeviceGet": fn(*mut c_int, c_int);
        device_attribute = "cuDeviceGetAttribute": fn(*mut c_int, c_int, c_int);
        primary_retain = "cuDevicePrimaryCtxRetain": fn(*mut Object, c_int);
        primary_release = "cuDevicePrimaryCtxRelease_v2": fn(c_int);
        context_push = "cuCtxPushCurrent_v2": fn(Object);
        context_pop = "cuCtxPopCurrent_v2": fn(*mut Object);
        host_allocate = "cuMemHostAlloc": fn(*mut *mut c_void, usize, c_uint);
        host_free = "cuMemFreeHost": fn(*mut c_void);
        copy_to_device = "cuMemcpyHtoDAsync_v2": fn(u64, *const c_void, usize, Object);
        copy_to_host = "cuMemcpyDtoHAsync_v2": fn(*mut c_void, u64, usize, Object);
        copy_on_device = "cuMemcpyDtoDAsync_v2": fn(u64, u64, usize, Object);
        set_bytes = "cuMemsetD8Async": fn(u64, u8, usize, Object);
        stream_wait = "cuStreamSynchronize": fn(Object);
        stream_wait_event = "cuStreamWaitEvent": fn(Object, Object, c_uint);
        event_create = "cuEventCreate": fn(*mut Object, c_uint);
        event_record = "cuEventRecord": fn(Object, Object);
        event_query = "cuEventQuery": fn(Object);
        event_wait = "cuEventSynchronize": fn(Object);
        event_destroy = "cuEventDestroy_v2": fn(Object);
        module_load = "cuModuleLoadData": fn(*mut Object, *const c_void);
        module_function = "cuModuleGetFunction": fn(*mut Object, Object, *const c_char);
        launch = "cuLaunchKernel": fn(
            Object, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Object, *mut *mut c_void, *mut *mut c_void
        );
    }
}

/// Statuses of the driver, as in `cuda.h`.
pub(crate) const OUT_OF_MEMORY: c_int = 2;
const NO_DEVICE: c_int = 100;
pub(crate) const NOT_READY: c_int = 600;
/// Statuses of a kernel that failed. CUDA reports them at a later call, and the context is of no use afterwards.
const FAULTS: &[c_int] = &[214, 700, 702, 710, 714, 715, 716, 717, 718, 719];

impl DriverApi {
    /// Loads and initializes the driver at the first call. Later calls give the answer of the first.
    ///
    /// # Errors
    /// [`Code::Device`]
    pub(crate) fn get() -> Result<&'static Self> {
        static API: OnceLock<Result<DriverApi>> = OnceLock::new();
        API.get_or_init(|| Self::open(LIBRARY)).as_ref().map_err(Clone::clone)
    }

    fn open(library: &str) -> Result<Self> {
        let api = open_forever(library).and_then(Self::resolve).map_err(|reason| {
            let message = format!(
                "the NVIDIA driver cannot be used: {reason}. Install a driver that supports the CUDA version of libtorch"
            );
            Error::new(Code::Device, message)
        })?;
        // SAFETY: takes flags, which must be 0.
        let status = unsafe { (api.init)(0) };
        match status {
            0 => Ok(api),
            NO_DEVICE => Err(Error::new(Code::Device, "the NVIDIA driver finds no CUDA device that it may use")),
            _ => Err(api.failure("the NVIDIA driver", "cannot be initialized", status)),
        }
    }

    /// Fails with the error of a status other than 0. `device` and `action` are for the message.
    pub(crate) fn check(&self, device: &str, action: &str, status: c_int) -> Result<()> {
        if status == 0 { Ok(()) } else { Err(self.failure(device, action, status)) }
    }

    #[cold]
    fn failure(&self, device: &str, action: &str, status: c_int) -> Error {
        let text = self.text(status);
        if status == OUT_OF_MEMORY {
            return Error::new(Code::Memory, format!("{device} {action}: out of memory"));
        }
        let message = if FAULTS.contains(&status) {
            format!(
                "{device} {action}: {text}. Earlier work on the device failed, and CUDA reports it only now: restart the process"
            )
        } else {
            format!("{device} {action}: {text}")
        };
        Error::new(Code::Device, message)
    }

    /// The driver's name and description of a status.
    fn text(&self, status: c_int) -> String {
        let read = |function: unsafe extern "C" fn(c_int, *mut *const c_char) -> c_int| {
            let mut text = ptr::null();
            // SAFETY: the driver stores null, or the address of a text that lives as long as the driver.
            unsafe { function(status, &mut text) };
            // SAFETY: a text that ends with 0.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy())
        };
        match (read(self.error_name), read(self.error_string)) {
            (Some(name), Some(description)) => format!("{name}, {description}"),
            _ => format!("status {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_optim::Code;

    use crate::driver::api::DriverApi;

    #[test]
    fn an_absent_driver_is_an_error_of_the_device() {
        let Err(error) = DriverApi::open("libcuda-absent.so.1") else { unreachable!("the library is absent") };
        assert_eq!(error.code(), Code::Device);
        let text = error.to_string();
        assert!(text.contains("libcuda-absent.so.1") && text.contains("Install a driver"), "{text}");
    }

    #[test]
    fn a_library_without_the_functions_is_an_error_of_the_device() {
        let Err(error) = DriverApi::open("libm.so.6") else { unreachable!("libm is not the driver") };
        assert_eq!(error.code(), Code::Device);
        assert!(error.to_string().contains("cuInit"), "{error}");
    }
}
