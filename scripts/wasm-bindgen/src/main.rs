//! `stepwell-wasm-bindgen MODULE FOLDER`: writes `engine.js` and `engine_bg.wasm` for a module of Rust's compiler.
//!
//! What the `wasm-bindgen` program does, without its web server for tests, which takes most of its time to build.

use std::env::args;
use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let [module, folder] = args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "usage: MODULE FOLDER")?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("engine").web(true)?;
    // A loader names the file; a URL of our own would make bundlers copy it a second time.
    bindgen.omit_default_module_path(true).typescript(false);
    // A trap leaves a module that is good for nothing; this exports a function that makes a fresh instance.
    bindgen.reset_state_function(true);
    bindgen.remove_producers_section(true).generate(folder)?;
    Ok(())
}
