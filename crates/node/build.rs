//! Sets up linking against Node.

fn main() {
    napi_build::setup();
    stepwell_glibc::link_glibc();
    // The engine in Rust has no C++. Node happens to have these symbols, and other runtimes do not.
    #[cfg(feature = "libtorch")]
    stepwell_glibc::link_libstdcxx();
    stepwell_glibc::keep_loaded();
}
