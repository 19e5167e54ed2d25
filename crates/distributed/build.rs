//! Compiles the C++ shim against the libtorch that torch-sys found.

use std::path::PathBuf;
use std::{env, process};

fn main() {
    for file in ["src/c10d.cpp", "src/guarded.h", "src/nccl.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rerun-if-changed=gloo");
    let Some(lib) = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        eprintln!("torch-sys did not say where libtorch is");
        process::exit(1);
    };
    let include = lib.with_file_name("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(true)
        // The declarations that libtorch's header names and its wheel does not bring.
        .include("gloo")
        // As system headers, whose warnings are not shown.
        .flag("-isystem")
        .flag(&include)
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include"))
        .flag("-fvisibility=hidden")
        .flag("-fvisibility-inlines-hidden")
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .define("USE_C10D_GLOO", None)
        .file("src/c10d.cpp")
        .compile("stepwell_distributed");
    println!("cargo:rustc-link-search=native={}", lib.display());
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
    // For the tests of this package only: packages/native loads libtorch before the addon.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
}
