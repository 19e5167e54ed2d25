//! Tells the program where to look for the libtorch that torch-sys found.

use std::{env, process};

fn main() {
    let Ok(lib) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        eprintln!("torch-sys did not say where libtorch is");
        process::exit(1);
    };
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
}
