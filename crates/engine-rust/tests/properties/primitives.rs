//! Every primitive with a gradient, over shapes of all kinds: without dimensions, empty, broadcast, each dimension.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, Result};
use stepwell_session::{Binary, Cumulative, Data, Device, Dtype, Engine, Primitive, Reduce, Unary};

use crate::gradients::{elements, numbers, scalar};

/// A function of tensors.
pub(crate) type Operation = Box<dyn Fn(&RustEngine, &[Tensor]) -> Result<Tensor>>;

/// The first output of a primitive.
pub(crate) fn first(k: &RustEngine, primitive: &Primitive, inputs: &[&Tensor]) -> Result<Tensor> {
    Ok(k.apply(primitive, inputs)?.swap_remove(0))
}

fn unary(k: &RustEngine, function: Unary, x: &Tensor) -> Result<Tensor> {
    first(k, &Primitive::Unary(function), &[x])
}

fn binary(k: &RustEngine, function: Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    first(k, &Primitive::Binary(function), &[a, b])
}

fn double(k: &RustEngine, shape: &[usize], data: Vec<f64>) -> Result<Tensor> {
    k.tensor(&Data::Double(data), shape, Device::Cpu)
}

fn long(k: &RustEngine, shape: &[usize], data: &[i64]) -> Result<Tensor> {
    k.tensor(&Data::Long(data.to_vec()), shape, Device::Cpu)
}

const SHAPES: [&[usize]; 7] = [&[3, 4], &[], &[1], &[0], &[2, 0, 3], &[2, 3, 2], &[1, 3, 1, 2]];

const PAIRS: [[&[usize]; 2]; 10] = [
    [&[3, 4], &[3, 4]],
    [&[3, 4], &[4]],
    [&[3, 1], &[1, 4]],
    [&[], &[2, 3]],
    [&[2, 3], &[]],
    [&[0, 3], &[3]],
    [&[3, 0], &[3, 1]],
    [&[2, 1, 3], &[4, 1]],
    [&[], &[]],
    [&[2, 3, 1, 2], &[3, 4, 1]],
];

/// The functions of one argument, and whether they need an argument between 0 and 1.
const UNARY: [(Unary, bool); 31] = [
    (Unary::Abs, false),
    (Unary::Neg, false),
    (Unary::Sign, false),
    (Unary::Ceil, false),
    (Unary::Floor, false),
    (Unary::Round, false),
    (Unary::Trunc, false),
    (Unary::Sqrt, true),
    (Unary::Rsqrt, true),
    (Unary::Exp, false),
    (Unary::Expm1, false),
    (Unary::Log, true),
    (Unary::Log1p, true),
    (Unary::Log2, true),
    (Unary::Log10, true),
    (Unary::Sin, false),
    (Unary::Cos, false),
    (Unary::Tan, true),
    (Unary::Asin, true),
    (Unary::Acos, true),
    (Unary::Atan, false),
    (Unary::Sinh, false),
    (Unary::Cosh, false),
    (Unary::Tanh, false),
    (Unary::Sigmoid, false),
    (Unary::Relu, false),
    (Unary::Erf, false),
    (Unary::Erfc, false),
    (Unary::Erfinv, true),
    (Unary::Lgamma, true),
    (Unary::Digamma, true),
];

const BINARY: [Binary; 10] = [
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Pow,
    Binary::Maximum,
    Binary::Minimum,
    Binary::Remainder,
    Binary::Fmod,
    Binary::Atan2,
];

/// All subsets of the dimensions but the empty one.
fn dimensions(rank: usize) -> Vec<Vec<usize>> {
    (1..1 << rank).map(|set: usize| (0..rank).filter(|dim| set >> dim & 1 == 1).collect()).collect()
}

