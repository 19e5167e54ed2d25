//! The laws of the graph: what backward does and refuses, as PyTorch has it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice::from_ref;

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, Error};
use stepwell_session::{Data, Device, Dtype, Engine, Loss, Reduction};

use crate::small::{OUTDATED, float, grad, leaf, refused, squares, subtract};

const SECOND: &str = "a second backward through the same graph";

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
fn backward_through_invalid_graphs_is_an_error() {
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
        &|p| k.with_parameter_views(from_ref(p), &|i| i.to_string(), &mut (), false, &mut subtract).unwrap(),
        &|p| {
            let failed = k.with_parameter_views(from_ref(p), &|i| i.to_string(), &mut (), false, &mut |_| {
                Err(Error::new(Code::Internal, "on purpose"))
            });
            assert_eq!(failed.unwrap_err().to_string(), "on purpose");
        },
        &|p| {
            let panicking = || {
                k.with_parameter_views(from_ref(p), &|i| i.to_string(), &mut (), false, &mut |_| panic!("on purpose"))
            };
            assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
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
        k.with_parameter_views(from_ref(&without), &|i| i.to_string(), &mut (), false, &mut subtract).unwrap();
        end(&p);
        refused(k.backward(&old, 1.0), Code::Engine, OUTDATED);
        refused(k.backward(&old, 1.0), Code::Engine, OUTDATED);
        k.backward(&untouched, 1.0).unwrap();
        k.backward(&squares(&k, &p), 1.0).unwrap();
        k.with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut (), false, &mut subtract).unwrap();
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
        k.with_parameter_views(&[w.clone(), b], &|i| i.to_string(), &mut (), false, &mut subtract).unwrap();
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
