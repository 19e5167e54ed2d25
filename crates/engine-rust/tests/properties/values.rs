//! Tensors of all types and shapes: their values, errors, and the absence of panics.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, Result};
use stepwell_session::{
    Activation, BatchNorm, Data, Device, Dtype, Engine, Loss, Pooling, Primitive, Reduction, Window,
};

use crate::gradients::first;
use crate::small::{float, grad, leaf, refused};
#[test]
fn there_are_no_tensors_of_16_bits() {
    let k = RustEngine::new();
    let p = leaf(&k, &[1], &[1.0]);
    for dtype in [Dtype::Half, Dtype::BFloat16] {
        let data = Data::Float(vec![1.0]).cast(dtype).unwrap();
        refused(k.tensor(&data, &[1], Device::Cpu).map(drop), Code::Dtype, "dtype ");
        refused(k.convert(&p, dtype, Device::Cpu).map(drop), Code::Dtype, "dtype ");
        refused(k.assign(&p, &data), Code::Dtype, "expected elements of dtype float");
    }
}

#[test]
fn memory_is_flat_and_runs_out_as_an_error() {
    let k = RustEngine::with_budget(1 << 20);
    let p = leaf(&k, &[64, 64], &[0.05; 4096]);
    let run = || squares(&k, &k.activation(&k.linear(&p, &p, None)?, Activation::Tanh)?);
    fn squares(k: &RustEngine, x: &Tensor) -> Result<Tensor> {
        let zero = k.tensor(&Data::Float(vec![0.0; 4096]), &[64, 64], Device::Cpu)?;
        k.loss(Loss::Mse, x, &zero, Reduction::Sum)
    }
    let before = k.memory_limit(0);
    assert!(before < 1 << 18);
    // Forwards without a backward, and their graphs, leave no memory allocated.
    (0..1000).for_each(|_| drop(run().unwrap()));
    assert_eq!(k.memory_limit(0), before);
    k.backward(&run().unwrap(), 1.0).unwrap();
    let trained = k.memory_limit(0);
    (0..1000).for_each(|_| k.backward(&run().unwrap(), 1.0).unwrap());
    assert_eq!(k.memory_limit(0), trained);
    // Too many at once.
    let mut held = Vec::new();
    let error = loop {
        match run() {
            Ok(loss) => held.push(loss),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::Memory, "{error}");
    // Also in the middle of a backward, which then has changed nothing.
    let gradient = grad(&k, &p);
    let filled: Vec<_> =
        (0..).map_while(|_| k.tensor(&Data::Float(vec![0.0; 512]), &[512], Device::Cpu).ok()).collect();
    let result = k.backward(&held[0], 1.0);
    assert_eq!(result.unwrap_err().code(), Code::Memory);
    assert_eq!(grad(&k, &p), gradient);
    drop(filled);
    held.truncate(2);
    k.backward(&held[0], 1.0).unwrap();
    assert_ne!(grad(&k, &p), gradient);
    drop(held);
    assert_eq!(k.memory_limit(0), trained);
    let k = RustEngine::new();
    let column = float(&k, &[1 << 23, 1], &vec![0.0; 1 << 23]);
    let error = k.linear(&column, &column, None).map(drop).unwrap_err();
    let expected = "out of memory allocating 281474976710656 bytes";
    assert_eq!((error.code(), error.to_string().as_str()), (Code::Memory, expected));
}

#[test]
fn data_dtypes_and_devices() {
    let k = RustEngine::new();
    for data in [Data::Float(vec![0.1, f32::MAX]), Data::Double(vec![0.1, 1e300]), Data::Long(vec![i64::MIN, 7])] {
        let tensor = k.tensor(&data, &[2, 1], Device::Cpu).unwrap();
        assert_eq!((k.data(&tensor).unwrap(), k.shape(&tensor).unwrap()), (data.clone(), vec![2, 1]));
        assert_eq!((k.dtype(&tensor).unwrap(), k.device(&tensor).unwrap()), (data.dtype(), Device::Cpu));
    }
    for shape in [&[3][..], &[2, 2], &[], &[1 << 33, 1 << 33], &[usize::MAX, 2], &[0]] {
        let error = k.tensor(&Data::Float(vec![0.0; 2]), shape, Device::Cpu).map(drop).unwrap_err();
        assert_eq!(error.code(), Code::Shape, "{shape:?}");
    }
    let tensor = leaf(&k, &[2], &[1.5, -2.5]);
    let double = k.convert(&tensor, Dtype::Double, Device::Cpu).unwrap();
    assert!(k.is_leaf(&double) && !k.requires_grad(&double));
    let long = k.convert(&tensor, Dtype::Long, Device::Cpu).unwrap();
    assert_eq!(k.data(&long).unwrap(), Data::Long(vec![1, -2]));
    let (clone, identity) = (tensor.clone(), k.identity(&tensor));
    k.replace(&tensor, &double).unwrap();
    assert_eq!((k.identity(&clone), k.data(&clone).unwrap()), (identity, Data::Double(vec![1.5, -2.5])));
    assert!(k.requires_grad(&clone));
    refused(k.assign(&tensor, &Data::Float(vec![3.0, 4.0])), Code::Dtype, "expected elements of dtype double");
    refused(k.assign(&tensor, &Data::Double(vec![3.0])), Code::Shape, "expected as many elements");
    refused(k.require(Device::Cuda(1)), Code::Device, "device cuda:1 cannot be used: ");
    let moved = k.tensor(&Data::Float(vec![]), &[0], Device::Cuda(0)).map(drop);
    refused(moved, Code::Device, "device cuda:0 cannot be used: ");
    let rows = float(&k, &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(k.data(&k.index_select(&rows, &[2, 0]).unwrap()).unwrap(), Data::Float(vec![5.0, 6.0, 1.0, 2.0]));
    refused(k.index_select(&rows, &[3]).map(drop), Code::Engine, "index 3 is out of range");
}

/// Tensors of all shapes and dtypes into all operations: a result or an error, and no panic.
#[test]
fn invalid_inputs_give_errors_or_results() {
    let k = RustEngine::with_budget(1 << 24);
    let shapes: [&[usize]; 9] = [&[], &[0], &[1], &[2], &[2, 2], &[0, 2], &[2, 2, 2], &[1, 2, 2, 2], &[2, 2, 1, 1]];
    let mut tensors = Vec::new();
    for shape in shapes {
        let count = shape.iter().product();
        for data in [Data::Float(vec![0.5; count]), Data::Double(vec![0.5; count]), Data::Long(vec![1; count])] {
            let tensor = k.tensor(&data, shape, Device::Cpu).unwrap();
            _ = k.set_requires_grad(&tensor, true);
            tensors.push(tensor);
        }
    }
    let sizes = [0, 1, 2, usize::MAX];
    let mut windows = Vec::new();
    for a in sizes {
        for b in sizes {
            let window = |c| Window { stride: [a, b], padding: [b, c], dilation: [c, a] };
            windows.extend(sizes.map(window));
        }
    }
    let losses = [
        Loss::CrossEntropy { ignore: -100 },
        Loss::Nll { ignore: -100 },
        Loss::Mse,
        Loss::L1,
        Loss::SmoothL1 { beta: 1.0 },
        Loss::Bce,
    ];
    let (mut results, mut refusals) = (0, 0);
    let mut check = |result: Result<Tensor>| match result {
        Ok(tensor) => {
            results += 1;
            if k.shape(&tensor).unwrap().iter().product::<usize>() == 1 && k.requires_grad(&tensor) {
                k.backward(&tensor, 1.0).unwrap();
            }
        }
        Err(error) => {
            refusals += 1;
            assert!([Code::Engine, Code::Dtype, Code::Memory].contains(&error.code()), "{error}");
        }
    };
    for a in &tensors {
        check(k.reshape(a, &[1]));
        check(k.reshape(a, &[usize::MAX, 2]));
        check(k.index_select(a, &[0]));
        for activation in [Activation::Relu, Activation::Sigmoid, Activation::Gelu { tanh: true }] {
            check(k.activation(a, activation));
        }
        for window in &windows {
            for kernel in [[1, 2], [usize::MAX, 1]] {
                for ceiling in [false, true] {
                    check(first(k.apply(&Primitive::Pool2d(Pooling::Max { kernel, window: *window, ceiling }), &[a])));
                    let window = Window { dilation: [1, 1], ..*window };
                    let mean = Pooling::Mean { kernel, window, ceiling, count_padding: ceiling, divisor: None };
                    check(first(k.apply(&Primitive::Pool2d(mean), &[a])));
                }
            }
        }
        check(first(k.apply(&Primitive::Pool2d(Pooling::AdaptiveMean([2, 3])), &[a])));
        for b in &tensors {
            check(k.multiply(a, b));
            check(k.embedding(a, b));
            check(k.linear(a, b, Some(a)));
            check(k.linear(a, b, None));
            check(k.layer_norm(a, &[2], Some(b), None, 1e-5));
            check(k.layer_norm(a, &[], Some(b), Some(a), 1e-5));
            for window in windows.iter().step_by(3) {
                check(first(k.apply(&Primitive::Conv2d { window: *window, groups: 1 }, &[a, b])));
                for size in [[1, 2], [0, usize::MAX]] {
                    let primitive = Primitive::ConvTranspose2d { window: *window, groups: 1, size };
                    check(first(k.apply(&primitive, &[a, b])));
                }
            }
            check(first(k.apply(&Primitive::Conv2d { window: windows[21], groups: 0 }, &[a, b, b])));
            for training in [false, true] {
                let norm =
                    |weight, running| BatchNorm { weight, bias: None, running, training, momentum: 0.1, eps: 0.1 };
                check(k.batch_norm(a, &norm(Some(b), Some((b, b)))));
                check(k.batch_norm(a, &norm(None, None)));
            }
            for loss in losses {
                check(k.loss(loss, a, b, Reduction::Mean));
                check(k.loss(loss, a, b, Reduction::None));
            }
        }
    }
    assert!(results > 500 && refusals > 5000, "{results} results, {refusals} refusals");
}
