//! One program in two sessions, on the CPU and on an emulated device, whose results must be equal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwell_cuda::Emulator;
use stepwell_engine_torch::{HostDevices, TorchEngine};
use stepwell_optim::{Device, DeviceMemory, DeviceModule, DeviceRead, Result};
use stepwell_session::{Data, NumericArray, Session, Value};

/// Rows with options that use every buffer of each optimizer that steps on a device.
pub(crate) fn rows() -> Vec<(&'static str, Value)> {
    let mut rows = vec![
        ("adagrad", object([("decay", n(0.1))])),
        ("adam", object([("amsgrad", Value::Bool(true))])),
        ("adamw", object([("decay", n(0.1))])),
        ("lamb", object([("decay", n(0.1))])),
        ("rmsprop", object([("momentum", n(0.5)), ("centered", Value::Bool(true))])),
        ("sgd", object([("momentum", n(0.9)), ("dampening", n(0.1))])),
    ];
    for (_, options) in &mut rows {
        let Value::Object(entries) = options else { continue };
        entries.push(("lr".into(), n(0.05)));
    }
    rows
}

pub(crate) fn n(number: f64) -> Value {
    Value::Number(number)
}

pub(crate) fn s(text: &str) -> Value {
    Value::string(text)
}

pub(crate) fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::object(entries)
}

/// The options and more options.
pub(crate) fn with(options: &Value, more: Value) -> Value {
    let (Value::Object(mut all), Value::Object(more)) = (options.clone(), more) else { panic!("no options") };
    all.extend(more);
    Value::Object(all)
}

/// Some numbers that differ, between -1 and 1.
pub(crate) fn numbers(seed: usize, shape: &[usize]) -> Value {
    let count = shape.iter().product();
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0;
    Value::NumericArray(NumericArray { data: Data::Float((0..count).map(number).collect()), shape: shape.to_vec() })
}

/// The emulator, which may also read libtorch's memory.
struct TensorDevice(Arc<Emulator>);

impl Device for TensorDevice {
    fn name(&self) -> String {
        self.0.name()
    }

    fn allocate(&self, bytes: usize) -> Result<Box<dyn DeviceMemory>> {
        self.0.allocate(bytes)
    }

    fn upload(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.0.upload(to, bytes)
    }

    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.0.download(from, bytes).or_else(|_| {
            self.0.allow(from, bytes.len());
            let read = self.0.download(from, bytes);
            self.0.forbid(from);
            read
        })
    }

    fn read(&self, from: u64) -> Result<Box<dyn DeviceRead>> {
        self.0.read(from)
    }

    fn copy(&self, from: u64, to: u64, bytes: usize) -> Result<()> {
        self.0.copy(from, to, bytes)
    }

    fn zero(&self, to: u64, bytes: usize) -> Result<()> {
        self.0.zero(to, bytes)
    }

    fn load(&self, source: &str) -> Result<Arc<dyn DeviceModule>> {
        self.0.load(source)
    }
}

/// An engine whose tensors are on the emulator while `on_device` is true.
pub(crate) fn engine_on(emulator: &Arc<Emulator>, on_device: &Arc<AtomicBool>) -> TorchEngine {
    let has = Arc::clone(on_device);
    TorchEngine::with_host_devices(HostDevices {
        devices: vec![Arc::new(TensorDevice(Arc::clone(emulator)))],
        of: Box::new(move |_| has.load(Ordering::Relaxed).then_some(0)),
    })
}

/// A session with a module and a loose tensor in two groups of an optimizer.
pub(crate) struct Job {
    session: Session<TorchEngine>,
    /// The device of the session; `None` on the CPU.
    pub(crate) emulator: Option<Arc<Emulator>>,
    /// The second device of the session, which has no tensors at first.
    pub(crate) second: Arc<Emulator>,
    /// True while all tensors count as tensors of a device.
    pub(crate) on_device: Arc<AtomicBool>,
    /// True while the loose tensor counts as one of the second device.
    pub(crate) is_split: Arc<AtomicBool>,
    dtype: &'static str,
    /// The module without the loose tensor.
    pub(crate) module: Value,
    pub(crate) container: Value,
    pub(crate) optimizer: Value,
    /// The number of steps so far, from which inputs follow.
    steps: usize,
}

