//! Tensors of GPUs, which the processes of a group exchange by NCCL. The library with NCCL is loaded at the first such tensor: the addon loads without
//! CUDA, too.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::mpsc::channel;
use std::thread::Builder;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use stepwell_optim::{Code, Error, Result};

use crate::shim::{
    Group, MakeGroup, RawGpus, checked, stepwell_group_add_gpus, stepwell_group_take_gpus, stepwell_leave_gpus,
};

/// The function of the library, as in nccl.cpp.
const FUNCTION: &CStr = c"stepwell_nccl_group";

struct Leaving(NonNull<RawGpus>);

// SAFETY: c10d's groups may be used by any thread, one at a time, and the thread that leaves it is the last one.
unsafe impl Send for Leaving {}

/// Makes a group ready for tensors of GPUs. `agree` returns the number of rank 0, or fails if a process has failed.
///
/// # Errors
/// As of `agree`, and [`Code::Device`] without the library or without a GPU.
pub(crate) fn add(
    group: NonNull<Group>,
    library: Option<&Path>,
    rank: usize,
    size: usize,
    agree: &dyn Fn(Result<i64>) -> Result<i64>,
) -> Result<()> {
    // A store may still have the names of a group that the processes were in before.
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as i64);
    let mut make = None;
    let name = agree(load(library).map(|function| {
        make = Some(function);
        time
    }))?;
    let prefix = CString::new(format!("stepwell/nccl/{name}"));
    let made = match (make, prefix) {
        (Some(make), Ok(prefix)) => {
            let failed = |text: &str| Error::new(Code::Device, format!("NCCL cannot be used: {text}"));
            checked(failed, |message| {
                // SAFETY: a live group, the function of the library, a live text, and a message of the length of C++.
                unsafe {
                    stepwell_group_add_gpus(group.as_ptr(), make, prefix.as_ptr(), rank as i32, size as i32, message)
                }
            })
        }
        _ => Err(Error::new(Code::Internal, "a library without its function")),
    };
    agree(made.map(|()| 0)).map(drop)
}

/// Loads the library for good.
fn load(library: Option<&Path>) -> Result<MakeGroup> {
    let failed = |what: String| {
        let advice = "`npm run setup` builds it where the headers of NCCL are: see docs/guides/distributed.md. Without it, move the tensors to the CPU";
        Error::new(Code::Device, format!("processes exchange tensors of GPUs by NCCL, and {what}. {advice}"))
    };
    let Some(path) = library else { return Err(failed("no library for it is known".to_owned())) };
    if !path.exists() {
        return Err(failed(format!("{} does not exist", path.display())));
    }
    let refused = |error: libloading::Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        failed(format!("{} cannot be loaded: {}", path.display(), cause.unwrap_or_else(|| error.to_string())))
    };
    // SAFETY: a library of this repository. Its initializers set variables of its own.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(refused)?;
    // SAFETY: the function has this type, which nccl.h states.
    let function = *unsafe { library.get::<MakeGroup>(FUNCTION.to_bytes_with_nul()) }.map_err(refused)?;
    // Its functions are used until the process ends.
    let _ = library.into_raw();
    Ok(function)
}

/// Leaves the group for tensors of GPUs, if there is one. NCCL waits for the device, so another thread does it, which is left to itself if it
/// takes longer.
///
/// # Safety
/// The group is live, and no operation of it runs.
pub(crate) unsafe fn leave(group: NonNull<Group>, limit: Duration) {
    // SAFETY: as the caller promises.
    let Some(gpus) = NonNull::new(unsafe { stepwell_group_take_gpus(group.as_ptr()) }) else { return };
    let (sender, receiver) = channel();
    let leaving = Leaving(gpus);
    let thread = Builder::new().name("stepwell-nccl".to_owned()).spawn(move || {
        let Leaving(gpus) = { leaving };
        // SAFETY: nothing else uses it.
        unsafe { stepwell_leave_gpus(gpus.as_ptr()) };
        let _ = sender.send(());
    });
    if thread.is_ok() {
        let _ = receiver.recv_timeout(limit);
    }
}
