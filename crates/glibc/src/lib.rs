//! Links an addon to symbols that older versions of glibc and libstdc++ have too, for the build scripts of the addons.
//!
//! A linker takes the newest version of a symbol that the build machine has, and an older system then refuses the addon. libtorch
//! itself needs glibc 2.28 and GLIBCXX 3.4.22, so an addon should not need more. `test/packaging` reads the versions of the built
//! files, and compares them with `packages/native/libtorch.json`.

use std::env;
use std::path::Path;

/// Functions that moved from libdl and libpthread into libc with glibc 2.34, which also has their older versions.
const MOVED: [&str; 13] = [
    "dladdr",
    "dlclose",
    "dlerror",
    "dlopen",
    "dlsym",
    "pthread_attr_setstacksize",
    "pthread_create",
    "pthread_detach",
    "pthread_join",
    "pthread_key_create",
    "pthread_key_delete",
    "pthread_setname_np",
    "pthread_setspecific",
];

/// Links the shared library of the calling build script to glibc 2.28, where the target has glibc.
pub fn link_glibc() {
    if has_glibc() {
        link(false, "glibc.c");
        for name in MOVED {
            println!("cargo:rustc-cdylib-link-arg=-Wl,--wrap={name}");
        }
    }
}

/// Links the shared library of the calling build script to the libstdc++ of GCC 8, where the target has glibc.
pub fn link_libstdcxx() {
    if has_glibc() {
        link(true, "libstdcxx.cpp");
    }
}

/// Keeps the shared library of the calling build script loaded until the process ends, where the target has glibc. A worker unloads its
/// addons when it ends. A thread that waits for another process goes on, and the exit of the process calls the addon.
pub fn keep_loaded() {
    if has_glibc() {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}

fn has_glibc() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu")
}

fn link(cpp: bool, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    println!("cargo:rerun-if-changed={}", path.display());
    // As an object: from an archive a linker takes only members that it misses by then.
    for object in cc::Build::new().cpp(cpp).warnings(true).file(path).compile_intermediates() {
        println!("cargo:rustc-cdylib-link-arg={}", object.display());
    }
}
