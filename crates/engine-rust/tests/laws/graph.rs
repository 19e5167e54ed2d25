//! The laws of the graph: what backward does and refuses, as PyTorch has it, and that nothing panics.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice::from_ref;

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, Error, Result, View};
use stepwell_session::{Activation, BatchNorm, Data, Device, Dtype, Engine, Loss, Reduction, Window};

const SECOND: &str = "a second backward through the same graph";
const OUTDATED: &str = "backward through an outdated graph";

fn float(k: &RustEngine, shape: &[usize], data: &[f32]) -> Tensor {
    k.tensor(&Data::Float(data.to_vec()), shape, Device::Cpu).unwrap()
}

/// A leaf that requires a gradient.
fn leaf(k: &RustEngine, shape: &[usize], data: &[f32]) -> Tensor {
    let tensor = float(k, shape, data);
    k.set_requires_grad(&tensor, true).unwrap();
    tensor
}

/// The sum of the squares.
fn squares(k: &RustEngine, x: &Tensor) -> Tensor {
    let shape = k.shape(x).unwrap();
    let zero = float(k, &shape, &vec![0.0; shape.iter().product()]);
    k.loss(Loss::Mse, x, &zero, Reduction::Sum).unwrap()
}

fn grad(k: &RustEngine, x: &Tensor) -> Option<Data> {
    k.grad(x).map(|grad| k.data(&grad).unwrap())
}

fn subtract(views: &mut [Option<View<'_>>]) -> Result<()> {
    for view in views.iter_mut().flatten() {
        match view {
            View::Float(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= *g),
            View::Double(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= *g),
            View::Half(..) | View::BFloat16(..) => panic!("16 bits"),
        }
    }
    Ok(())
}

#[track_caller]
fn refused(result: Result<()>, code: Code, start: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().starts_with(start), "{error}");
}

#[test]
fn gradients_accumulate_and_reset() {
    let k = RustEngine::new();
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    assert_eq!(grad(&k, &p), None);
    k.zero_grad(&p).unwrap();
    k.backward(&squares(&k, &p), 1.0).unwrap();
    let held = k.grad(&p).unwrap();
    k.backward(&squares(&k, &p), 1.0).unwrap();
    assert_eq!(grad(&k, &p), Some(Data::Float(vec![4.0, 8.0])));
    assert_eq!(k.identity(&held), k.identity(&k.grad(&p).unwrap()));
    k.zero_grad(&p).unwrap();
    assert_eq!(k.data(&held).unwrap(), Data::Float(vec![0.0, 0.0]));
    k.set_grad(&p, None).unwrap();
    assert_eq!(grad(&k, &p), None);
    refused(k.set_grad(&p, Some(&p)), Code::Gradient, "a tensor cannot be its own gradient");
    // A scalar leaf is its own root.
    let one = leaf(&k, &[], &[3.0]);
    k.backward(&one, 1.0).unwrap();
    k.backward(&one, 1.0).unwrap();
    assert_eq!(grad(&k, &one), Some(Data::Float(vec![2.0])));
    assert_eq!(k.shape(&k.grad(&one).unwrap()).unwrap(), [0; 0]);
}

#[test]
fn two_graphs_on_one_leaf_and_one_leaf_twice_in_a_graph() {
    let k = RustEngine::new();
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    let (first, second) = (squares(&k, &p), squares(&k, &p));
    k.backward(&second, 1.0).unwrap();
    k.backward(&first, 1.0).unwrap();
    assert_eq!(grad(&k, &p), Some(Data::Float(vec![4.0, 8.0])));
    let q = leaf(&k, &[1], &[2.0]);
    let cube = k.multiply(&k.multiply(&q, &q).unwrap(), &q).unwrap();
    k.backward(&k.reshape(&cube, &[]).unwrap(), 1.0).unwrap();
    assert_eq!(grad(&k, &q), Some(Data::Float(vec![12.0])));
}

#[test]
fn what_backward_refuses() {
    let k = RustEngine::new();
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    let loss = squares(&k, &p);
    k.backward(&loss, 1.0).unwrap();
    refused(k.backward(&loss, 1.0), Code::Engine, SECOND);
    assert_eq!(grad(&k, &p), Some(Data::Float(vec![2.0, 4.0])));
    refused(k.backward(&p, 1.0), Code::Engine, "backward needs a tensor with one element");
    refused(
        k.backward(&float(&k, &[1], &[1.0]), 1.0),
        Code::Engine,
        "backward needs a tensor made from one that requires",
    );
    // Nothing is saved here, so nothing is released: PyTorch allows it too.
    let view = k.reshape(&leaf(&k, &[1], &[1.0]), &[]).unwrap();
    k.backward(&view, 1.0).unwrap();
    k.backward(&view, 1.0).unwrap();
    // A graph that shares its beginning with one that was released.
    let shared = k.multiply(&p, &p).unwrap();
    let (one, other) = (squares(&k, &shared), squares(&k, &shared));
    k.set_grad(&p, None).unwrap();
    k.backward(&one, 1.0).unwrap();
    let before = grad(&k, &p);
    refused(k.backward(&other, 1.0), Code::Engine, SECOND);
    assert_eq!(grad(&k, &p), before);
}

