//! Loads a shared library into the process for good.
//!
//! The main addon names `libtorch_cpu` without a path, and the system's loader cannot know in which folder this user keeps it.
//! A library that is already loaded satisfies that name, so this addon, which needs no libtorch itself, is required first.

use napi::bindgen_prelude::{Error, Result};
use napi_derive::napi;

/// Loads the library at `path` and keeps it loaded until the process ends.
///
/// # Errors
///
/// The system loader's own text, which names the file or the symbol that is missing.
#[napi(catch_unwind)]
pub fn preload(path: String) -> Result<()> {
    open_forever(&path).map_err(|error| Error::from_reason(loader_text(&error)))
}

#[cfg(unix)]
fn open_forever(path: &str) -> std::result::Result<(), libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

    // RTLD_GLOBAL: libtorch_cuda and the main addon take their symbols from libtorch_cpu.
    // SAFETY: libtorch's initialisers may run on any thread and at any time before its first use; that the path is
    // libtorch's (and not a library with hostile initialisers) is what the caller, packages/native/index.js, sees to.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }?;
    // The raw handle is dropped without a dlclose: unloading libtorch under live threads would crash.
    let _ = library.into_raw();
    Ok(())
}

#[cfg(windows)]
fn open_forever(path: &str) -> std::result::Result<(), libloading::Error> {
    use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library};

    // The altered search path makes the loader look for c10.dll and the rest beside the library itself.
    // SAFETY: as above, the caller passes libtorch's own path.
    let library = unsafe { Library::load_with_flags(path, LOAD_WITH_ALTERED_SEARCH_PATH) }?;
    let _ = library.into_raw();
    Ok(())
}

/// The system loader's own sentence, which libloading keeps one level below its own "dlopen failed".
fn loader_text(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}
