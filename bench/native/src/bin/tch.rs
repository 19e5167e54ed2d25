//! tch's own optimizers.

use std::process::ExitCode;

use stepwell_bench::{Candidate, Request, Result, moved, pattern, serve};
use tch::nn::{Adam, AdamW, Optimizer, OptimizerConfig, RmsProp, Sgd, VarStore};
use tch::{Device, Kind, Tensor};

fn main() -> ExitCode {
    serve::<Tch>()
}

struct Tch {
    // The optimizer steps what this holds.
    _store: VarStore,
    parameters: Vec<Tensor>,
    optimizer: Optimizer,
}

impl Candidate for Tch {
    fn make(request: &Request) -> Result<Self> {
        let store = VarStore::new(Device::Cpu);
        let mut parameters = Vec::new();
        for (index, shape) in request.shapes.iter().enumerate() {
            let (numbers, gradient) = pattern(shape);
            let tensor = Tensor::f_from_slice(&numbers)?.f_reshape(shape)?;
            let parameter = store.root().f_var_copy(&format!("parameter{index}"), &tensor)?;
            // A loss with this gradient.
            let gradient = Tensor::f_from_slice(&gradient)?.f_reshape(shape)?;
            parameter.f_mul(&gradient)?.f_sum(Kind::Float)?.f_backward()?;
            parameters.push(parameter);
        }
        let optimizer = build(request, &store)?;
        Ok(Self { _store: store, parameters, optimizer })
    }

    fn step(&mut self, steps: u64) -> Result<()> {
        (0..steps).for_each(|_| self.optimizer.step());
        Ok(())
    }

    fn moved(&mut self) -> Result<f64> {
        let mut sum = 0.0;
        for parameter in &self.parameters {
            let flat = parameter.f_detach()?.f_reshape([-1])?;
            sum += moved(&Vec::<f32>::try_from(&flat)?);
        }
        Ok(sum)
    }
}

fn build(request: &Request, store: &VarStore) -> Result<Optimizer> {
    let lr = request.number("lr", 1e-3);
    let wd = request.number("weight_decay", 0.0);
    let eps = request.number("eps", 1e-8);
    let momentum = request.number("momentum", 0.0);
    let amsgrad = request.flag("amsgrad");
    Ok(match request.optimizer.as_str() {
        "adam" => Adam { wd, eps, amsgrad, ..Adam::default() }.build(store, lr)?,
        "adamw" => AdamW { wd, eps, amsgrad, ..AdamW::default() }.build(store, lr)?,
        "sgd" => Sgd { momentum, wd, ..Sgd::default() }.build(store, lr)?,
        "rmsprop" => {
            let centered = request.flag("centered");
            RmsProp { wd, eps, momentum, centered, ..RmsProp::default() }.build(store, lr)?
        }
        other => return Err(format!("tch has no {other}").into()),
    })
}