#[test]
fn an_old_graph_is_refused_after_a_write() {
    let k = RustEngine::new();
    let zero = float(&k, &[2], &[0.0, 0.0]);
    let ends: [&dyn Fn(&Tensor); 6] = [
        &|p| k.lend(from_ref(p), &mut (), false, &mut subtract).unwrap(),
        &|p| {
            let failed = k.lend(from_ref(p), &mut (), false, &mut |_| Err(Error::new(Code::Internal, "on purpose")));
            assert_eq!(failed.unwrap_err().to_string(), "on purpose");
        },
        &|p| {
            let lent = || k.lend(from_ref(p), &mut (), false, &mut |_| panic!("on purpose"));
            assert!(catch_unwind(AssertUnwindSafe(lent)).is_err());
        },
        &|p| k.replace(p, &zero).unwrap(),
        &|p| k.assign(p, &Data::Float(vec![1.0, 2.0])).unwrap(),
        // A view writes to the same elements.
        &|p| k.assign(&k.no_grad(|| k.reshape(p, &[1, 2]).unwrap()), &Data::Float(vec![1.0, 2.0])).unwrap(),
    ];
    for end in ends {
        let (p, without) = (leaf(&k, &[2], &[1.0, 2.0]), leaf(&k, &[2], &[1.0, 1.0]));
        k.set_grad(&p, Some(&float(&k, &[2], &[10.0, 20.0]))).unwrap();
        let (old, untouched) = (squares(&k, &p), squares(&k, &without));
        k.lend(from_ref(&without), &mut (), false, &mut subtract).unwrap();
        end(&p);
        refused(k.backward(&old, 1.0), Code::Engine, OUTDATED);
        refused(k.backward(&old, 1.0), Code::Engine, OUTDATED);
        k.backward(&untouched, 1.0).unwrap();
        k.backward(&squares(&k, &p), 1.0).unwrap();
        k.lend(from_ref(&p), &mut (), false, &mut subtract).unwrap();
    }
}

/// As in PyTorch: the weight of a linear map is needed for the gradient of its input only.
#[test]
fn only_a_value_that_is_needed_makes_a_graph_outdated() {
    let k = RustEngine::new();
    let run = |requires_grad: bool| {
        let x = float(&k, &[1, 2], &[1.0, 2.0]);
        k.set_requires_grad(&x, requires_grad).unwrap();
        let (w, b) = (leaf(&k, &[1, 2], &[3.0, 4.0]), leaf(&k, &[1], &[5.0]));
        let out = k.reshape(&k.linear(&x, &w, Some(&b)).unwrap(), &[]).unwrap();
        k.set_grad(&w, Some(&float(&k, &[1, 2], &[1.0, 1.0]))).unwrap();
        k.set_grad(&b, Some(&float(&k, &[1], &[1.0]))).unwrap();
        k.lend(&[w.clone(), b], &mut (), false, &mut subtract).unwrap();
        (k.backward(&out, 1.0), w)
    };
    let (result, w) = run(false);
    result.unwrap();
    assert_eq!(grad(&k, &w), Some(Data::Float(vec![2.0, 3.0])));
    refused(run(true).0, Code::Engine, OUTDATED);
    // The size of a difference is kept apart from what it is the difference of.
    let p = leaf(&k, &[1], &[4.0]);
    let loss = k.loss(Loss::L1, &p, &float(&k, &[1], &[1.0]), Reduction::Sum).unwrap();
    k.assign(&p, &Data::Float(vec![-7.0])).unwrap();
    k.backward(&loss, 1.0).unwrap();
    assert_eq!(grad(&k, &p), Some(Data::Float(vec![1.0])));
}

#[test]
fn a_leaf_that_changed_its_type_is_not_given_a_gradient_of_the_old() {
    let k = RustEngine::new();
    let (x, b) = (float(&k, &[1, 1], &[1.0]), leaf(&k, &[1], &[1.0]));
    let w = leaf(&k, &[1, 1], &[2.0]);
    let out = k.reshape(&k.linear(&x, &w, Some(&b)).unwrap(), &[]).unwrap();
    k.replace(&b, &k.convert(&b, Dtype::Double, Device::Cpu).unwrap()).unwrap();
    refused(k.backward(&out, 1.0), Code::Engine, OUTDATED);
    assert_eq!((grad(&k, &w), grad(&k, &b)), (None, None));
    // Nor is a gradient added to one that does not fit.
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    k.set_grad(&p, Some(&float(&k, &[1], &[1.0]))).unwrap();
    refused(k.backward(&squares(&k, &p), 1.0), Code::Gradient, "cannot add to a gradient");
}

