//! Loads a shared library into the process for good.
//!
//! The main addon names `libtorch_cpu` without a path, and the system's loader does not know its folder. A library that is already
//! loaded satisfies the name. So packages/native loads this addon first, which itself needs no libtorch.

use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use napi::bindgen_prelude::{Error, Result};
use napi_derive::napi;

/// The maximum number of threads of this process, which the main addon reads and writes; 0 if it is not set.
///
/// Stored here since a process may have several copies of the main addon, from several `node_modules`. packages/native loads this
/// addon a second time with [`preload`], which makes the symbol global. All copies of the main addon then find the first one.
// SAFETY: the prefix `stepwell_` makes the symbol unique. A change of its type needs another version.
#[unsafe(export_name = "stepwell_thread_limit_v1")]
#[used]
static THREAD_LIMIT: AtomicUsize = AtomicUsize::new(0);

/// Loads the library at `path`, with global symbols, and keeps it loaded until the process ends.
///
/// # Errors
///
/// The text of the system's loader, which names the missing file or symbol.
#[napi(catch_unwind)]
pub fn preload(path: String) -> Result<()> {
    open_forever(&path).map_err(|error| Error::from_reason(loader_text(&error)))
}

/// Loads the CUDA library of libtorch at the first call in this process. Later calls, of workers too, return the answer of the
/// first. A later load would have no effect, since libtorch decides at its first use whether it has CUDA.
///
/// `reason` says why there is nothing to load; without one, the library at `path` is loaded. Returns the reason, or the text of the
/// system's loader, if the library is not loaded.
#[napi(catch_unwind)]
pub fn preload_cuda(path: String, reason: Option<String>) -> Option<String> {
    static OUTCOME: OnceLock<Option<String>> = OnceLock::new();
    let failure = |error| format!("{path} cannot be loaded: {}", loader_text(&error));
    OUTCOME.get_or_init(|| reason.or_else(|| open_forever(&path).err().map(failure))).clone()
}

#[cfg(unix)]
fn open_forever(path: &str) -> std::result::Result<(), libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

    // RTLD_GLOBAL: libtorch_cuda and the main addon take their symbols from libtorch_cpu.
    // SAFETY: libtorch's initializers may run on any thread, at any time before its first use. The caller,
    // packages/native/index.js, passes the path of libtorch.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }?;
    // The raw handle is dropped without a dlclose: unloading libtorch under live threads would crash.
    let _ = library.into_raw();
    Ok(())
}

#[cfg(windows)]
fn open_forever(path: &str) -> std::result::Result<(), libloading::Error> {
    use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library};

    // With the altered search path the loader finds c10.dll in the folder of the library.
    // SAFETY: see above; the caller passes the path of libtorch.
    let library = unsafe { Library::load_with_flags(path, LOAD_WITH_ALTERED_SEARCH_PATH) }?;
    let _ = library.into_raw();
    Ok(())
}

/// The text of the system's loader, which is the cause of libloading's own error.
fn loader_text(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}
