//! Stepwell without Node: the session that the addon calls, called from Rust.

use std::process::ExitCode;

use serde_json::Value;
use stepwell_bench::{Candidate, Request, Result, moved, pattern, serve};
use stepwell_engine_torch::TorchEngine;
use stepwell_session::{Array, Data, Dynamic, Session};

fn main() -> ExitCode {
    serve::<InRust>()
}

struct InRust {
    session: Session<TorchEngine>,
    parameters: Vec<Dynamic>,
    optimizer: Dynamic,
}

impl Candidate for InRust {
    fn make(request: &Request) -> Result<Self> {
        let mut session = Session::new(TorchEngine::new());
        let mut parameters = Vec::new();
        for shape in &request.shapes {
            let (numbers, gradient) = pattern(shape);
            let shape: Vec<_> = shape.iter().map(|size| *size as usize).collect();
            let array = |numbers| Dynamic::Array(Array { data: Data::Float(numbers), shape: shape.clone() });
            let words = vec![array(numbers), Dynamic::text("grad")];
            let parameter = session.call("tensor", words)?;
            let gradient = session.call("tensor", vec![array(gradient)])?;
            session.call("grad", vec![parameter.clone(), gradient.clone()])?;
            session.call("free", vec![gradient])?;
            parameters.push(parameter);
        }
        let all = session.call("vector", parameters.clone())?;
        let options = request.options.as_object().ok_or("the options are no object")?;
        let options = Dynamic::dictionary(options.iter().map(|(name, value)| (name.clone(), dynamic(value))));
        let optimizer = session.call("opt", vec![Dynamic::text(&request.optimizer), all, options])?;
        Ok(Self { session, parameters, optimizer })
    }

    fn step(&mut self, steps: u64) -> Result<()> {
        for _ in 0..steps {
            self.session.call("step", vec![self.optimizer.clone()])?;
        }
        Ok(())
    }

    fn moved(&mut self) -> Result<f64> {
        let mut sum = 0.0;
        for parameter in &self.parameters {
            let read = self.session.call("data", vec![parameter.clone()])?;
            let Dynamic::Array(Array { data: Data::Float(numbers), .. }) = read else {
                return Err("a parameter is not of 32-bit numbers".into());
            };
            sum += moved(&numbers);
        }
        Ok(sum)
    }
}

fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Bool(flag) => Dynamic::Flag(*flag),
        Value::Number(number) => Dynamic::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Dynamic::text(text),
        _ => Dynamic::Null,
    }
}