#[test]
fn flags_and_no_grad() {
    let k = RustEngine::new();
    let p = leaf(&k, &[1], &[1.0]);
    let made = k.no_grad(|| k.no_grad(|| k.multiply(&p, &p).unwrap()));
    assert!(!k.requires_grad(&made) && k.is_leaf(&made));
    assert!(catch_unwind(AssertUnwindSafe(|| k.no_grad(|| panic!("on purpose")))).is_err());
    let product = k.multiply(&p, &p).unwrap();
    assert!(k.requires_grad(&product) && !k.is_leaf(&product));
    refused(k.set_requires_grad(&product, false), Code::Argument, "only a leaf");
    let whole = k.tensor(&Data::Long(vec![1]), &[1], Device::Cpu).unwrap();
    refused(k.set_requires_grad(&whole, true), Code::Engine, "only tensors of floating point");
    // A leaf that no longer requires a gradient gets none from a graph that was recorded before.
    let loss = squares(&k, &p);
    k.set_requires_grad(&p, false).unwrap();
    k.backward(&loss, 1.0).unwrap();
    assert_eq!(grad(&k, &p), None);
    // A gradient is cut off from its graph.
    k.set_grad(&whole, Some(&product)).unwrap();
    assert!(!k.requires_grad(&k.grad(&whole).unwrap()));
}

#[test]
fn what_does_not_fit_is_not_lent() {
    let k = RustEngine::new();
    let refuse = |parameters: &[Tensor], code, text: &str| {
        let error = k.lend(parameters, &mut (), false, &mut |_| panic!("lent")).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    };
    let make = || {
        let p = leaf(&k, &[2], &[1.0, 2.0]);
        k.set_grad(&p, Some(&float(&k, &[2], &[10.0, 20.0]))).unwrap();
        p
    };
    let (a, b) = (make(), make());
    let all = [a.clone(), b.clone()];
    let double = k.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
    k.set_grad(&b, Some(&double)).unwrap();
    refuse(&all, Code::Gradient, "parameter 1 cannot be updated: its gradient has another dtype");
    k.set_grad(&b, Some(&float(&k, &[1, 2], &[1.0, 2.0]))).unwrap();
    refuse(&all, Code::Gradient, "parameter 1 cannot be updated: its gradient has another shape");
    let long = k.tensor(&Data::Long(vec![1, 2]), &[2], Device::Cpu).unwrap();
    k.set_grad(&long, Some(&double)).unwrap();
    refuse(&[long], Code::Dtype, "parameter 0 cannot be updated: its dtype is not of floating point");

    let b = make();
    refuse(&[a.clone(), b.clone(), a.clone()], Code::Parameter, "parameter 0 shares memory with parameter 2");
    let view = k.no_grad(|| k.reshape(&a, &[2]).unwrap());
    k.set_grad(&view, k.grad(&a).as_ref()).unwrap();
    refuse(&[a.clone(), view.clone()], Code::Parameter, "parameter 0 shares memory with parameter 1");
    k.set_grad(&b, Some(&view)).unwrap();
    refuse(&[a.clone(), b.clone()], Code::Gradient, "parameter 0 shares memory with gradient 1");
    assert_eq!(k.data(&a).unwrap(), Data::Float(vec![1.0, 2.0]));
    // One gradient for two parameters is fine, and no gradient too.
    k.set_grad(&b, k.grad(&a).as_ref()).unwrap();
    k.lend(&[a, b.clone(), float(&k, &[1], &[1.0])], &mut (), false, &mut subtract).unwrap();
    assert_eq!(k.data(&b).unwrap(), Data::Float(vec![-9.0, -18.0]));
}

#[test]
fn a_gradient_of_two_parameters_is_set_to_zero_after_both_have_read_it() {
    let k = RustEngine::new();
    let shared = leaf(&k, &[2], &[10.0, 20.0]);
    let old = squares(&k, &shared);
    let parameters = [1.0, 2.0, 3.0].map(|x| leaf(&k, &[2], &[x, x]));
    for parameter in &parameters {
        k.set_grad(parameter, Some(&k.no_grad(|| k.reshape(&shared, &[2]).unwrap()))).unwrap();
    }
    k.lend(&parameters, &mut (), true, &mut |views| {
        subtract(views)?;
        for view in views.iter_mut().flatten() {
            let View::Float(_, g) = view else { panic!("a float") };
            g.fill(0.0);
        }
        Ok(())
    })
    .unwrap();
    for (parameter, x) in parameters.iter().zip([1.0, 2.0, 3.0]) {
        assert_eq!(k.data(parameter).unwrap(), Data::Float(vec![x - 10.0, x - 20.0]));
        assert_eq!(grad(&k, parameter), Some(Data::Float(vec![0.0, 0.0])));
    }
    // Who used the gradient in a graph learns that it has changed.
    refused(k.backward(&old, 1.0), Code::Engine, OUTDATED);
}

