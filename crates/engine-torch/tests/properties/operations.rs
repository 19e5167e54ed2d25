//! Every operation gives PyTorch's value, on numbers small enough to check by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::f64::consts::LN_2;

use stepwell_engine_torch::{Tensor, TorchEngine};
use stepwell_session::{Activation, BatchNorm, Data, Device, Engine, Loss, Pooling, Primitive, Reduction, Window};

fn tensor(shape: &[usize], data: &[f64]) -> Tensor {
    TorchEngine::new().tensor(&Data::Double(data.to_vec()), shape, Device::Cpu).unwrap()
}

fn long(data: &[i64]) -> Tensor {
    TorchEngine::new().tensor(&Data::Long(data.to_vec()), &[data.len()], Device::Cpu).unwrap()
}

#[track_caller]
fn expect(given: stepwell_optim::Result<Tensor>, shape: &[usize], expected: &[f64]) {
    let engine = TorchEngine::new();
    let given = given.unwrap();
    assert_eq!(engine.shape(&given).unwrap(), shape);
    let Data::Double(data) = engine.data(&given).unwrap() else { panic!("not a double") };
    assert!(data.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{data:?}, expected {expected:?}");
}

#[test]
fn layers() {
    let engine = TorchEngine::new();
    let x = tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let weight = tensor(&[3, 2], &[1.0, 0.0, 0.0, -1.0, 2.0, 1.0]);
    let bias = tensor(&[3], &[0.5, 0.0, -1.0]);
    expect(engine.linear(&x, &weight, Some(&bias)), &[2, 3], &[1.5, -2.0, 3.0, 3.5, -4.0, 9.0]);
    expect(engine.linear(&x, &weight, None), &[2, 3], &[1.0, -2.0, 4.0, 3.0, -4.0, 10.0]);
    expect(engine.multiply(&x, &x), &[2, 2], &[1.0, 4.0, 9.0, 16.0]);
    expect(engine.reshape(&x, &[4, 1]), &[4, 1], &[1.0, 2.0, 3.0, 4.0]);
    expect(engine.embedding(&weight, &long(&[2, 0])), &[2, 2], &[2.0, 1.0, 1.0, 0.0]);

    let image = tensor(&[1, 1, 3, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    let kernel = tensor(&[1, 1, 2, 2], &[1.0, 0.0, 0.0, -1.0]);
    let window = Window { stride: [2, 1], padding: [1, 0], dilation: [1, 1] };
    let shift = tensor(&[1], &[10.0]);
    let apply = |primitive, inputs: &[&Tensor]| engine.apply(&primitive, inputs).map(|outputs| outputs[0].clone());
    let convolved = apply(Primitive::Conv2d { window, groups: 1 }, &[&image, &kernel, &shift]);
    expect(convolved, &[1, 1, 2, 2], &[8.0, 7.0, 6.0, 6.0]);
    let spread = Primitive::ConvTranspose2d { window, groups: 1, size: [4, 4] };
    let expected = [10.0, 9.0, 8.0, 7.0, 14.0, 15.0, 16.0, 10.0, 10.0, 6.0, 5.0, 4.0, 17.0, 18.0, 19.0, 10.0];
    expect(apply(spread, &[&image, &kernel, &shift]), &[1, 1, 4, 4], &expected);
    let window = Window { stride: [1, 2], padding: [0, 1], dilation: [1, 1] };
    let largest = Primitive::Pool2d(Pooling::Max { kernel: [2, 3], window, ceiling: false });
    expect(apply(largest, &[&image]), &[1, 1, 2, 2], &[5.0, 6.0, 8.0, 9.0]);
}

#[test]
fn activations() {
    let engine = TorchEngine::new();
    let x = tensor(&[3], &[-1.0, 0.0, 2.0]);
    for (activation, expected) in [
        (Activation::Relu, [0.0, 0.0, 2.0]),
        (Activation::Tanh, [-0.7615942, 0.0, 0.9640276]),
        (Activation::Sigmoid, [0.2689414, 0.5, 0.8807971]),
        (Activation::Gelu { tanh: false }, [-0.1586553, 0.0, 1.9544997]),
        (Activation::Gelu { tanh: true }, [-0.1588080, 0.0, 1.9545977]),
    ] {
        expect(engine.activation(&x, activation), &[3], &expected);
    }
}

#[test]
fn norms() {
    let engine = TorchEngine::new();
    let x = tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let (mean, variance) = (tensor(&[2], &[1.0, 2.0]), tensor(&[2], &[4.0, 9.0]));
    let (weight, bias) = (tensor(&[2], &[2.0, 3.0]), tensor(&[2], &[1.0, -1.0]));
    let mut norm = BatchNorm {
        weight: Some(&weight),
        bias: Some(&bias),
        running: Some((&mean, &variance)),
        training: false,
        momentum: 0.5,
        eps: 1e-12,
    };
    expect(engine.batch_norm(&x, &norm), &[2, 2], &[1.0, -1.0, 3.0, 1.0]);
    norm.training = true;
    expect(engine.batch_norm(&x, &norm), &[2, 2], &[-1.0, -4.0, 3.0, 2.0]);
    // The running variance is of the sample (n - 1), the one divided by is not.
    expect(Ok(mean.clone()), &[2], &[1.5, 2.5]);
    expect(Ok(variance.clone()), &[2], &[3.0, 5.5]);

    let x = tensor(&[2, 2], &[1.0, 3.0, 0.0, 4.0]);
    let (weight, bias) = (tensor(&[2], &[1.0, 2.0]), tensor(&[2], &[0.0, 1.0]));
    expect(engine.layer_norm(&x, &[2], Some(&weight), Some(&bias), 1e-12), &[2, 2], &[-1.0, 3.0, -1.0, 3.0]);
}

#[test]
fn losses() {
    let engine = TorchEngine::new();
    let x = tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let y = tensor(&[2, 2], &[0.5, 0.0, 5.0, 4.0]);
    let classes = long(&[0, 1]);
    let shares = tensor(&[2, 2], &[0.5, 0.5, 0.0, 1.0]);
    // log(1 + e) = 1.3132617
    expect(
        engine.loss(Loss::CrossEntropy { ignore: -100 }, &x, &classes, Reduction::None),
        &[2],
        &[1.3132617, 0.3132617],
    );
    expect(engine.loss(Loss::CrossEntropy { ignore: -100 }, &x, &classes, Reduction::Mean), &[], &[0.8132617]);
    expect(
        engine.loss(Loss::CrossEntropy { ignore: -100 }, &x, &shares, Reduction::Sum),
        &[],
        &[0.8132617 + 0.3132617],
    );
    expect(engine.loss(Loss::Nll { ignore: -100 }, &x, &classes, Reduction::Mean), &[], &[-2.5]);
    expect(engine.loss(Loss::Mse, &x, &y, Reduction::None), &[2, 2], &[0.25, 4.0, 4.0, 0.0]);
    expect(engine.loss(Loss::L1, &x, &y, Reduction::Sum), &[], &[4.5]);
    let smooth = |beta| engine.loss(Loss::SmoothL1 { beta }, &x, &y, Reduction::None);
    expect(smooth(1.0), &[2, 2], &[0.125, 1.5, 1.5, 0.0]);
    expect(smooth(4.0), &[2, 2], &[0.03125, 0.5, 0.5, 0.0]);

    let target = tensor(&[2], &[1.0, 0.0]);
    let bce = engine.loss(Loss::Bce, &tensor(&[2], &[0.5, 0.25]), &target, Reduction::None);
    expect(bce, &[2], &[LN_2, 0.2876821]);
    let logits = engine.loss(Loss::BceWithLogits, &tensor(&[2], &[0.0, 2.0]), &target, Reduction::None);
    expect(logits, &[2], &[LN_2, 2.1269280]);
}

#[test]
fn rows_are_selected_in_order_and_apart_from_the_graph() {
    let engine = TorchEngine::new();
    let x = tensor(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    engine.set_requires_grad(&x, true).unwrap();
    expect(engine.index_select(&x, &[2, 0, 2]), &[3, 2], &[5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    expect(engine.index_select(&x, &[]), &[0, 2], &[]);
    assert!(!engine.requires_grad(&engine.index_select(&x, &[1]).unwrap()));
    assert!(engine.index_select(&x, &[3]).is_err());
}
