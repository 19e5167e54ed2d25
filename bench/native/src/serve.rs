//! Lines of JSON in, lines of a number out.

use std::error::Error;
use std::io::{self, BufRead};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::Value;

use crate::Shape;

/// An error, which the parent prints.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The parameters to step.
pub struct Request {
    /// PyTorch's name of the optimizer, in small letters.
    pub optimizer: String,
    /// Its options under PyTorch's names.
    pub options: Value,
    /// The shapes of the parameters.
    pub shapes: Vec<Shape>,
}

impl Request {
    fn parse(line: &Value) -> Result<Self> {
        let shapes = line["shapes"].as_array().ok_or("no shapes")?;
        let shape = |shape: &Value| shape.as_array()?.iter().map(Value::as_i64).collect::<Option<Shape>>();
        Ok(Self {
            optimizer: line["optimizer"].as_str().ok_or("no optimizer")?.to_owned(),
            options: line["options"].clone(),
            shapes: shapes.iter().map(shape).collect::<Option<_>>().ok_or("a shape is not a list of sizes")?,
        })
    }

    /// The number of that name, or what stands for it where it is not given.
    pub fn number(&self, name: &str, otherwise: f64) -> f64 {
        self.options[name].as_f64().unwrap_or(otherwise)
    }

    /// The boolean of that name; false where it is not given.
    pub fn flag(&self, name: &str) -> bool {
        self.options[name].as_bool().unwrap_or(false)
    }
}

/// Something that makes steps.
pub trait Candidate: Sized {
    /// Makes parameters, gradients and the optimizer.
    ///
    /// # Errors
    /// If it cannot make them.
    fn make(request: &Request) -> Result<Self>;
    /// Makes that many steps.
    ///
    /// # Errors
    /// A step that failed.
    fn step(&mut self, steps: u64) -> Result<()>;
    /// The checksum: the distance of the parameters along their gradients.
    ///
    /// # Errors
    /// Parameters that cannot be read.
    fn moved(&mut self) -> Result<f64>;
}

/// The number of threads that the parent requests.
pub fn wanted_threads() -> usize {
    std::env::var("OMP_NUM_THREADS").ok().and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// Serves a candidate until the input ends.
pub fn serve<C: Candidate>() -> ExitCode {
    println!("{}", wanted_threads());
    let mut candidate = None;
    for line in io::stdin().lock().lines() {
        match line.map_err(Into::into).and_then(|line| answer::<C>(&mut candidate, &line)) {
            Ok(number) => println!("{number}"),
            Err(error) => {
                println!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn answer<C: Candidate>(candidate: &mut Option<C>, line: &str) -> Result<f64> {
    let line: Value = serde_json::from_str(line)?;
    match line["do"].as_str() {
        Some("make") => {
            *candidate = None;
            *candidate = Some(C::make(&Request::parse(&line)?)?);
            Ok(0.0)
        }
        Some("drop") => {
            *candidate = None;
            Ok(0.0)
        }
        Some("step") => {
            let candidate = candidate.as_mut().ok_or("nothing was made")?;
            let steps = line["steps"].as_u64().ok_or("no number of steps")?;
            let start = Instant::now();
            candidate.step(steps)?;
            Ok(start.elapsed().as_nanos() as f64)
        }
        Some("moved") => candidate.as_mut().ok_or("nothing was made")?.moved(),
        _ => Err(format!("not a request: {line}").into()),
    }
}
