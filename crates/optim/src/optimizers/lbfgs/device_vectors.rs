//! Vectors on a device. Sums stay there until the host must decide on one.

use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use atomic_refcell::AtomicRefCell;

use crate::device::device::{Device, DeviceMemory, DeviceModule};
use crate::device::layout::{BLOCK_THREADS, Plain, bytes_of, bytes_of_mut};
use crate::device::source::vector_source;
use crate::error::{Code, Error, Result};
use crate::fallible::{filled, out_of_memory};
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::vector_memory::{RecursionPass, VectorMemory};

/// In elements: the part of a vector that a block takes, as in `vector_passes.cuh`.
const CHUNK: usize = 1 << 14;
/// In bytes. A thread accesses so many at once, so each vector starts at a multiple of it.
const ALIGNMENT: usize = 16;
/// Sums of a pass, as in `vector_passes.cuh`.
const MAX_SUMS: usize = 3;

const PASSES: &str = include_str!("vector_passes.cuh");

/// The CUDA C++ of the passes over vectors of f32, or of f64 if `is_double` is true.
pub fn lbfgs_source(is_double: bool) -> String {
    vector_source(if is_double { "double" } else { "float" }, PASSES)
}

/// An objective of parameters on a device, as one vector there.
pub trait DeviceObjective {
    /// Copies the parameters to an address on the device.
    fn parameters(&mut self, to: u64) -> Result<()>;
    /// Sets the parameters from an address on the device.
    fn set_parameters(&mut self, from: u64) -> Result<()>;
    /// Evaluates the loss at the current parameters, and writes the gradient to an address on the device.
    fn evaluate(&mut self, gradient: u64) -> Result<f64>;
}

/// A type of elements on a device.
pub(super) trait DeviceElement: Scalar + Plain {
    const IS_DOUBLE: bool;
}

impl DeviceElement for f32 {
    const IS_DOUBLE: bool = false;
}

impl DeviceElement for f64 {
    const IS_DOUBLE: bool = true;
}

/// `VectorResults` of `vector_passes.cuh`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct VectorResults {
    sums: [f64; MAX_SUMS],
    product: f64,
    finished: u32,
    padding: u32,
}

const _: () = assert!(size_of::<VectorResults>() == 40);
// SAFETY: the size is the sum of the sizes of the fields, which are numbers.
unsafe impl Plain for VectorResults {}

/// An array on a device.
#[derive(Default)]
pub(super) struct DeviceVector {
    memory: Option<Box<dyn DeviceMemory>>,
    /// In elements.
    length: usize,
}

/// Consecutive elements on a device.
#[derive(Clone, Copy)]
pub(super) struct DeviceElements {
    address: u64,
    /// In elements.
    length: usize,
}

/// Vectors of one length on one device.
pub(super) struct DeviceVectors<T>(Arc<Passes>, PhantomData<T>);

/// The compiled passes with their memory.
struct Passes {
    device: Arc<dyn Device>,
    module: Arc<dyn DeviceModule>,
    /// [`VectorResults`], then [`MAX_SUMS`] partial sums for each chunk.
    results: Box<dyn DeviceMemory>,
    /// In chunks.
    chunks: usize,
    /// The coefficients of the recursion.
    coefficients: AtomicRefCell<Option<Box<dyn DeviceMemory>>>,
}

/// Vectors and factors of a pass; 0 for one that it does not use.
#[derive(Default)]
struct Arguments {
    vectors: [u64; 5],
    factor: f64,
    scale: f64,
    coefficient: usize,
}

/// A dot product that the device has, until the next sum.
pub(super) struct LastProduct {
    has_elements: bool,
}

impl<T> Clone for DeviceVectors<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<T: DeviceElement> DeviceVectors<T> {
    /// Loads the passes for vectors of this length.
    pub(super) fn new(device: &Arc<dyn Device>, length: usize) -> Result<Self> {
        let chunks = length.div_ceil(CHUNK);
        let bytes = size_of::<VectorResults>() + chunks * MAX_SUMS * size_of::<f64>();
        let module = device.load(&lbfgs_source(T::IS_DOUBLE))?;
        let results = device.allocate(bytes)?;
        // The number of finished blocks.
        device.zero(results.address(), size_of::<VectorResults>())?;
        let device = Arc::clone(device);
        Ok(Self(Arc::new(Passes { device, module, results, chunks, coefficients: AtomicRefCell::default() }), PhantomData))
    }

