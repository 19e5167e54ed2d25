//! Sets up linking against Node.

fn main() {
    napi_build::setup();
    stepwell_glibc::link_glibc();
    stepwell_glibc::link_libstdcxx();
    stepwell_glibc::keep_loaded();
}
