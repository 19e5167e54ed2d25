//! Times the steps of tch's own Adam on tensors whose shapes are the arguments, such as `128x784 128`.
//!
//! Prints how many threads libtorch uses. Then it makes as many steps as each line of its input says and prints the
//! nanoseconds that they took. At the end of the input it prints the sum of all parameters' absolute values, by which
//! the benchmark sees that both sides did the same work.

use std::error::Error;
use std::io::{self, BufRead};
use std::process::ExitCode;
use std::time::Instant;

use tch::nn::{Adam, OptimizerConfig, VarStore};
use tch::{Device, Kind, Tensor};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tch-adam: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let store = VarStore::new(Device::Cpu);
    let mut parameters = Vec::new();
    let mut loss = Tensor::from(0.0f32);
    for (index, shape) in std::env::args().skip(1).enumerate() {
        let shape = shape.split('x').map(str::parse).collect::<std::result::Result<Vec<i64>, _>>()?;
        let parameter = store.root().f_var_copy(&format!("parameter{index}"), &filled(&shape, 7919)?)?;
        // A loss with this gradient.
        loss = loss.f_add(&parameter.f_mul(&filled(&shape, 104_729)?)?.f_sum(Kind::Float)?)?;
        parameters.push(parameter);
    }
    loss.f_backward()?;
    let mut adam = Adam::default().build(&store, 1e-3)?;

    println!("{}", tch::get_num_threads());
    for line in io::stdin().lock().lines() {
        let steps: u64 = line?.parse()?;
        let start = Instant::now();
        for _ in 0..steps {
            adam.step();
        }
        println!("{}", start.elapsed().as_nanos());
    }

    let mut sum = 0.0;
    for parameter in &parameters {
        sum += parameter.f_abs()?.f_sum(Kind::Double)?.f_double_value(&[])?;
    }
    println!("{sum}");
    Ok(())
}

/// The numbers that models.ts makes, too: between -0.5 and 0.5 and in no order.
fn filled(shape: &[i64], factor: i64) -> Result<Tensor> {
    let numbers: Vec<f32> =
        (0..shape.iter().product()).map(|i: i64| ((i * factor % 1000) as f64 / 1000.0 - 0.5) as f32).collect();
    Ok(Tensor::f_from_slice(&numbers)?.f_reshape(shape)?)
}
