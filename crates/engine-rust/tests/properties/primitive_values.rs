//! Values of primitives: arithmetic by hand, and numbers that PyTorch 2.11 gives for special arguments.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, Result};
use stepwell_session::{Binary, Compare, Cumulative, Data, Device, Dtype, Engine, Primitive, Reduce, Unary};

use crate::primitives::first;
use crate::small::refused;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn double(k: &RustEngine, shape: &[usize], data: &[f64]) -> Tensor {
    k.tensor(&Data::Double(data.to_vec()), shape, Device::Cpu).unwrap()
}

fn long(k: &RustEngine, shape: &[usize], data: &[i64]) -> Tensor {
    k.tensor(&Data::Long(data.to_vec()), shape, Device::Cpu).unwrap()
}

fn truth(k: &RustEngine, shape: &[usize], data: &[bool]) -> Tensor {
    k.tensor(&Data::Bool(data.to_vec()), shape, Device::Cpu).unwrap()
}

/// Elements as f64.
fn numbers(k: &RustEngine, tensor: &Tensor) -> Vec<f64> {
    match k.data(tensor).unwrap() {
        Data::Float(data) => data.into_iter().map(f64::from).collect(),
        Data::Double(data) => data,
        Data::Long(data) => data.into_iter().map(|x| x as f64).collect(),
        Data::Bool(data) => data.into_iter().map(|x| f64::from(u8::from(x))).collect(),
        other => panic!("{other:?}"),
    }
}

/// Equal to some digits, in the sign of zero and in NaN. An infinity or a whole number is equal exactly.
#[track_caller]
fn close(what: &str, ours: &[f64], expected: &[f64]) {
    let near = |a: f64, b: f64| {
        let exact = a == b && (a != 0.0 || a.is_sign_negative() == b.is_sign_negative());
        exact || (a.is_nan() && b.is_nan()) || (b.fract() != 0.0 && (a - b).abs() <= 1e-14 * b.abs().max(1e-300))
    };
    let equal = ours.len() == expected.len() && ours.iter().zip(expected).all(|(a, b)| near(*a, *b));
    assert!(equal, "{what}: {ours:?}, expected {expected:?}");
}