/// A row for each primitive that has a gradient, and each kind of shape.
pub(crate) fn differentiable() -> Vec<(String, Vec<Vec<usize>>, Operation)> {
    let mut rows: Vec<(String, Vec<Vec<usize>>, Operation)> = Vec::new();
    let mut add = |name: String, shapes: &[&[usize]], operation: Operation| {
        rows.push((format!("{name} of {shapes:?}"), shapes.iter().map(|shape| shape.to_vec()).collect(), operation));
    };
    let one = |primitive: Primitive| -> Operation {
        Box::new(move |k, x| first(k, &primitive, &x.iter().collect::<Vec<_>>()))
    };
    for shape in SHAPES {
        for (function, between) in UNARY {
            add(
                format!("{function:?}"),
                &[shape],
                Box::new(move |k, x| match between {
                    true => unary(k, function, &unary(k, Unary::Sigmoid, &x[0])?),
                    false => unary(k, function, &x[0]),
                }),
            );
        }
        for dims in dimensions(shape.len()) {
            for keepdim in [false, true] {
                for reduction in [Reduce::Sum, Reduce::Mean, Reduce::Prod, Reduce::Amax, Reduce::Amin] {
                    if dims.iter().all(|dim| shape[*dim] > 0) {
                        let primitive = Primitive::Reduce { reduction, dims: dims.clone(), keepdim };
                        add(format!("{primitive:?}"), &[shape], one(primitive));
                    }
                }
                let primitive = Primitive::LogSumExp { dims: dims.clone(), keepdim };
                add(format!("{primitive:?}"), &[shape], one(primitive));
            }
            add(format!("flip {dims:?}"), &[shape], one(Primitive::Flip(dims)));
        }
        for dim in 0..shape.len().max(1) {
            for primitive in [
                Primitive::Cumulative { kind: Cumulative::Sum, dim },
                Primitive::Cumulative { kind: Cumulative::Prod, dim },
                Primitive::Sort { dim, descending: false },
                Primitive::Sort { dim, descending: true },
                Primitive::Softmax(dim),
                Primitive::LogSoftmax(dim),
            ] {
                add(format!("{primitive:?}"), &[shape], one(primitive));
            }
        }
        for dim in 0..shape.len() {
            let size = shape[dim];
            let slices = [(0, size, 1), (size / 2, size - size / 2, 1), (0, size.div_ceil(2), 2), (size, 0, 3)];
            for (start, length, step) in slices {
                let primitive = Primitive::Slice { dim, start, length, step };
                add(format!("{primitive:?}"), &[shape], one(primitive));
            }
            add(format!("cat {dim}"), &[shape, shape, shape, shape, shape], one(Primitive::Cat(dim)));
            let mut other = shape.to_vec();
            other[dim] += 2;
            add(format!("cat {dim}"), &[shape, &other], one(Primitive::Cat(dim)));
            // A part without a gradient, parts of different sizes, and an empty one.
            let sizes = vec![size / 2, 0, size - size / 2];
            let split = Primitive::Split { dim, sizes };
            add(
                format!("split {dim}"),
                &[shape],
                Box::new(move |k, x| k.apply(&split, &[&x[0]]).map(|mut parts| parts.swap_remove(2))),
            );
            let split = Primitive::Split { dim, sizes: vec![size, 0] };
            add(
                format!("split {dim} and joined"),
                &[shape],
                Box::new(move |k, x| {
                    let parts = k.apply(&split, &[&x[0]])?;
                    let squared = binary(k, Binary::Mul, &parts[0], &parts[0])?;
                    first(k, &Primitive::Cat(dim), &[&parts[1], &squared, &parts[0]])
                }),
            );
            if size > 0 {
                let indices = (0..5).map(|i| (i * 7 % size) as i64).collect::<Vec<_>>();
                add(
                    format!("index_select {dim}"),
                    &[shape],
                    Box::new(move |k, x| first(k, &Primitive::IndexSelect(dim), &[&x[0], &long(k, &[5], &indices)?])),
                );
            }
        }
        let reversed = (0..shape.len()).rev().collect::<Vec<_>>();
        add("permute".into(), &[shape], one(Primitive::Permute(reversed)));
        let wide = [&[2][..], shape].concat();
        add("expand".into(), &[shape], one(Primitive::Expand(wide)));
        add("reshape".into(), &[shape], one(Primitive::Reshape(vec![1, shape.iter().product()])));
        add(
            "cast".into(),
            &[shape],
            Box::new(move |k, x| {
                // To float and back loses digits, so only the gradient of the conversion to double is measured.
                let same = first(k, &Primitive::Cast(Dtype::Double), &[&x[0]])?;
                binary(k, Binary::Mul, &same, &x[0])
            }),
        );
    }
    for [a, b] in PAIRS {
        for function in BINARY {
            add(
                format!("{function:?}"),
                &[a, b],
                Box::new(move |k, x| match function {
                    Binary::Pow => binary(k, function, &unary(k, Unary::Sigmoid, &x[0])?, &x[1]),
                    Binary::Div | Binary::Remainder | Binary::Fmod => {
                        binary(k, function, &x[0], &binary(k, Binary::Add, &x[1], &double(k, &[], vec![3.25])?)?)
                    }
                    _ => binary(k, function, &x[0], &x[1]),
                }),
            );
        }
        add(
            "where".into(),
            &[a, b],
            Box::new(move |k, x| {
                let condition = first(
                    k,
                    &Primitive::Compare(stepwell_session::Compare::Lt),
                    &[&double(k, &[], vec![0.0])?, &x[0]],
                )?;
                let condition = first(k, &Primitive::Unary(Unary::Not), &[&condition])?;
                first(k, &Primitive::Where, &[&condition, &x[1], &binary(k, Binary::Mul, &x[0], &x[1])?])
            }),
        );
    }
    let products: [[&[usize]; 2]; 9] = [
        [&[2, 3], &[3, 4]],
        [&[5, 2, 3], &[3, 4]],
        [&[2, 3], &[5, 3, 4]],
        [&[5, 2, 3], &[5, 3, 4]],
        [&[2, 1, 2, 3], &[5, 3, 1]],
        [&[1, 2, 3], &[4, 1, 3, 2]],
        [&[2, 0], &[0, 3]],
        [&[0, 2, 3], &[3, 2]],
        [&[4, 0, 3], &[4, 3, 2]],
    ];
    for [a, b] in products {
        add("matmul".into(), &[a, b], one(Primitive::MatMul));
    }
    for (dim, shape, indices_shape) in [
        (0, &[3, 4][..], &[2, 3][..]),
        (1, &[3, 4], &[3, 5]),
        (2, &[2, 3, 4], &[1, 3, 2]),
        (0, &[], &[]),
        (0, &[3], &[0]),
    ] {
        let size = shape.get(dim).copied().unwrap_or(1);
        let indices = (0..indices_shape.iter().product()).map(|i: usize| (i * 5 % size) as i64).collect::<Vec<_>>();
        let copy = indices.clone();
        add(
            format!("gather {dim}"),
            &[shape],
            Box::new(move |k, x| first(k, &Primitive::Gather(dim), &[&x[0], &long(k, indices_shape, &indices)?])),
        );
        let source = indices_shape.iter().map(|size| size + 1).collect::<Vec<_>>();
        add(
            format!("scatter_add {dim}"),
            &[shape, &source],
            Box::new(move |k, x| {
                first(k, &Primitive::ScatterAdd(dim), &[&x[0], &long(k, indices_shape, &copy)?, &x[1]])
            }),
        );
    }
    let square: &[usize] = &[3, 3];
    add("a tensor used twice by mul".into(), &[square], Box::new(|k, x| binary(k, Binary::Mul, &x[0], &x[0])));
    add(
        "a tensor used twice by matmul".into(),
        &[square],
        Box::new(|k, x| first(k, &Primitive::MatMul, &[&x[0], &x[0]])),
    );
    add(
        "a tensor used by all parts of a graph".into(),
        &[square],
        Box::new(|k, x| {
            let shifted = binary(k, Binary::Sub, &x[0], &x[0])?;
            let sum = binary(k, Binary::Add, &shifted, &x[0])?;
            let product = first(k, &Primitive::MatMul, &[&sum, &x[0]])?;
            first(k, &Primitive::Cat(0), &[&product, &x[0], &sum, &product])
        }),
    );
    rows
}

