//! Stepwell without Node: the session that the addon calls, called from Rust.

use std::process::ExitCode;

use serde_json::Value as Json;
use stepwell_bench::{Candidate, Request, Result, moved, pattern, serve};
use stepwell_engine_torch::TorchEngine;
use stepwell_session::{Data, NumericArray, Session, Value};

fn main() -> ExitCode {
    serve::<InRust>()
}

struct InRust {
    session: Session<TorchEngine>,
    parameters: Vec<Value>,
    optimizer: Value,
}

impl Candidate for InRust {
    fn make(request: &Request) -> Result<Self> {
        let mut session = Session::new(TorchEngine::new());
        let mut parameters = Vec::new();
        for shape in &request.shapes {
            let (numbers, gradient) = pattern(shape);
            let shape: Vec<_> = shape.iter().map(|size| *size as usize).collect();
            let array =
                |numbers| Value::NumericArray(NumericArray { data: Data::Float(numbers), shape: shape.clone() });
            let words = vec![array(numbers), Value::string("grad")];
            let parameter = session.call("tensor", words)?;
            let gradient = session.call("tensor", vec![array(gradient)])?;
            session.call("grad", vec![parameter.clone(), gradient.clone()])?;
            session.call("free", vec![gradient])?;
            parameters.push(parameter);
        }
        let all = session.call("vector", parameters.clone())?;
        let options = request.options.as_object().ok_or("the options are no object")?;
        let options = Value::object(options.iter().map(|(name, value)| (name.clone(), to_value(value))));
        let optimizer = session.call("opt", vec![Value::string(&request.optimizer), all, options])?;
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
            let Value::NumericArray(NumericArray { data: Data::Float(numbers), .. }) = read else {
                return Err("a parameter is not of 32-bit numbers".into());
            };
            sum += moved(&numbers);
        }
        Ok(sum)
    }
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::string(text),
        _ => Value::Null,
    }
}