#[test]
fn unary_functions() {
    let rows: &[(Unary, &[f64], &[f64])] = &[
        (Unary::Abs, &[-2.5, -0.0, NAN, -INF], &[2.5, 0.0, NAN, INF]),
        (Unary::Neg, &[2.0, 0.0, -0.0], &[-2.0, -0.0, 0.0]),
        (Unary::Sign, &[-3.0, -0.0, 0.0, INF, NAN], &[-1.0, 0.0, 0.0, 1.0, 0.0]),
        (Unary::Ceil, &[-0.5, 0.5, 2.0, -INF], &[-0.0, 1.0, 2.0, -INF]),
        (Unary::Floor, &[-0.5, 0.5, -0.0], &[-1.0, 0.0, -0.0]),
        (Unary::Round, &[-0.5, 0.5, 1.5, 2.5, -2.5, 0.49999999999999994], &[-0.0, 0.0, 2.0, 2.0, -2.0, 0.0]),
        (Unary::Trunc, &[-0.5, 0.5, -2.7, NAN], &[-0.0, 0.0, -2.0, NAN]),
        (Unary::Sqrt, &[4.0, -0.0, -1.0, INF], &[2.0, -0.0, NAN, INF]),
        (Unary::Rsqrt, &[4.0, 0.0, -0.0, INF], &[0.5, INF, -INF, 0.0]),
        (Unary::Exp, &[0.0, 1.0, -INF, 1000.0], &[1.0, std::f64::consts::E, 0.0, INF]),
        (Unary::Expm1, &[1e-10, -INF, -0.0], &[1.00000000005e-10, -1.0, -0.0]),
        (Unary::Log, &[1.0, 0.0, -0.0, -1.0, INF], &[0.0, -INF, -INF, NAN, INF]),
        (Unary::Log1p, &[1e-10, -1.0, -2.0], &[9.9999999995e-11, -INF, NAN]),
        (Unary::Log2, &[8.0, 0.25, 0.0], &[3.0, -2.0, -INF]),
        (Unary::Log10, &[1000.0, 0.01, -1.0], &[3.0, -2.0, NAN]),
        (Unary::Sin, &[0.0, -0.0, 1.0, INF], &[0.0, -0.0, 0.8414709848078965, NAN]),
        (Unary::Cos, &[0.0, 1.0, 1e22], &[1.0, 0.5403023058681398, 0.5232147853951389]),
        (Unary::Tan, &[1.0, INF], &[1.5574077246549023, NAN]),
        (Unary::Asin, &[1.0, 2.0], &[std::f64::consts::FRAC_PI_2, NAN]),
        (Unary::Acos, &[1.0, -1.0, 2.0], &[0.0, std::f64::consts::PI, NAN]),
        (Unary::Atan, &[INF, -INF], &[std::f64::consts::FRAC_PI_2, -std::f64::consts::FRAC_PI_2]),
        (Unary::Sinh, &[1.0, INF], &[1.1752011936438014, INF]),
        (Unary::Cosh, &[1.0, -INF], &[1.5430806348152437, INF]),
        (Unary::Tanh, &[1.0, INF, -0.0], &[0.7615941559557649, 1.0, -0.0]),
        (Unary::Sigmoid, &[0.0, -1000.0, 1000.0, NAN], &[0.5, 0.0, 1.0, NAN]),
        (Unary::Relu, &[-1.0, -0.0, 2.5, NAN], &[0.0, -0.0, 2.5, NAN]),
        (Unary::Erf, &[0.5, INF], &[0.5204998778130465, 1.0]),
        (Unary::Erfc, &[0.5, 10.0, -INF], &[0.4795001221869535, 2.088487583762545e-45, 2.0]),
        (
            Unary::Erfinv,
            &[0.0, 0.5, -0.9, 1.0, -1.0, 2.0],
            &[0.0, 0.4769362762044699, -1.163087153676674, INF, -INF, NAN],
        ),
        (Unary::Lgamma, &[1.0, 0.0, -1.0, 2.5, -0.5], &[0.0, INF, INF, 0.2846828704729192, 1.2655121234846454]),
        (Unary::Digamma, &[0.0, -0.0, -1.0, 2.5], &[-INF, INF, NAN, 0.7031566406452432]),
    ];
    let k = RustEngine::new();
    for (function, x, expected) in rows {
        let name = format!("{function:?}");
        let run = |x: &Tensor| first(&k, &Primitive::Unary(*function), &[x]).unwrap();
        close(&name, &numbers(&k, &run(&double(&k, &[x.len()], x))), expected);
        // In f32: the same numbers rounded, if the argument is exact.
        let exact = x.iter().all(|x| x.is_nan() || f64::from(*x as f32) == *x);
        if exact {
            let x = k.tensor(&Data::Float(x.iter().map(|x| *x as f32).collect()), &[x.len()], Device::Cpu).unwrap();
            let ours = numbers(&k, &run(&x));
            let rounded = expected.iter().map(|x| f64::from(*x as f32)).collect::<Vec<_>>();
            close(&format!("{name} of float"), &ours, &rounded);
        }
    }
    let run = |function, x: &Tensor| numbers(&k, &first(&k, &Primitive::Unary(function), &[x]).unwrap());
    let whole = long(&k, &[3], &[-7, 0, 5]);
    assert_eq!(run(Unary::Abs, &whole), [7.0, 0.0, 5.0]);
    assert_eq!(run(Unary::Sign, &whole), [-1.0, 0.0, 1.0]);
    assert_eq!(run(Unary::Relu, &whole), [0.0, 0.0, 5.0]);
    assert_eq!(run(Unary::Not, &whole), [6.0, -1.0, -6.0]);
    assert_eq!(run(Unary::Not, &truth(&k, &[2], &[true, false])), [0.0, 1.0]);
    let least = long(&k, &[], &[i64::MIN]);
    assert_eq!(run(Unary::Neg, &least), [i64::MIN as f64]);
}

/// A function with arguments, its values, and the gradients of both arguments.
type BinaryRow<'a> = (Binary, &'a [f64], &'a [f64], &'a [f64], &'a [f64], &'a [f64]);