#[test]
fn a_backward_starts_from_its_seed() {
    let k = RustEngine::new();
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    k.backward(&squares(&k, &p), 0.5).unwrap();
    assert_eq!(grad(&k, &p), Some(Data::Float(vec![1.0, 2.0])));
    for seed in [1e300, -1e300, 1e-300] {
        refused(k.backward(&squares(&k, &p), seed), Code::Gradient, "a gradient to start from is beyond the range");
    }
    assert_eq!(grad(&k, &p), Some(Data::Float(vec![1.0, 2.0])));
}

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
fn nothing_else_is_done_while_memory_is_lent() {
    let k = RustEngine::new();
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    let loss = squares(&k, &p);
    k.set_grad(&p, Some(&float(&k, &[2], &[1.0, 1.0]))).unwrap();
    k.lend(from_ref(&p), &mut (), false, &mut |_| {
        for result in [
            k.set_grad(&p, None),
            k.zero_grad(&p),
            k.assign(&p, &Data::Float(vec![0.0, 0.0])),
            k.replace(&p, &p),
            k.backward(&loss, 1.0),
            k.lend(from_ref(&p), &mut (), false, &mut subtract),
            k.data(&p).map(drop),
            k.multiply(&p, &p).map(drop),
        ] {
            assert_eq!(result.unwrap_err().code(), Code::Internal);
        }
        Ok(())
    })
    .unwrap();
    k.zero_grad(&p).unwrap();
}

/// As much stack as a thread of a browser has, and less.
fn with_little_stack(f: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(f).unwrap().join().unwrap();
}

#[test]
fn a_graph_may_be_long() {
    with_little_stack(|| {
        let k = RustEngine::new();
        let p = leaf(&k, &[], &[1.0]);
        let one = float(&k, &[], &[1.0]);
        let chain = || (0..200_000).fold(p.clone(), |x, _| k.multiply(&x, &one).unwrap());
        k.backward(&chain(), 1.0).unwrap();
        assert_eq!(grad(&k, &p), Some(Data::Float(vec![1.0])));
        drop(chain());
        // Gradients of gradients.
        let mut last = float(&k, &[], &[1.0]);
        for _ in 0..200_000 {
            let next = float(&k, &[], &[1.0]);
            k.set_grad(&next, Some(&last)).unwrap();
            last = next;
        }
    });
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
    let before = k.memory_limit();
    assert!(before < 1 << 18);
    // Forwards without a backward, and their graphs, leave nothing behind.
    (0..1000).for_each(|_| drop(run().unwrap()));
    assert_eq!(k.memory_limit(), before);
    k.backward(&run().unwrap(), 1.0).unwrap();
    let trained = k.memory_limit();
    (0..1000).for_each(|_| k.backward(&run().unwrap(), 1.0).unwrap());
    assert_eq!(k.memory_limit(), trained);
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
    assert_eq!(k.memory_limit(), trained);
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
    assert_eq!(k.data(&k.select(&rows, &[2, 0]).unwrap()).unwrap(), Data::Float(vec![5.0, 6.0, 1.0, 2.0]));
    refused(k.select(&rows, &[3]).map(drop), Code::Engine, "index 3 is out of range");
}

/// Tensors of all shapes and dtypes into all operations: a result or an error, and no panic.
#[test]
fn junk_is_an_error_or_a_result() {
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
    let losses = [Loss::CrossEntropy, Loss::Nll, Loss::Mse, Loss::L1, Loss::SmoothL1 { beta: 1.0 }, Loss::Bce];
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
        check(k.select(a, &[0]));
        for activation in [Activation::Relu, Activation::Sigmoid, Activation::Gelu { tanh: true }] {
            check(k.activation(a, activation));
        }
        for window in &windows {
            check(k.max_pool2d(a, [1, 2], window));
            check(k.max_pool2d(a, [usize::MAX, 1], window));
        }
        for b in &tensors {
            check(k.multiply(a, b));
            check(k.embedding(a, b));
            check(k.linear(a, b, Some(a)));
            check(k.linear(a, b, None));
            check(k.layer_norm(a, &[2], Some(b), None, 1e-5));
            check(k.layer_norm(a, &[], Some(b), Some(a), 1e-5));
            for window in windows.iter().step_by(3) {
                check(k.conv2d(a, b, None, window, 1));
            }
            check(k.conv2d(a, b, Some(b), &windows[21], 0));
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
