//! The gradient of every operation is what finite differences of its forward calculation say, in f64.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::Result;
use stepwell_session::{Activation, BatchNorm, Data, Device, Engine, Loss, Pooling, Primitive, Reduction, Window};

use crate::primitives::{Operation, differentiable};

type Function = fn(&RustEngine, &[Tensor]) -> Result<Tensor>;

/// An operation: its name, the shapes of its inputs, and the function of them.
struct Row(&'static str, &'static [&'static [usize]], Function);

const PLAIN: Window = Window { stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
const WIDE: Window = Window { stride: [2, 1], padding: [1, 2], dilation: [1, 2] };

const PADDED: Window = Window { stride: [2, 2], padding: [1, 2], dilation: [1, 1] };

/// The first output of a primitive.
pub(crate) fn first(outputs: Result<Vec<Tensor>>) -> Result<Tensor> {
    outputs.map(|outputs| outputs[0].clone())
}

fn conv2d(k: &RustEngine, x: &[Tensor], window: Window, groups: usize) -> Result<Tensor> {
    first(k.apply(&Primitive::Conv2d { window, groups }, &x.iter().collect::<Vec<_>>()))
}

fn transposed(k: &RustEngine, x: &[Tensor], window: Window, groups: usize, size: [usize; 2]) -> Result<Tensor> {
    first(k.apply(&Primitive::ConvTranspose2d { window, groups, size }, &x.iter().collect::<Vec<_>>()))
}

fn pool(k: &RustEngine, x: &[Tensor], pooling: Pooling) -> Result<Tensor> {
    first(k.apply(&Primitive::Pool2d(pooling), &[&x[0]]))
}

fn max(kernel: [usize; 2], window: Window, ceiling: bool) -> Pooling {
    Pooling::Max { kernel, window, ceiling }
}

fn mean(kernel: [usize; 2], count_padding: bool, divisor: Option<usize>) -> Pooling {
    Pooling::Mean { kernel, window: PADDED, ceiling: true, count_padding, divisor }
}

fn long(k: &RustEngine, shape: &[usize], data: &[i64]) -> Tensor {
    k.tensor(&Data::Long(data.to_vec()), shape, Device::Cpu).unwrap()
}

fn normalised(k: &RustEngine, x: &[Tensor], training: bool) -> Result<Tensor> {
    let mean = k.tensor(&Data::Double(vec![0.25, -0.5, 0.125]), &[3], Device::Cpu)?;
    let variance = k.tensor(&Data::Double(vec![0.5, 2.0, 1.5]), &[3], Device::Cpu)?;
    let running = Some((&mean, &variance));
    let (weight, bias) = (x.get(1), x.get(2));
    k.batch_norm(&x[0], &BatchNorm { weight, bias, running, training, momentum: 0.1, eps: 1e-3 })
}

/// Shares between 0 and 1 of any numbers.
fn shares(k: &RustEngine, x: &Tensor) -> Tensor {
    k.activation(x, Activation::Sigmoid).unwrap()
}

const TABLE: &[Row] = &[
    Row("linear", &[&[4, 3], &[2, 3], &[2]], |k, x| k.linear(&x[0], &x[1], Some(&x[2]))),
    Row("linear without bias", &[&[2, 2, 3], &[5, 3]], |k, x| k.linear(&x[0], &x[1], None)),
    Row("linear of its own input", &[&[3, 3]], |k, x| k.linear(&x[0], &x[0], None)),
    Row("conv2d", &[&[2, 3, 5, 6], &[4, 3, 3, 2], &[4]], |k, x| conv2d(k, x, PLAIN, 1)),
    Row("conv2d wide", &[&[2, 4, 5, 6], &[6, 2, 3, 2], &[6]], |k, x| conv2d(k, x, WIDE, 2)),
    Row("conv2d pointwise", &[&[2, 3, 3, 2], &[4, 3, 1, 1]], |k, x| conv2d(k, x, PLAIN, 1)),
    Row("transposed", &[&[2, 4, 3, 4], &[4, 3, 3, 2], &[3]], |k, x| transposed(k, x, PLAIN, 1, [5, 5])),
    Row("transposed wide", &[&[2, 6, 3, 4], &[6, 2, 3, 2], &[4]], |k, x| transposed(k, x, WIDE, 2, [6, 3])),
    Row("transposed pointwise", &[&[2, 4, 3, 2], &[4, 3, 1, 1], &[3]], |k, x| transposed(k, x, PLAIN, 1, [3, 2])),
    Row("max", &[&[2, 2, 5, 6]], |k, x| pool(k, x, max([2, 3], PLAIN, false))),
    Row("max wide", &[&[1, 2, 5, 6]], |k, x| pool(k, x, max([3, 4], PADDED, true))),
    Row("adaptive max", &[&[2, 1, 5, 6]], |k, x| pool(k, x, Pooling::AdaptiveMax([3, 4]))),
    Row("mean", &[&[2, 2, 5, 6]], |k, x| pool(k, x, mean([3, 4], true, None))),
    Row("mean of the image", &[&[2, 2, 5, 6]], |k, x| pool(k, x, mean([3, 4], false, None))),
    Row("mean with a divisor", &[&[2, 2, 5, 6]], |k, x| pool(k, x, mean([3, 4], false, Some(5)))),
    Row("adaptive mean", &[&[2, 1, 5, 6]], |k, x| pool(k, x, Pooling::AdaptiveMean([3, 4]))),
    Row("reshape", &[&[2, 6]], |k, x| k.reshape(&x[0], &[3, 4])),
    Row("relu", &[&[3, 5]], |k, x| k.activation(&x[0], Activation::Relu)),
    Row("tanh", &[&[3, 5]], |k, x| k.activation(&x[0], Activation::Tanh)),
    Row("sigmoid", &[&[3, 5]], |k, x| k.activation(&x[0], Activation::Sigmoid)),
    Row("gelu", &[&[3, 5]], |k, x| k.activation(&x[0], Activation::Gelu { tanh: false })),
    Row("gelu tanh", &[&[3, 5]], |k, x| k.activation(&x[0], Activation::Gelu { tanh: true })),
    Row("multiply", &[&[3, 5], &[3, 5]], |k, x| k.multiply(&x[0], &x[1])),
    Row("multiply by itself", &[&[3, 5]], |k, x| k.multiply(&x[0], &x[0])),
    Row("batch_norm", &[&[3, 3, 2, 2], &[3], &[3]], |k, x| normalised(k, x, true)),
    Row("batch_norm without parameters", &[&[5, 3]], |k, x| normalised(k, x, true)),
    Row("batch_norm in use", &[&[3, 3, 2], &[3], &[3]], |k, x| normalised(k, x, false)),
    Row("layer_norm", &[&[4, 2, 3], &[2, 3], &[2, 3]], |k, x| {
        k.layer_norm(&x[0], &[2, 3], Some(&x[1]), Some(&x[2]), 1e-3)
    }),
    Row("layer_norm without parameters", &[&[4, 5]], |k, x| k.layer_norm(&x[0], &[5], None, None, 1e-3)),
    Row("embedding", &[&[4, 3]], |k, x| k.embedding(&x[0], &long(k, &[2, 3], &[0, 2, 2, 3, 0, 0]))),
    Row("ce", &[&[4, 3]], |k, x| {
        k.loss(Loss::CrossEntropy { ignore: -100 }, &x[0], &long(k, &[4], &[2, 0, -100, 1]), Reduction::Mean)
    }),
    Row("ce of each", &[&[2, 3, 2]], |k, x| {
        k.loss(Loss::CrossEntropy { ignore: -100 }, &x[0], &long(k, &[2, 2], &[2, 0, -100, 1]), Reduction::None)
    }),
    Row("ce of shares", &[&[2, 3, 2], &[2, 3, 2]], |k, x| {
        k.loss(Loss::CrossEntropy { ignore: -100 }, &x[0], &shares(k, &x[1]), Reduction::Mean)
    }),
    Row("ce of shares of each", &[&[4, 3], &[4, 3]], |k, x| {
        k.loss(Loss::CrossEntropy { ignore: -100 }, &x[0], &shares(k, &x[1]), Reduction::None)
    }),
    Row("nll", &[&[4, 3]], |k, x| {
        k.loss(Loss::Nll { ignore: -100 }, &x[0], &long(k, &[4], &[2, 0, -100, 1]), Reduction::Mean)
    }),
    Row("nll of each", &[&[2, 3, 2]], |k, x| {
        k.loss(Loss::Nll { ignore: -100 }, &x[0], &long(k, &[2, 2], &[2, 0, -100, 1]), Reduction::None)
    }),
    Row("mse", &[&[3, 2], &[3, 2]], |k, x| k.loss(Loss::Mse, &x[0], &x[1], Reduction::Mean)),
    Row("mse of each", &[&[3, 2], &[3, 2]], |k, x| k.loss(Loss::Mse, &x[0], &x[1], Reduction::None)),
    Row("l1", &[&[3, 2], &[3, 2]], |k, x| k.loss(Loss::L1, &x[0], &x[1], Reduction::Sum)),
    Row("smooth_l1", &[&[3, 4], &[3, 4]], |k, x| k.loss(Loss::SmoothL1 { beta: 0.75 }, &x[0], &x[1], Reduction::Mean)),
    Row("bce", &[&[3, 2], &[3, 2]], |k, x| k.loss(Loss::Bce, &shares(k, &x[0]), &shares(k, &x[1]), Reduction::Mean)),
    Row("bce_with_logits", &[&[3, 2], &[3, 2]], |k, x| k.loss(Loss::BceWithLogits, &x[0], &x[1], Reduction::None)),
];

/// Numbers between -2 and 2 that look random.
pub(crate) fn numbers(count: usize, seed: &mut u64) -> Vec<f64> {
    let mut next = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as f64 / f64::from(1u32 << 31) * 4.0 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn elements(k: &RustEngine, tensor: &Tensor) -> Vec<f64> {
    let Data::Double(data) = k.data(tensor).unwrap() else { panic!("not a double") };
    data
}

/// A number that depends on every element of the result in another way.
pub(crate) fn scalar(k: &RustEngine, result: &Tensor) -> Tensor {
    let shape = k.shape(result).unwrap();
    let target = numbers(shape.iter().product(), &mut 77);
    let target = k.tensor(&Data::Double(target), &shape, Device::Cpu).unwrap();
    k.loss(Loss::Mse, result, &target, Reduction::Sum).unwrap()
}

/// An operation of the table, or a primitive.
fn all() -> Vec<(String, Vec<Vec<usize>>, Operation)> {
    let operations = TABLE.iter().map(|Row(name, shapes, function)| {
        let shapes = shapes.iter().map(|shape| shape.to_vec()).collect();
        ((*name).to_owned(), shapes, Box::new(*function) as Operation)
    });
    operations.chain(differentiable()).collect()
}

#[test]
fn every_gradient_is_that_of_finite_differences() {
    const STEP: f64 = 1e-6;
    for (name, shapes, function) in all() {
        let k = RustEngine::new();
        let mut seed = 3;
        let inputs: Vec<Tensor> = shapes
            .iter()
            .map(|shape| {
                let data = Data::Double(numbers(shape.iter().product(), &mut seed));
                let tensor = k.tensor(&data, shape, Device::Cpu).unwrap();
                k.set_requires_grad(&tensor, true).unwrap();
                tensor
            })
            .collect();
        k.backward(&scalar(&k, &function(&k, &inputs).unwrap()), 1.0).unwrap();
        let value = || k.no_grad(|| elements(&k, &scalar(&k, &function(&k, &inputs).unwrap()))[0]);
        for (place, input) in inputs.iter().enumerate() {
            let gradient = elements(&k, &k.grad(input).unwrap());
            let data = elements(&k, input);
            let at = |i: usize, x: f64| {
                let mut moved = data.clone();
                moved[i] = x;
                k.assign(input, &Data::Double(moved)).unwrap();
                value()
            };
            for (i, ours) in gradient.iter().enumerate() {
                let slope = (at(i, data[i] + STEP) - at(i, data[i] - STEP)) / (2.0 * STEP);
                let near = (ours - slope).abs() <= 1e-6 * slope.abs().max(1.0);
                assert!(near, "{name}, input {place}, element {i}: {ours}, finite difference {slope}");
            }
            k.assign(input, &Data::Double(data.clone())).unwrap();
        }
    }
}

/// A gradient that is not needed is not computed, and the others do not depend on it.
#[test]
fn each_input_alone_has_the_same_gradient() {
    for (name, shapes, function) in all() {
        let run = |needed: &dyn Fn(usize) -> bool| {
            let k = RustEngine::new();
            let mut seed = 5;
            let make = |(place, shape): (usize, &Vec<usize>)| {
                let data = Data::Double(numbers(shape.iter().product(), &mut seed));
                let tensor = k.tensor(&data, shape, Device::Cpu).unwrap();
                k.set_requires_grad(&tensor, needed(place)).unwrap();
                tensor
            };
            let inputs: Vec<Tensor> = shapes.iter().enumerate().map(make).collect();
            k.backward(&scalar(&k, &function(&k, &inputs).unwrap()), 1.0).unwrap();
            inputs.iter().map(|input| k.grad(input).map(|grad| elements(&k, &grad))).collect::<Vec<_>>()
        };
        let all = run(&|_| true);
        for place in 0..shapes.len() {
            let one = run(&|other| other == place);
            for (other, gradient) in one.iter().enumerate() {
                let expected = if other == place { &all[other] } else { &None };
                assert_eq!(gradient, expected, "{name}, input {other} where {place} needs a gradient");
            }
        }
    }
}