#[test]
fn binary_functions_and_their_gradients() {
    let third = std::f64::consts::LN_2;
    let rows: &[BinaryRow<'_>] = &[
        (Binary::Add, &[1.0, INF], &[2.0, -INF], &[3.0, NAN], &[1.0, 1.0], &[1.0, 1.0]),
        (Binary::Sub, &[1.0, 0.0], &[2.0, 0.0], &[-1.0, 0.0], &[1.0, 1.0], &[-1.0, -1.0]),
        (Binary::Mul, &[3.0, 0.0], &[-2.0, INF], &[-6.0, NAN], &[-2.0, INF], &[3.0, 0.0]),
        (
            Binary::Div,
            &[0.0, 1.0, -1.0, 6.0],
            &[0.0, 0.0, 0.0, 3.0],
            &[NAN, INF, -INF, 2.0],
            &[INF, INF, INF, 1.0 / 3.0],
            &[NAN, -INF, INF, -2.0 / 3.0],
        ),
        (
            Binary::Pow,
            &[0.0, 0.0, 0.0, -1.0, 2.0, NAN, 1.0, -2.0],
            &[0.0, -1.0, 2.0, 0.5, 0.0, 0.0, NAN, 3.0],
            &[1.0, INF, 0.0, NAN, 1.0, 1.0, 1.0, -8.0],
            &[0.0, -INF, 0.0, NAN, 0.0, 0.0, NAN, 12.0],
            &[0.0, -INF, 0.0, NAN, third, NAN, 0.0, NAN],
        ),
        (
            Binary::Maximum,
            &[1.0, NAN, 1.0, 0.0, 2.0],
            &[1.0, 1.0, NAN, -0.0, 3.0],
            &[1.0, NAN, NAN, 0.0, 3.0],
            &[0.5, 1.0, 1.0, 0.5, 0.0],
            &[0.5, 1.0, 1.0, 0.5, 1.0],
        ),
        (
            Binary::Minimum,
            &[1.0, NAN, 1.0, 2.0],
            &[1.0, 1.0, NAN, 3.0],
            &[1.0, NAN, NAN, 2.0],
            &[0.5, 1.0, 1.0, 1.0],
            &[0.5, 1.0, 1.0, 0.0],
        ),
        (
            Binary::Remainder,
            &[5.0, -5.0, 5.0, -5.0, INF, 1.0, -1.0],
            &[3.0, 3.0, -3.0, -3.0, 1.0, 0.0, INF],
            &[2.0, 1.0, -1.0, -2.0, NAN, NAN, INF],
            &[1.0; 7],
            &[-1.0, 2.0, 2.0, -1.0, NAN, -INF, 1.0],
        ),
        (
            Binary::Fmod,
            &[5.0, -5.0, 5.0, -5.0, 1.0],
            &[3.0, 3.0, -3.0, -3.0, 0.0],
            &[2.0, -2.0, 2.0, -2.0, NAN],
            &[1.0; 5],
            &[-1.0, 1.0, 1.0, -1.0, -INF],
        ),
        (
            Binary::Atan2,
            &[0.0, 0.0, -0.0, 1.0],
            &[0.0, -1.0, -1.0, 0.0],
            &[0.0, std::f64::consts::PI, -std::f64::consts::PI, std::f64::consts::FRAC_PI_2],
            &[0.0, -1.0, -1.0, 0.0],
            &[0.0, -0.0, 0.0, -1.0],
        ),
    ];
    let k = RustEngine::new();
    for (function, a, b, expected, da, db) in rows {
        let shape = [a.len()];
        let (a, b) = (double(&k, &shape, a), double(&k, &shape, b));
        [&a, &b].iter().for_each(|x| k.set_requires_grad(x, true).unwrap());
        let y = first(&k, &Primitive::Binary(*function), &[&a, &b]).unwrap();
        close(&format!("{function:?}"), &numbers(&k, &y), expected);
        let sum = Primitive::Reduce { reduction: Reduce::Sum, dims: vec![0], keepdim: false };
        k.backward(&first(&k, &sum, &[&y]).unwrap(), 1.0).unwrap();
        close(&format!("{function:?}, gradient of a"), &numbers(&k, &k.grad(&a).unwrap()), da);
        close(&format!("{function:?}, gradient of b"), &numbers(&k, &k.grad(&b).unwrap()), db);
    }
}

#[test]
fn functions_of_integers_and_truth_values() {
    let k = RustEngine::new();
    let run =
        |function, a: &Tensor, b: &Tensor| numbers(&k, &first(&k, &Primitive::Binary(function), &[a, b]).unwrap());
    let (a, b) = (long(&k, &[5], &[7, -7, 7, -7, 0]), long(&k, &[5], &[2, 2, -2, -2, 3]));
    assert_eq!(run(Binary::Remainder, &a, &b), [1.0, 1.0, -1.0, -1.0, 0.0]);
    assert_eq!(run(Binary::Fmod, &a, &b), [1.0, -1.0, 1.0, -1.0, 0.0]);
    assert_eq!(run(Binary::Maximum, &a, &b), [7.0, 2.0, 7.0, -2.0, 3.0]);
    assert_eq!(run(Binary::And, &a, &b), [2.0, 0.0, 6.0, -8.0, 0.0]);
    assert_eq!(run(Binary::Or, &a, &b), [7.0, -5.0, -1.0, -1.0, 3.0]);
    assert_eq!(run(Binary::Xor, &a, &b), [5.0, -5.0, -7.0, 7.0, 3.0]);
    let (base, exponent) = (long(&k, &[7], &[2, -1, -1, 1, 5, 0, 3]), long(&k, &[7], &[10, -1, -2, -5, -1, 0, 39]));
    assert_eq!(run(Binary::Pow, &base, &exponent), [1024.0, -1.0, 1.0, 1.0, 0.0, 1.0, 4_052_555_153_018_976_267.0]);
    let most = long(&k, &[1], &[i64::MAX]);
    let sum = first(&k, &Primitive::Binary(Binary::Add), &[&most, &long(&k, &[], &[1])]).unwrap();
    assert_eq!(k.data(&sum).unwrap(), Data::Long(vec![i64::MIN]));
    let least = long(&k, &[1], &[i64::MIN]);
    assert_eq!(run(Binary::Fmod, &least, &long(&k, &[], &[-1])), [0.0]);
    for function in [Binary::Remainder, Binary::Fmod] {
        let zero = k.apply(&Primitive::Binary(function), &[&a, &long(&k, &[], &[0])]).map(drop);
        refused(zero, Code::Argument, "expected a divisor other than 0");
        let nothing = k.apply(&Primitive::Binary(function), &[&long(&k, &[0], &[]), &long(&k, &[], &[0])]);
        assert_eq!(k.data(&nothing.unwrap()[0]).unwrap(), Data::Long(vec![]));
    }
    let (p, q) = (truth(&k, &[4], &[false, false, true, true]), truth(&k, &[4], &[false, true, false, true]));
    for (function, expected) in [
        (Binary::Add, [0.0, 1.0, 1.0, 1.0]),
        (Binary::Mul, [0.0, 0.0, 0.0, 1.0]),
        (Binary::Maximum, [0.0, 1.0, 1.0, 1.0]),
        (Binary::Minimum, [0.0, 0.0, 0.0, 1.0]),
        (Binary::And, [0.0, 0.0, 0.0, 1.0]),
        (Binary::Or, [0.0, 1.0, 1.0, 1.0]),
        (Binary::Xor, [0.0, 1.0, 1.0, 0.0]),
    ] {
        assert_eq!(run(function, &p, &q), expected, "{function:?}");
    }
    // Products of integers in matrices.
    let (left, right) = (long(&k, &[2, 2], &[1, 2, 3, 4]), long(&k, &[2, 1], &[10, i64::MAX]));
    let product = first(&k, &Primitive::MatMul, &[&left, &right]).unwrap();
    assert_eq!(k.data(&product).unwrap(), Data::Long(vec![8, 26]));
}