/// Whatever memory there is: a result, or an error that changes nothing and leaves nothing allocated.
#[test]
fn a_lack_of_memory_changes_nothing() {
    let mut refusals = 0;
    for (name, shapes, function) in differentiable() {
        let mut succeeded = false;
        for budget in (0..).map(|i| 40 * (i + 1) * (i + 2)) {
            let k = RustEngine::with_budget(budget);
            let mut seed = 3;
            let make = |shape: &Vec<usize>| {
                let tensor = double(&k, shape, numbers(shape.iter().product(), &mut seed))?;
                k.set_requires_grad(&tensor, true)?;
                Ok(tensor)
            };
            let Ok(inputs) = shapes.iter().map(make).collect::<Result<Vec<_>>>() else { continue };
            let before = k.memory_limit(0);
            let run = || -> Result<()> {
                let output = function(&k, &inputs)?;
                let shape = k.shape(&output)?;
                let target = double(&k, &shape, vec![0.5; shape.iter().product()])?;
                k.backward(
                    &k.loss(stepwell_session::Loss::Mse, &output, &target, stepwell_session::Reduction::Sum)?,
                    1.0,
                )
            };
            match run() {
                Ok(()) => {
                    inputs.iter().for_each(|input| k.set_grad(input, None).unwrap());
                    succeeded = true;
                }
                Err(error) => {
                    assert_eq!(error.code(), Code::Memory, "{name}: {error}");
                    assert!(inputs.iter().all(|input| k.grad(input).is_none()), "{name}");
                    refusals += 1;
                }
            }
            assert_eq!(k.memory_limit(0), before, "{name} with {budget} bytes");
            if succeeded {
                break;
            }
        }
    }
    assert!(refusals > 1000, "{refusals}");
}

