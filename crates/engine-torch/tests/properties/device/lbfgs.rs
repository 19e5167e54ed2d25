//! Steps of L-BFGS on the device: the bits of the CPU, and copies of a few numbers only.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwell_cuda::Emulator;
use stepwell_engine_torch::TorchEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Data, NumericArray, Session, Value};

use super::job::{engine_on, n, numbers, object, s, without_pointers};

/// A module of two layers and its optimizer.
struct Job {
    session: RefCell<Session<TorchEngine>>,
    emulator: Arc<Emulator>,
    on_device: Arc<AtomicBool>,
    module: Value,
    optimizer: Value,
    x: Value,
    y: Value,
    /// The evaluation that fails, counted from 1.
    fails_at: Cell<usize>,
    evaluations: Cell<usize>,
}

impl Job {
    fn new(device: bool, dtype: &str, options: Value) -> Self {
        let (emulator, on_device) = (Arc::new(Emulator::new()), Arc::new(AtomicBool::new(device)));
        let engine = if device { engine_on(&emulator, &on_device) } else { TorchEngine::new() };
        let mut job = Self {
            session: RefCell::new(Session::new(engine)),
            emulator,
            on_device,
            module: Value::Null,
            optimizer: Value::Null,
            x: Value::Null,
            y: Value::Null,
            fails_at: Cell::default(),
            evaluations: Cell::default(),
        };
        job.call("seed", [n(3.0)]);
        let linear =
            |name: &str, inputs: f64, outputs: f64| Value::Array(vec![s("linear"), s(name), n(inputs), n(outputs)]);
        let children =
            Value::Array(vec![linear("a", 13.0, 31.0), Value::Array(vec![s("tanh")]), linear("b", 31.0, 3.0)]);
        let container = Value::Array(vec![s("sequential"), s("A")]);
        job.module = job.call("module", [object([("container", container), ("children", children)])]);
        job.call("to", [job.module.clone(), s(dtype)]);
        job.x = job.call("tensor", [numbers(1, &[20, 13]), s(dtype)]);
        job.y = job.call("tensor", [numbers(2, &[20, 3]), s(dtype)]);
        job.optimizer = job.call("opt", [s("lbfgs"), job.module.clone(), options]);
        job
    }