#[test]
fn arithmetic_of_float_is_that_of_f32() {
    let k = RustEngine::new();
    let float = |shape: &[usize], data: &[f32]| k.tensor(&Data::Float(data.to_vec()), shape, Device::Cpu).unwrap();
    let (a, b) = ([0.1f32, 3.0e38, 1e-45, -7.25, 1.0, 16777217.0], [0.3f32, 3.0e38, 0.5, 3.1, 3.0, 1.0]);
    type Expected = fn(f32, f32) -> f32;
    let functions: [(Binary, Expected); 4] = [
        (Binary::Add, |a, b| a + b),
        (Binary::Sub, |a, b| a - b),
        (Binary::Mul, |a, b| a * b),
        (Binary::Div, |a, b| a / b),
    ];
    for (function, expected) in functions {
        let run = |a: &Tensor, b: &Tensor| k.data(&first(&k, &Primitive::Binary(function), &[a, b]).unwrap()).unwrap();
        let both = a.iter().zip(b).map(|(a, b)| expected(*a, b)).collect();
        assert_eq!(run(&float(&[6], &a), &float(&[6], &b)), Data::Float(both));
        let outer = a.iter().flat_map(|a| b.map(|b| expected(*a, b))).collect();
        assert_eq!(run(&float(&[6, 1], &a), &float(&[6], &b)), Data::Float(outer));
        let inner = b.iter().flat_map(|b| a.map(|a| expected(a, *b))).collect();
        assert_eq!(run(&float(&[6], &a), &float(&[6, 1], &b)), Data::Float(inner));
    }
}

#[test]
fn comparisons() {
    let k = RustEngine::new();
    let (a, b) = (double(&k, &[5], &[1.0, 2.0, 3.0, NAN, -0.0]), double(&k, &[5], &[2.0, 2.0, 2.0, NAN, 0.0]));
    for (compare, expected) in [
        (Compare::Eq, [false, true, false, false, true]),
        (Compare::Ne, [true, false, true, true, false]),
        (Compare::Lt, [true, false, false, false, false]),
        (Compare::Le, [true, true, false, false, true]),
        (Compare::Gt, [false, false, true, false, false]),
        (Compare::Ge, [false, true, true, false, true]),
    ] {
        let result = first(&k, &Primitive::Compare(compare), &[&a, &b]).unwrap();
        assert_eq!(k.data(&result).unwrap(), Data::Bool(expected.to_vec()), "{compare:?}");
    }
    // Integers that no f64 holds are compared exactly.
    let result =
        first(&k, &Primitive::Compare(Compare::Lt), &[&long(&k, &[], &[i64::MAX - 1]), &long(&k, &[], &[i64::MAX])]);
    assert_eq!(k.data(&result.unwrap()).unwrap(), Data::Bool(vec![true]));
    let result = first(&k, &Primitive::Compare(Compare::Lt), &[&truth(&k, &[1], &[false]), &truth(&k, &[], &[true])]);
    assert_eq!(k.data(&result.unwrap()).unwrap(), Data::Bool(vec![true]));
}

/// The gradient of the sum of a primitive's output.
fn gradient(k: &RustEngine, primitive: &Primitive, x: &[f64]) -> Vec<f64> {
    let x = double(k, &[x.len()], x);
    k.set_requires_grad(&x, true).unwrap();
    let y = first(k, primitive, &[&x]).unwrap();
    let dims = (0..k.shape(&y).unwrap().len()).collect();
    let sum = first(k, &Primitive::Reduce { reduction: Reduce::Sum, dims, keepdim: false }, &[&y]).unwrap();
    k.backward(&sum, 1.0).unwrap();
    numbers(k, &k.grad(&x).unwrap())
}