impl Job {
    pub(crate) fn new(device: bool, dtype: &'static str, name: &str, options: &Value) -> Self {
        let (emulator, second) = (Arc::new(Emulator::new()), Arc::new(Emulator::new()));
        let (on_device, is_split) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let (has, splits) = (Arc::clone(&on_device), Arc::clone(&is_split));
        let engine = match device {
            true => TorchEngine::with_host_devices(HostDevices {
                devices: vec![
                    Arc::new(TensorDevice(Arc::clone(&emulator))),
                    Arc::new(TensorDevice(Arc::clone(&second))),
                ],
                of: Box::new(move |index| {
                    has.load(Ordering::Relaxed).then_some(usize::from(index > 1 && splits.load(Ordering::Relaxed)))
                }),
            }),
            false => TorchEngine::new(),
        };
        let mut job = Self {
            session: Session::new(engine),
            emulator: device.then_some(emulator),
            second,
            on_device,
            is_split,
            dtype,
            module: Value::Null,
            container: Value::Null,
            optimizer: Value::Null,
            steps: 0,
        };
        job.call("seed", [n(3.0)]);
        // Its weight has two chunks and a tail.
        let linear = Value::Array(vec![s("linear"), s("fc"), n(130.0), n(127.0)]);
        let sequential = Value::Array(vec![s("sequential"), s("A")]);
        let layers = object([("container", sequential), ("children", Value::Array(vec![linear]))]);
        let module = job.call("module", [layers]);
        job.call("to", [module.clone(), s(dtype)]);
        let loose = job.call("tensor", [numbers(1, &[3]), s(dtype), s("grad")]);
        job.optimizer = job.call("opt", [s(name), Value::Array(vec![]), options.clone()]);
        job.call("opt", [job.optimizer.clone(), n(0.0), module.clone()]);
        job.module = module;
        job.call("opt", [job.optimizer.clone(), n(1.0), loose, object([("lr", n(0.02))])]);
        job.container = job.call("module", [job.optimizer.clone()]);
        job
    }

    pub(crate) fn call<const N: usize>(&mut self, command: &str, arguments: [Value; N]) -> Value {
        self.try_call(command, arguments).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub(crate) fn try_call<const N: usize>(&mut self, command: &str, arguments: [Value; N]) -> Result<Value> {
        self.session.call(command, arguments.to_vec())
    }

    /// The type of later targets, after the parameters got it.
    pub(crate) fn set_dtype(&mut self, dtype: &'static str) {
        self.dtype = dtype;
    }

    pub(crate) fn parameter(&mut self, name: &str) -> Value {
        let container = self.container.clone();
        self.call("parm", [container, s(name)])
    }

    /// Has the next inputs follow from this number.
    pub(crate) fn set_inputs(&mut self, number: usize) {
        self.steps = number;
    }

    /// Adds to the gradients of two parameters by backward passes. The third, a bias, has none.
    pub(crate) fn backward(&mut self) {
        self.steps += 1;
        for (name, shape) in [("A.fc.weight", &[127, 130][..]), ("parms.0", &[3])] {
            let (parameter, optimizer) = (self.parameter(name), self.optimizer.clone());
            let target = self.call("tensor", [numbers(10 + self.steps, shape), s(self.dtype)]);
            let loss = self.call("mse", [parameter, target]);
            self.call("backward", [loss, optimizer]);
        }
    }

    /// A backward pass and a step.
    pub(crate) fn step(&mut self, options: &Value) {
        self.backward();
        let optimizer = self.optimizer.clone();
        self.call("step", [optimizer, options.clone()]);
    }

    /// Sets an element of the gradient of the loose tensor.
    pub(crate) fn set_gradient(&mut self, element: f64) {
        let loose = self.parameter("parms.0");
        self.call("grad", [loose, Value::Array([element, 0.5, -0.25].map(n).to_vec())]);
    }

    /// Parameters, gradients and state, as text without addresses. Equal texts are equal bits.
    pub(crate) fn result(&mut self) -> String {
        let (optimizer, container) = (self.optimizer.clone(), self.container.clone());
        let state = self.call("state", [optimizer.clone()]);
        let size = ["tensorcount", "elements", "bytes"].map(|count| self.call(count, [optimizer.clone()]));
        let module = self.call("state", [container]);
        let mut gradients = Vec::new();
        for name in ["A.fc.weight", "A.fc.bias", "parms.0"] {
            let parameter = self.parameter(name);
            gradients.push(self.call("grad", [parameter]));
        }
        let skipped = self.call("skipped", [optimizer]);
        format!("{:?} {:?} {gradients:?} {skipped:?} {size:?}", without_pointers(state), without_pointers(module))
    }
}

pub(crate) fn without_pointers(value: Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.into_iter().map(without_pointers).collect()),
        Value::Object(entries) => {
            let kept = entries.into_iter().filter(|(key, _)| key != "pointer");
            Value::Object(kept.map(|(key, value)| (key, without_pointers(value))).collect())
        }
        other => other,
    }
}

/// Runs a program on the CPU and on the device, and compares what it returns and the result. Returns the job on the device.
#[track_caller]
pub(crate) fn same_on_both<R: PartialEq + std::fmt::Debug>(
    (name, options): (&str, &Value),
    dtype: &'static str,
    program: impl Fn(&mut Job) -> R,
) -> Job {
    let (mut cpu, mut device) = (Job::new(false, dtype, name, options), Job::new(true, dtype, name, options));
    let (expected, given) = (program(&mut cpu), program(&mut device));
    assert_eq!(given, expected, "{name} {dtype} {options}");
    assert!(cpu.result() == device.result(), "{name} {dtype} {options}: the results differ");
    let counts = device.emulator.as_ref().unwrap().counts();
    assert!(counts.launches > 0, "{name} {dtype} {options}: no kernel ran");
    device
}
