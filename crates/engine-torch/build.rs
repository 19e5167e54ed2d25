//! Compiles the C++ shim against the libtorch that torch-sys found.

use std::path::PathBuf;
use std::{env, process};

fn main() {
    const FILES: [&str; 11] = [
        "src/cuda.cpp",
        "src/allocator.cpp",
        "src/shim.cpp",
        "src/elementwise.cpp",
        "src/backward.cpp",
        "src/parameter_views/flat_vector.cpp",
        "src/called_function.cpp",
        "src/parameter_views/staging.cpp",
        "src/reduction/arrivals.cpp",
        "src/library/optimizer.cpp",
        "src/library/lbfgs.cpp",
    ];
    for file in FILES.iter().chain(&["src/library/rules.h", "src/backward.h", "src/called_function.h", "src/status.h"])
    {
        println!("cargo:rerun-if-changed={file}");
    }
    let Some(lib) = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        eprintln!("torch-sys did not say where libtorch is");
        process::exit(1);
    };
    let include = lib.with_file_name("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(true)
        // As system headers, whose warnings are not shown.
        .flag("-isystem")
        .flag(&include)
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .files(FILES)
        .compile("stepwell_engine_torch");

    // Without the libraries of CUDA, so that one binary runs on machines with and without CUDA.
    println!("cargo:rustc-link-search=native={}", lib.display());
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
    // For the tests of this package only: packages/native loads libtorch before the addon.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
}