#[test]
fn reductions() {
    let k = RustEngine::new();
    let reduce = |reduction, dims: &[usize], keepdim| Primitive::Reduce { reduction, dims: dims.to_vec(), keepdim };
    let x = double(&k, &[2, 3, 2], &(1..=12).map(f64::from).collect::<Vec<_>>());
    let run = |reduction, dims: &[usize]| numbers(&k, &first(&k, &reduce(reduction, dims, false), &[&x]).unwrap());
    assert_eq!(run(Reduce::Sum, &[0]), [8.0, 10.0, 12.0, 14.0, 16.0, 18.0]);
    assert_eq!(run(Reduce::Sum, &[1]), [9.0, 12.0, 27.0, 30.0]);
    assert_eq!(run(Reduce::Sum, &[2]), [3.0, 7.0, 11.0, 15.0, 19.0, 23.0]);
    assert_eq!(run(Reduce::Sum, &[0, 2]), [18.0, 26.0, 34.0]);
    assert_eq!(run(Reduce::Mean, &[0, 1]), [6.0, 7.0]);
    assert_eq!(run(Reduce::Sum, &[0, 1, 2]), [78.0]);
    assert_eq!(run(Reduce::Prod, &[0, 2]), [1.0 * 2.0 * 7.0 * 8.0, 3.0 * 4.0 * 9.0 * 10.0, 5.0 * 6.0 * 11.0 * 12.0]);
    assert_eq!(run(Reduce::Amax, &[1]), [5.0, 6.0, 11.0, 12.0]);
    assert_eq!(run(Reduce::Amin, &[0, 2]), [1.0, 3.0, 5.0]);
    assert_eq!(run(Reduce::Sum, &[]), numbers(&k, &x));
    let shape =
        |dims: &[usize], keepdim| k.shape(&first(&k, &reduce(Reduce::Sum, dims, keepdim), &[&x]).unwrap()).unwrap();
    assert_eq!(
        (shape(&[1], false), shape(&[1], true), shape(&[0, 2], true)),
        (vec![2, 2], vec![2, 1, 2], vec![1, 3, 1])
    );

    let empty = double(&k, &[2, 0], &[]);
    let run = |reduction, dims: &[usize]| numbers(&k, &first(&k, &reduce(reduction, dims, false), &[&empty]).unwrap());
    assert_eq!(run(Reduce::Sum, &[1]), [0.0, 0.0]);
    assert_eq!(run(Reduce::Prod, &[1]), [1.0, 1.0]);
    close("mean of nothing", &run(Reduce::Mean, &[1]), &[NAN, NAN]);
    assert_eq!(run(Reduce::Sum, &[0]), [0.0; 0]);
    assert_eq!(run(Reduce::Sum, &[0, 1]), [0.0]);
    let none = truth(&k, &[0], &[]);
    let run = |reduction, x: &Tensor| numbers(&k, &first(&k, &reduce(reduction, &[0], false), &[x]).unwrap());
    assert_eq!((run(Reduce::All, &none), run(Reduce::Any, &none)), (vec![1.0], vec![0.0]));
    let some = truth(&k, &[3], &[true, false, true]);
    assert_eq!((run(Reduce::All, &some), run(Reduce::Any, &some)), (vec![0.0], vec![1.0]));
    assert_eq!((run(Reduce::Amax, &some), run(Reduce::Amin, &some)), (vec![1.0], vec![0.0]));
    let integers = long(&k, &[3], &[i64::MAX, 2, -5]);
    assert_eq!(
        k.data(&first(&k, &reduce(Reduce::Sum, &[0], false), &[&integers]).unwrap()).unwrap(),
        Data::Long(vec![i64::MAX - 3])
    );
    assert_eq!((run(Reduce::Amin, &integers), run(Reduce::Amax, &integers)), (vec![-5.0], vec![i64::MAX as f64]));
    close("amax", &run(Reduce::Amax, &double(&k, &[3], &[1.0, NAN, 3.0])), &[NAN]);
    close("amin", &run(Reduce::Amin, &double(&k, &[2], &[INF, INF])), &[INF]);

    close("ties", &gradient(&k, &reduce(Reduce::Amax, &[0], false), &[1.0, 3.0, 3.0]), &[0.0, 0.5, 0.5]);
    close("infinities", &gradient(&k, &reduce(Reduce::Amin, &[0], false), &[INF, INF]), &[0.5, 0.5]);
    close("NaN", &gradient(&k, &reduce(Reduce::Amax, &[0], false), &[1.0, NAN]), &[NAN, NAN]);
    close("a zero", &gradient(&k, &reduce(Reduce::Prod, &[0], false), &[1.0, 0.0, 3.0, 4.0]), &[0.0, 12.0, 0.0, 0.0]);
    close("zeros", &gradient(&k, &reduce(Reduce::Prod, &[0], false), &[1.0, 0.0, 3.0, 0.0]), &[0.0; 4]);
}

