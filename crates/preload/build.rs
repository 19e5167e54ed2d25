//! Lets the addon leave Node-API's symbols to the Node that loads it.

fn main() {
    napi_build::setup();
    stepwell_glibc::link_glibc();
}
