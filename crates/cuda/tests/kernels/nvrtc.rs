//! NVRTC compiles all kernels without a GPU or a driver. PTX of the oldest GPUs has 16-byte accesses and no contraction. Machine code of
//! four generations spills nothing; three of them are ignored tests.
//!
//! `scripts/nvrtc.mjs` fetches the pinned NVRTC: 90 MB, once for a user.

use std::path::{Path, PathBuf};
use std::process::Command;

use stepwell_cuda::{Nvrtc, Target};
use stepwell_optim::{CATALOG, Definition, DeviceRule, Element, Optimizer, OptionValue, Variant, lbfgs_source};

use crate::options;

fn nvrtc() -> Nvrtc {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new("node").arg(root.join("scripts/nvrtc.mjs")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    Nvrtc::open(&[folder]).unwrap()
}

/// The text of an optimizer for each of its kernels and each type.
fn source(definition: &'static Definition) -> String {
    let optimizer = Optimizer::with_groups(definition, &options::groups(definition)).unwrap();
    let lists: Vec<&[OptionValue]> = optimizer.groups().iter().map(|group| group.options()).collect();
    let rule = DeviceRule::new(definition, &lists).unwrap();
    let mut variants: Vec<Variant> = Vec::new();
    for group in 0..lists.len() {
        // The types of 16 bits differ in their conversion alone.
        for element in [Element::Float, Element::Double, Element::Half] {
            let variant = rule.variant(group, element);
            let narrows = variant.bfloat16_buffers.contains(&true);
            let has_no_values = narrows && element == Element::Double;
            if !has_no_values && !variants.contains(&variant) {
                variants.push(variant);
            }
        }
    }
    variants.push(rule.variant(0, Element::BFloat16));
    rule.source(&variants).unwrap()
}

/// The kernels in the text of an optimizer.
fn kernels(definition: &Definition) -> &'static [&'static str] {
    match definition.name {
        "lamb" => &["gradient_squares", "transformed_squares", "measure", "apply"],
        _ => &["gradient_squares", "transformed_squares", "step"],
    }
}

/// The compute capability of the oldest GPUs that the kernels run on.
const OLDEST: u32 = 75;

/// Each text with its name and its kernels.
fn for_each_text(mut check: impl FnMut(&str, &str, &[&str])) {
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        check(definition.name, &source(definition), kernels(definition));
    }
    let passes = ["negate", "scale", "axpy", "dot", "magnitudes", "form_pair", "first_loop", "second_loop"];
    for is_double in [false, true] {
        check(&format!("lbfgs ({is_double})"), &lbfgs_source(is_double), &passes);
    }
}

fn check(capability: u32) {
    let nvrtc = nvrtc();
    for_each_text(|name, source, kernels| {
        check_machine_code(&nvrtc, capability, &format!("{name} for compute capability {capability}"), source, kernels);
    });
}

fn check_machine_code(nvrtc: &Nvrtc, capability: u32, context: &str, source: &str, kernels: &[&str]) {
    let compiled = nvrtc.compile(source, Target::Cubin(capability), &["--ptxas-options=-v"]).unwrap();
    assert!(!compiled.code.is_empty(), "{context}");
    assert!(!compiled.log.contains("warning"), "{context}: {}", compiled.log);
    let spills = "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads";
    let frames: Vec<_> = compiled.log.lines().filter(|line| line.contains("bytes stack frame")).collect();
    assert_eq!(frames.len(), kernels.len(), "{context}: {}", compiled.log);
    assert!(frames.iter().all(|line| line.contains(spills)), "{context}: {}", compiled.log);
}

fn check_ptx(nvrtc: &Nvrtc, context: &str, source: &str, kernels: &[&str]) {
    let ptx = nvrtc.compile(source, Target::Ptx(OLDEST), &[]).unwrap();
    let ptx = String::from_utf8(ptx.code).unwrap();
    let entries: Vec<_> = ptx.split(".visible .entry ").skip(1).collect();
    assert_eq!(entries.len(), kernels.len(), "{context}");
    for entry in entries {
        let name = entry.split('(').next().unwrap();
        assert!(kernels.contains(&name), "{context}: {name}");
        assert!(entry.contains("ld.global.v4.u32"), "{context}: {name} loads no 16 bytes at once");
        let stores = !name.ends_with("_squares") && !["dot", "magnitudes"].contains(&name);
        assert_eq!(entry.contains("st.global.v4.u32"), stores, "{context}: {name} and stores of 16 bytes");
        for forbidden in ["fma.", ".local", "div.approx", "div.full", "sqrt.approx", ".ftz"] {
            assert!(!entry.contains(forbidden), "{context}: {name} has {forbidden}");
        }
    }
}

/// PTX of other architectures differs in its header.
#[test]
fn kernels_have_no_contraction_and_access_16_bytes() {
    let nvrtc = nvrtc();
    for_each_text(|name, source, kernels| check_ptx(&nvrtc, name, source, kernels));
}

#[test]
#[ignore = "takes half a minute, and the newest generation is tested"]
fn kernels_compile_for_turing() {
    check(OLDEST);
}

#[test]
#[ignore = "takes half a minute, and the newest generation is tested"]
fn kernels_compile_for_ampere() {
    check(80);
}

#[test]
#[ignore = "takes half a minute, and the newest generation is tested"]
fn kernels_compile_for_hopper() {
    check(90);
}

#[test]
fn kernels_compile_for_blackwell() {
    check(100);
}

/// The checks find contraction and spills where they are.
#[test]
fn the_checks_find_faults() {
    let nvrtc = nvrtc();
    let fused = "extern \"C\" __global__ void f(double* x) { x[0] = __fma_rn(x[0], x[1], x[2]); }";
    let ptx = String::from_utf8(nvrtc.compile(fused, Target::Ptx(80), &[]).unwrap().code).unwrap();
    assert!(ptx.contains("fma."));
    let plain = "extern \"C\" __global__ void f(double* x) { x[0] = x[0] * x[1] + x[2]; }";
    let ptx = String::from_utf8(nvrtc.compile(plain, Target::Ptx(80), &[]).unwrap().code).unwrap();
    assert!(!ptx.contains("fma."));
    let indexed = "extern \"C\" __global__ void f(int* x) { int y[64]; for (int i = 0; i < 64; i++) y[i] = x[i]; \
                   for (int i = 0; i < 64; i++) x[i] = y[x[i] & 63]; }";
    let log = nvrtc.compile(indexed, Target::Cubin(80), &["--ptxas-options=-v"]).unwrap().log;
    assert!(log.contains("bytes stack frame") && !log.contains(" 0 bytes stack frame"), "{log}");
}