/// A sum of many `float` is as exact as one in f64.
#[test]
fn sums_of_float_lose_nothing() {
    let k = RustEngine::new();
    let x = k.tensor(&Data::Float(vec![0.1; 1 << 20]), &[1 << 10, 1 << 10], Device::Cpu).unwrap();
    for (dims, count) in [(vec![0], 1 << 10), (vec![1], 1 << 10), (vec![0, 1], 1 << 20)] {
        let sum = first(&k, &Primitive::Reduce { reduction: Reduce::Sum, dims, keepdim: false }, &[&x]).unwrap();
        let Data::Float(sums) = k.data(&sum).unwrap() else { panic!("float") };
        assert!(sums.iter().all(|sum| *sum == (f64::from(0.1f32) * f64::from(count)) as f32));
    }
}

#[test]
fn orders() {
    let k = RustEngine::new();
    let argument = |x: &Tensor, largest, dim| {
        numbers(&k, &first(&k, &Primitive::ArgReduce { largest, dim, keepdim: false }, &[x]).unwrap())
    };
    let x = double(&k, &[4], &[1.0, NAN, 3.0, NAN]);
    assert_eq!((argument(&x, true, 0), argument(&x, false, 0)), (vec![1.0], vec![1.0]));
    let x = double(&k, &[2, 3], &[1.0, 5.0, 5.0, 4.0, 4.0, -INF]);
    assert_eq!((argument(&x, true, 1), argument(&x, false, 1)), (vec![1.0, 0.0], vec![0.0, 2.0]));
    assert_eq!((argument(&x, true, 0), argument(&x, false, 0)), (vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 1.0]));
    let whole = long(&k, &[3], &[i64::MAX - 1, i64::MAX, i64::MIN]);
    assert_eq!((argument(&whole, true, 0), argument(&whole, false, 0)), (vec![1.0], vec![2.0]));
    assert_eq!(argument(&double(&k, &[], &[2.0]), true, 0), [0.0]);

    let sort = |x: &Tensor, descending| {
        let outputs = k.apply(&Primitive::Sort { dim: 0, descending }, &[x]).unwrap();
        assert!(k.is_leaf(&outputs[1]) && k.dtype(&outputs[1]).unwrap() == Dtype::Long);
        (numbers(&k, &outputs[0]), numbers(&k, &outputs[1]))
    };
    let x = double(&k, &[7], &[1.0, NAN, -0.0, 0.0, -INF, INF, NAN]);
    let (values, indices) = sort(&x, false);
    close("ascending", &values, &[-INF, -0.0, 0.0, 1.0, INF, NAN, NAN]);
    assert_eq!(indices, [4.0, 2.0, 3.0, 0.0, 5.0, 1.0, 6.0]);
    let x = double(&k, &[7], &[1.0, NAN, -0.0, 0.0, 1.0, INF, NAN]);
    let (values, indices) = sort(&x, true);
    close("descending", &values, &[NAN, NAN, INF, 1.0, 1.0, -0.0, 0.0]);
    assert_eq!(indices, [1.0, 6.0, 5.0, 0.0, 4.0, 2.0, 3.0]);
    let whole = long(&k, &[3], &[0, i64::MAX, i64::MIN]);
    assert_eq!(sort(&whole, false).1, [2.0, 0.0, 1.0]);
    assert_eq!(sort(&double(&k, &[], &[2.0]), true), (vec![2.0], vec![0.0]));
}