    /// True for vectors of this length on this device.
    pub(super) fn are_on(&self, device: &Arc<dyn Device>, length: usize) -> bool {
        ptr::addr_eq(Arc::as_ptr(&self.0.device), Arc::as_ptr(device)) && self.0.chunks == length.div_ceil(CHUNK)
    }

    /// Copies the parameters of an objective.
    pub(super) fn read(objective: &mut dyn DeviceObjective, to: DeviceElements) -> Result<()> {
        objective.parameters(to.address)
    }

    fn launch(&self, kernel: &'static str, length: usize, arguments: Arguments) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        let Passes { module, results, chunks, coefficients, .. } = &*self.0;
        let blocks = length.div_ceil(CHUNK);
        if blocks > *chunks {
            return Err(Error::new(Code::Internal, "lbfgs: a vector of another length"));
        }
        let blocks = u32::try_from(blocks).map_err(|_| out_of_memory(length))?;
        let [a, b, c, d, e] = arguments.vectors;
        let coefficients = coefficients.borrow().as_ref().map_or(0, |memory| memory.address());
        let sums = results.address() + size_of::<VectorResults>() as u64;
        let (factor, scale) = (arguments.factor.to_bits(), arguments.scale.to_bits());
        let position = arguments.coefficient as u64;
        let values =
            [a, b, c, d, e, 0, length as u64, factor, scale, results.address(), sums, coefficients, position];
        module.launch(kernel, blocks, BLOCK_THREADS, &values)
    }

    /// The results of the last pass with sums; zeros without elements. Waits for it.
    fn results(&self, has_elements: bool) -> Result<VectorResults> {
        let mut results = [VectorResults::default()];
        if has_elements {
            self.0.device.download(self.0.results.address(), bytes_of_mut(&mut results))?;
        }
        let [results] = results;
        Ok(results)
    }

    fn magnitudes(&self, x: DeviceElements) -> Result<[f64; MAX_SUMS]> {
        self.launch("magnitudes", x.length, Arguments { vectors: [x.address, 0, 0, 0, 0], ..Arguments::default() })?;
        Ok(self.results(x.length > 0)?.sums)
    }
}

impl<T: DeviceElement> VectorMemory for DeviceVectors<T> {
    type Element = T;
    type Vector = DeviceVector;
    type Ref<'a> = DeviceElements;
    type Mut<'a> = DeviceElements;
    type Product = LastProduct;
    type Objective<'a> = dyn DeviceObjective + 'a;

    fn reserve(&self, vector: &mut DeviceVector, length: usize) -> Result<()> {
        let bytes = length.checked_mul(size_of::<T>()).ok_or_else(|| out_of_memory(usize::MAX))?;
        if vector.memory.as_ref().map_or(0, |memory| memory.bytes()) < bytes {
            // Before a new allocation, so that both do not exist at once.
            *vector = DeviceVector::default();
            vector.memory = Some(self.0.device.allocate(bytes)?);
        }
        Ok(())
    }

    fn resize(vector: &mut DeviceVector, length: usize) {
        vector.length = length;
    }

    fn len(vector: &DeviceVector) -> usize {
        vector.length
    }

    fn length(elements: DeviceElements) -> usize {
        elements.length
    }

    fn part(vector: &DeviceVector, start: usize, length: usize) -> DeviceElements {
        let first = vector.memory.as_ref().map_or(0, |memory| memory.address());
        DeviceElements { address: first + (start * size_of::<T>()) as u64, length }
    }

    fn all_mut(vector: &mut DeviceVector) -> DeviceElements {
        Self::all(vector)
    }

    fn pair_mut(vector: &mut DeviceVector, start: usize, width: usize) -> (DeviceElements, DeviceElements) {
        (Self::part(vector, start, width), Self::part(vector, start + Self::stride(width), width))
    }

    fn stride(width: usize) -> usize {
        width.next_multiple_of(ALIGNMENT / size_of::<T>())
    }

