//! Shared libraries loaded at run time, and the functions in them.

use std::error::Error as _;
use std::ffi::OsStr;

use libloading::Library;

/// Loads a shared library and keeps it loaded until the process ends, since its threads may outlive every caller.
///
/// # Errors
/// The text of the system's loader.
pub(crate) fn open_forever(path: impl AsRef<OsStr>) -> Result<&'static Library, String> {
    let name = path.as_ref();
    // SAFETY: NVIDIA's libraries may be initialized on any thread at any time.
    let library = unsafe { Library::new(name) }.map_err(|error| loader_text(&error))?;
    Ok(Box::leak(Box::new(library)))
}

/// The text of the system's loader, which is the cause of libloading's own error.
pub(crate) fn loader_text(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Declares a structure of functions of a C library, which return a status, and resolves them by name.
macro_rules! functions {
    ($(#[$doc:meta])* $name:ident { $($function:ident = $symbol:literal: fn($($argument:ty),*);)* }) => {
        $(#[$doc])*
        pub(crate) struct $name {
            $(pub(crate) $function: unsafe extern "C" fn($($argument),*) -> ::std::ffi::c_int,)*
        }

        impl $name {
            /// Fails with the text of the system's loader if a function is absent.
            fn resolve(library: &'static ::libloading::Library) -> ::std::result::Result<Self, String> {
                Ok(Self {
                    // SAFETY: the type is the one in the header of the library, which stays loaded.
                    $($function: *unsafe { library.get(concat!($symbol, "\0").as_bytes()) }
                        .map_err(|error| $crate::driver::library::loader_text(&error))?,)*
                })
            }
        }
    };
}
pub(crate) use functions;