#[test]
fn cumulative_functions_and_softmax() {
    let k = RustEngine::new();
    let run = |primitive: &Primitive, x: &Tensor| numbers(&k, &first(&k, primitive, &[x]).unwrap());
    let x = double(&k, &[2, 3], &[1.0, 2.0, 3.0, 4.0, 0.0, 6.0]);
    let scan = |kind, dim| Primitive::Cumulative { kind, dim };
    assert_eq!(run(&scan(Cumulative::Sum, 1), &x), [1.0, 3.0, 6.0, 4.0, 4.0, 10.0]);
    assert_eq!(run(&scan(Cumulative::Sum, 0), &x), [1.0, 2.0, 3.0, 5.0, 2.0, 9.0]);
    assert_eq!(run(&scan(Cumulative::Prod, 1), &x), [1.0, 2.0, 6.0, 4.0, 0.0, 0.0]);
    assert_eq!(run(&scan(Cumulative::Prod, 0), &long(&k, &[3], &[2, -3, 4])), [2.0, -6.0, -24.0]);
    close("a zero", &gradient(&k, &scan(Cumulative::Prod, 0), &[1.0, 0.0, 3.0, 4.0]), &[1.0, 16.0, 0.0, 0.0]);

    let soft = |x: &[f64]| {
        (
            run(&Primitive::Softmax(0), &double(&k, &[x.len()], x)),
            run(&Primitive::LogSoftmax(0), &double(&k, &[x.len()], x)),
        )
    };
    let (share, logarithm) = soft(&[1000.0, 1000.0]);
    close("softmax", &share, &[0.5, 0.5]);
    close("log_softmax", &logarithm, &[-std::f64::consts::LN_2; 2]);
    for x in [[-INF, -INF], [INF, 1.0], [NAN, 1.0]] {
        let (share, logarithm) = soft(&x);
        assert!(share[0].is_nan() && logarithm[0].is_nan(), "{x:?}");
    }
    close("-infinity", &soft(&[-INF, 1.0]).0, &[0.0, 1.0]);
    let exp_sum = Primitive::LogSumExp { dims: vec![0], keepdim: false };
    let of = |x: &[f64]| run(&exp_sum, &double(&k, &[x.len()], x));
    close("logsumexp", &of(&[1000.0, 1000.0]), &[1000.0 + std::f64::consts::LN_2]);
    for (x, expected) in
        [(&[-INF, -INF][..], -INF), (&[INF, 1.0], INF), (&[], -INF), (&[-INF, 1.0], 1.0), (&[NAN, 1.0], NAN)]
    {
        close("logsumexp", &of(x), &[expected]);
    }
    close("gradient", &gradient(&k, &exp_sum, &[-INF, -INF]), &[NAN, NAN]);
    close("gradient", &gradient(&k, &exp_sum, &[INF, 1.0]), &[NAN, 0.0]);
    close("gradient", &gradient(&k, &exp_sum, &[-INF, 1.0]), &[0.0, 1.0]);
    assert_eq!(run(&Primitive::Softmax(0), &double(&k, &[], &[7.0])), [1.0]);
    assert_eq!(run(&Primitive::LogSoftmax(0), &double(&k, &[], &[7.0])), [0.0]);
}