    fn reserve_coefficients(&self, count: usize) -> Result<()> {
        let mut coefficients = self.0.coefficients.borrow_mut();
        let bytes = count * size_of::<f64>();
        if coefficients.as_ref().is_none_or(|memory| memory.bytes() < bytes) {
            *coefficients = Some(self.0.device.allocate(bytes.next_power_of_two())?);
        }
        Ok(())
    }

    fn copy(&self, to: DeviceElements, from: DeviceElements) -> Result<()> {
        if from.length == 0 {
            return Ok(());
        }
        self.0.device.copy(from.address, to.address, from.length * size_of::<T>())
    }

    fn upload(&self, to: DeviceElements, from: &[T]) -> Result<()> {
        if from.is_empty() { Ok(()) } else { self.0.device.upload(to.address, bytes_of(from)) }
    }

    fn download(&self, from: DeviceElements) -> Result<Vec<T>> {
        let mut to = filled(from.length, T::default())?;
        if from.length > 0 {
            self.0.device.download(from.address, bytes_of_mut(&mut to))?;
        }
        Ok(to)
    }

    fn negate(&self, to: DeviceElements, from: DeviceElements) -> Result<()> {
        let vectors = [to.address, from.address, 0, 0, 0];
        self.launch("negate", from.length, Arguments { vectors, ..Arguments::default() })
    }

    fn negate_in_place(&self, x: DeviceElements) -> Result<()> {
        self.negate(x, x)
    }

    fn scale(&self, x: DeviceElements, h: f64) -> Result<()> {
        let vectors = [x.address, 0, 0, 0, 0];
        self.launch("scale", x.length, Arguments { vectors, scale: h, ..Arguments::default() })
    }

    fn axpy(&self, x: DeviceElements, c: f64, a: DeviceElements) -> Result<()> {
        self.axpy_to(x, x, c, a)
    }

    fn axpy_to(&self, to: DeviceElements, from: DeviceElements, c: f64, a: DeviceElements) -> Result<()> {
        let vectors = [to.address, from.address, a.address, 0, 0];
        self.launch("axpy", from.length, Arguments { vectors, factor: c, ..Arguments::default() })
    }

    fn dot(&self, a: DeviceElements, b: DeviceElements) -> Result<LastProduct> {
        let vectors = [a.address, b.address, 0, 0, 0];
        self.launch("dot", a.length, Arguments { vectors, ..Arguments::default() })?;
        Ok(LastProduct { has_elements: a.length > 0 })
    }

    fn max_abs(&self, x: DeviceElements) -> Result<f64> {
        Ok(self.magnitudes(x)?[0])
    }

    fn sum_abs(&self, x: DeviceElements) -> Result<f64> {
        Ok(self.magnitudes(x)?[1])
    }

    fn form_pair(
        &self,
        gradient: DeviceElements,
        t: f64,
        before: DeviceElements,
        d: DeviceElements,
        y: DeviceElements,
        s: DeviceElements,
    ) -> Result<(f64, f64, LastProduct)> {
        let vectors = [gradient, before, d, y, s].map(|elements| elements.address);
        self.launch("form_pair", gradient.length, Arguments { vectors, factor: t, ..Arguments::default() })?;
        let has_elements = gradient.length > 0;
        let [ys, yy, _] = self.results(has_elements)?.sums;
        Ok((ys, yy, LastProduct { has_elements }))
    }

    fn recur(
        &self,
        pass: RecursionPass<'_>,
        d: DeviceElements,
        row: DeviceElements,
        next: DeviceElements,
        _: &mut LastProduct,
    ) -> Result<()> {
        let vectors = [d.address, row.address, next.address, 0, 0];
        let arguments = Arguments { vectors, factor: pass.ro, scale: pass.h, coefficient: pass.position };
        self.launch(if pass.is_first { "first_loop" } else { "second_loop" }, d.length, arguments)
    }

    fn value(&self, product: LastProduct) -> Result<f64> {
        Ok(self.results(product.has_elements)?.product)
    }

    fn set_parameters(objective: &mut Self::Objective<'_>, parameters: DeviceElements) -> Result<()> {
        objective.set_parameters(parameters.address)
    }

    fn evaluate(objective: &mut Self::Objective<'_>, gradient: DeviceElements) -> Result<f64> {
        objective.evaluate(gradient.address)
    }
}