    fn call<const N: usize>(&self, command: &str, arguments: [Value; N]) -> Value {
        let result = self.session.borrow_mut().call(command, arguments.to_vec());
        result.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn evaluate(&self) -> Result<f64> {
        self.evaluations.set(self.evaluations.get() + 1);
        if self.evaluations.get() == self.fails_at.get() {
            return Err(Error::new(Code::Engine, "the closure fails"));
        }
        self.call("zerograd", [self.optimizer.clone()]);
        let output = self.call("forward", [self.module.clone(), self.x.clone()]);
        let loss = self.call("mse", [output.clone(), self.y.clone()]);
        self.call("backward", [loss.clone()]);
        let number = match self.call("data", [loss.clone()]) {
            Value::NumericArray(NumericArray { data: Data::Float(loss), .. }) => f64::from(loss[0]),
            Value::NumericArray(NumericArray { data: Data::Double(loss), .. }) => loss[0],
            other => panic!("{other}"),
        };
        for made in [output, loss] {
            self.call("free", [made]);
        }
        Ok(number)
    }

    fn step(&self) -> Result<f64> {
        let Value::Handle(optimizer) = self.optimizer else { panic!("no handle") };
        Session::step_with_closure(&self.session, optimizer, &mut || self.evaluate(), Value::Undefined)
    }

    /// Parameters and state as text. Equal texts are equal bits.
    fn result(&self) -> String {
        let state = self.call("state", [self.optimizer.clone()]);
        let size = ["tensorcount", "elements", "bytes"].map(|count| self.call(count, [self.optimizer.clone()]));
        let module = self.call("state", [self.module.clone()]);
        format!("{:?} {:?} {size:?}", without_pointers(state), without_pointers(module))
    }
}

fn variants() -> Vec<Value> {
    let search = ("search", s("strong_wolfe"));
    vec![
        object([("iter", n(5.0))]),
        object([("iter", n(4.0)), ("history", n(2.0)), ("lr", n(0.3))]),
        object([("iter", n(6.0)), search.clone()]),
        object([("iter", n(4.0)), search, ("history", n(3.0))]),
    ]
}

#[track_caller]
fn same_on_both(dtype: &str, program: impl Fn(&mut Job) -> String) {
    for options in variants() {
        let (mut cpu, mut device) = (Job::new(false, dtype, options.clone()), Job::new(true, dtype, options.clone()));
        assert_eq!(program(&mut device), program(&mut cpu), "{dtype} {options}");
        assert!(cpu.result() == device.result(), "{dtype} {options}: the results differ");
        assert_eq!(cpu.evaluations, device.evaluations);
        assert!(device.emulator.counts().launches > 0, "{options}: no kernel ran");
    }
}

#[test]
fn steps_have_the_bits_of_the_cpu() {
    for dtype in ["float", "double"] {
        same_on_both(dtype, |job| format!("{:?}", (0..4).map(|_| job.step().unwrap()).collect::<Vec<_>>()));
    }
}

#[test]
fn frozen_layers_keep_their_elements() {
    same_on_both("float", |job| {
        let mut losses = vec![job.step().unwrap()];
        let weight = job.call("parm", [job.module.clone(), s("a.weight")]);
        for flag in [false, true] {
            job.call("gradflag", [weight.clone(), Value::Bool(flag)]);
            losses.extend((0..2).map(|_| job.step().unwrap()));
            losses.push(losses.len() as f64);
        }
        format!("{losses:?} {}", job.result())
    });
}

#[test]
fn a_restored_optimizer_goes_on() {
    same_on_both("double", |job| {
        for _ in 0..2 {
            job.step().unwrap();
        }
        let [optimizer, module] = [job.optimizer.clone(), job.module.clone()].map(|object| job.call("state", [object]));
        job.module = job.call("module", [module]);
        job.optimizer = job.call("opt", [optimizer, job.module.clone()]);
        let restored = job.result();
        format!("{restored} {:?}", (0..2).map(|_| job.step().unwrap()).collect::<Vec<_>>())
    });
}

#[test]
fn a_module_that_moves_keeps_its_state() {
    same_on_both("float", |job| {
        let is_device = job.on_device.load(Ordering::Relaxed);
        let mut losses = Vec::new();
        for on_device in [true, false, false, true, true] {
            job.on_device.store(on_device && is_device, Ordering::Relaxed);
            let before = job.emulator.counts().launches;
            losses.push(job.step().unwrap());
            assert_eq!(
                job.emulator.counts().launches > before,
                on_device && is_device,
                "kernels run on the device only"
            );
        }
        format!("{losses:?}")
    });
}

#[test]
fn a_closure_that_fails_changes_nothing() {
    same_on_both("float", |job| {
        job.step().unwrap();
        let before = job.result();
        for later in [1, 2, 3] {
            job.fails_at.set(job.evaluations.get() + later);
            assert_eq!(job.step().unwrap_err().code(), Code::Engine);
            assert!(job.result() == before, "evaluation {later}");
        }
        format!("{}", job.step().unwrap())
    });
}

#[test]
fn a_step_copies_scalars_and_no_vector() {
    for options in variants() {
        let job = Job::new(true, "float", options.clone());
        for _ in 0..3 {
            job.emulator.reset_counts();
            job.step().unwrap();
            let counts = job.emulator.counts();
            assert_eq!(counts.uploads, 0, "{options}");
            // The sums of one pass a time.
            assert_eq!(counts.downloaded_bytes, 40 * counts.downloads, "{options}");
            assert!(counts.downloads > 0 && counts.downloads < 60, "{options}: {}", counts.downloads);
        }
    }
}

#[test]
fn an_offloaded_step_is_made_in_host_memory() {
    let job = Job::new(true, "float", object([("iter", n(3.0)), ("offload", Value::Bool(true))]));
    job.step().unwrap();
    assert_eq!(job.emulator.counts().launches, 0);
}