#[test]
fn shapes_and_joins() {
    let k = RustEngine::new();
    let whole = long(&k, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    let run = |primitive: &Primitive, inputs: &[&Tensor]| -> (Vec<usize>, Vec<f64>) {
        let y = first(&k, primitive, inputs).unwrap();
        (k.shape(&y).unwrap(), numbers(&k, &y))
    };
    assert_eq!(run(&Primitive::Permute(vec![1, 0]), &[&whole]), (vec![3, 2], vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
    assert_eq!(run(&Primitive::Flip(vec![0, 1]), &[&whole]), (vec![2, 3], vec![6.0, 5.0, 4.0, 3.0, 2.0, 1.0]));
    let slice = Primitive::Slice { dim: 1, start: 0, length: 2, step: 2 };
    assert_eq!(run(&slice, &[&whole]), (vec![2, 2], vec![1.0, 3.0, 4.0, 6.0]));
    let nothing = Primitive::Slice { dim: 0, start: 2, length: 0, step: 5 };
    assert_eq!(run(&nothing, &[&whole]), (vec![0, 3], vec![]));
    assert_eq!(
        run(&Primitive::Expand(vec![2, 1, 3]), &[&long(&k, &[1, 3], &[1, 2, 3])]).1,
        [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    );
    assert_eq!(run(&Primitive::Reshape(vec![3, 2]), &[&whole]).0, [3, 2]);
    let (p, q) = (truth(&k, &[1, 1], &[true]), truth(&k, &[1, 2], &[false, true]));
    assert_eq!(run(&Primitive::Cat(1), &[&p, &q, &p]), (vec![1, 4], vec![1.0, 0.0, 1.0, 1.0]));
    let parts = k.apply(&Primitive::Split { dim: 1, sizes: vec![1, 0, 2] }, &[&whole]).unwrap();
    let parts: Vec<_> = parts.iter().map(|part| (k.shape(part).unwrap(), numbers(&k, part))).collect();
    assert_eq!(parts[0], (vec![2, 1], vec![1.0, 4.0]));
    assert_eq!(parts[1], (vec![2, 0], vec![]));
    assert_eq!(parts[2], (vec![2, 2], vec![2.0, 3.0, 5.0, 6.0]));
    let condition = truth(&k, &[2, 1], &[true, false]);
    assert_eq!(run(&Primitive::Where, &[&condition, &long(&k, &[], &[9]), &whole]).1, [9.0, 9.0, 9.0, 4.0, 5.0, 6.0]);
    // The chosen input alone has a gradient, whatever the other one is.
    let (a, b) = (double(&k, &[2], &[NAN, 1.0]), double(&k, &[2], &[2.0, INF]));
    [&a, &b].iter().for_each(|x| k.set_requires_grad(x, true).unwrap());
    let y = first(&k, &Primitive::Where, &[&truth(&k, &[2], &[false, true]), &a, &b]).unwrap();
    let sum = Primitive::Reduce { reduction: Reduce::Sum, dims: vec![0], keepdim: false };
    k.backward(&first(&k, &sum, &[&y]).unwrap(), 1.0).unwrap();
    assert_eq!(
        (numbers(&k, &k.grad(&a).unwrap()), numbers(&k, &k.grad(&b).unwrap())),
        (vec![0.0, 1.0], vec![1.0, 0.0])
    );
    let cast = |dtype, x: &Tensor| k.data(&first(&k, &Primitive::Cast(dtype), &[x]).unwrap()).unwrap();
    let x = double(&k, &[4], &[0.1, -1.7, NAN, 0.0]);
    assert_eq!(cast(Dtype::Bool, &x), Data::Bool(vec![true, true, true, false]));
    assert_eq!(cast(Dtype::Long, &double(&k, &[2], &[-1.7, 2.9])), Data::Long(vec![-1, 2]));
    let Data::Float(rounded) = cast(Dtype::Float, &x) else { panic!("float") };
    assert_eq!(rounded[..2], [0.1, -1.7]);
    // A gradient is converted back, and none flows through integers.
    let x = double(&k, &[1], &[0.1]);
    k.set_requires_grad(&x, true).unwrap();
    let y = first(&k, &Primitive::Cast(Dtype::Float), &[&x]).unwrap();
    k.backward(&y, 0.5).unwrap();
    assert_eq!(k.data(&k.grad(&x).unwrap()).unwrap(), Data::Double(vec![0.5]));
    assert!(!k.requires_grad(&first(&k, &Primitive::Cast(Dtype::Long), &[&x]).unwrap()));
}

#[test]
fn indices() -> Result<()> {
    let k = RustEngine::new();
    let x = long(&k, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    let run = |primitive: &Primitive, inputs: &[&Tensor]| Ok(numbers(&k, &first(&k, primitive, inputs)?));
    assert_eq!(run(&Primitive::IndexSelect(1), &[&x, &long(&k, &[2], &[2, 0])])?, [3.0, 1.0, 6.0, 4.0]);
    assert_eq!(run(&Primitive::Gather(1), &[&x, &long(&k, &[2, 1], &[2, 0])])?, [3.0, 4.0]);
    assert_eq!(run(&Primitive::Gather(0), &[&x, &long(&k, &[1, 2], &[1, 0])])?, [4.0, 2.0]);
    let (at, source) = (long(&k, &[1, 3], &[1, 1, 0]), long(&k, &[1, 3], &[10, 20, 30]));
    assert_eq!(run(&Primitive::ScatterAdd(1), &[&x, &at, &source])?, [31.0, 32.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(run(&Primitive::Gather(0), &[&long(&k, &[], &[5]), &long(&k, &[], &[0])])?, [5.0]);
    for (primitive, index) in
        [(Primitive::IndexSelect(1), 3), (Primitive::Gather(1), -1), (Primitive::ScatterAdd(1), 3)]
    {
        let at = if matches!(primitive, Primitive::IndexSelect(_)) {
            long(&k, &[1], &[index])
        } else {
            long(&k, &[1, 1], &[index])
        };
        let source = long(&k, &[1, 1], &[7]);
        let inputs = [&x, &at, &source];
        let count = if matches!(primitive, Primitive::ScatterAdd(_)) { 3 } else { 2 };
        let expected = format!("expected indices from 0 to 2, given {index}");
        refused(k.apply(&primitive, &inputs[..count]).map(drop), Code::Argument, &expected);
    }
    // The session has checked shapes. Others are an error, and no panic.
    let (scalar, three) = (long(&k, &[], &[5]), long(&k, &[3], &[0, 0, 0]));
    let wide = long(&k, &[2, 4], &[0; 8]);
    for (primitive, inputs) in [
        (Primitive::IndexSelect(0), &[&scalar, &three][..]),
        (Primitive::Gather(0), &[&x, &three]),
        (Primitive::Gather(0), &[&x, &wide]),
        (Primitive::ScatterAdd(1), &[&x, &wide, &x]),
        (Primitive::Reduce { reduction: Reduce::Sum, dims: vec![2], keepdim: false }, &[&x]),
        (Primitive::Slice { dim: 1, start: 1, length: 3, step: 1 }, &[&x]),
        (Primitive::Split { dim: 1, sizes: vec![1, 1] }, &[&x]),
        (Primitive::Split { dim: 2, sizes: vec![1] }, &[&x]),
        (Primitive::Split { dim: 0, sizes: vec![] }, &[&x]),
        (Primitive::Expand(vec![3]), &[&x]),
        (Primitive::Cat(0), &[&x, &three]),
        (Primitive::MatMul, &[&x, &x]),
        (Primitive::Where, &[&x, &x]),
    ] {
        refused(k.apply(&primitive, inputs).map(drop), Code::Internal, "");
    }
    let nowhere = k.apply(&Primitive::IndexSelect(0), &[&long(&k, &[0], &[]), &long(&k, &[1], &[0])]).map(drop);
    refused(nowhere, Code::Argument, "expected no index");
    Ok(())
}