/// No operation is recorded without a gradient to compute, and integers have none.
#[test]
fn nothing_is_recorded_without_need() {
    for (name, shapes, function) in differentiable() {
        let k = RustEngine::new();
        let mut seed = 9;
        let make = |shape: &Vec<usize>| double(&k, shape, numbers(shape.iter().product(), &mut seed)).unwrap();
        let inputs = shapes.iter().map(make).collect::<Vec<_>>();
        let plain = function(&k, &inputs).unwrap();
        assert!(!k.requires_grad(&plain), "{name}");
        inputs.iter().for_each(|input| k.set_requires_grad(input, true).unwrap());
        let output = function(&k, &inputs).unwrap();
        assert!(k.requires_grad(&output) && !k.is_leaf(&output), "{name}");
        assert_eq!(elements(&k, &plain), elements(&k, &output), "{name}");
        assert!(!k.no_grad(|| k.requires_grad(&function(&k, &inputs).unwrap())), "{name}");
    }
}

/// A graph is released once, and outdated if a parameter that it has saved is changed.
#[test]
fn graphs_are_released_and_outdated() {
    let k = RustEngine::new();
    let leaf = |data: Vec<f64>| {
        let leaf = double(&k, &[data.len()], data).unwrap();
        k.set_requires_grad(&leaf, true).unwrap();
        leaf
    };
    let (a, b) = (leaf(vec![2.0, 3.0]), leaf(vec![5.0, 7.0]));
    let product = binary(&k, Binary::Mul, &a, &b).unwrap();
    let total = scalar(&k, &product);
    k.backward(&total, 1.0).unwrap();
    let message = k.backward(&total, 1.0).unwrap_err().to_string();
    assert!(message.starts_with("a second backward"), "{message}");
    // Mul has saved both; Add has saved none.
    let product = binary(&k, Binary::Mul, &a, &b).unwrap();
    k.assign(&b, &Data::Double(vec![1.0, 1.0])).unwrap();
    let message = k.backward(&scalar(&k, &product), 1.0).unwrap_err().to_string();
    assert!(message.starts_with("backward through an outdated graph"), "{message}");
    let sum = binary(&k, Binary::Add, &a, &b).unwrap();
    k.assign(&b, &Data::Double(vec![2.0, 2.0])).unwrap();
    k.backward(&scalar(&k, &sum), 1.0).unwrap();
}
