//! Elementwise functions in one call equal the primitives to the bit, with their gradients, also in memory of freed tensors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use half::{bf16, f16};
use stepwell_engine_torch::{SpareTensors, Tensor, TorchEngine};
use stepwell_session::{Binary, Data, Device, Dtype, Elementwise, Engine, Primitive, Reduce, Unary};

const UNARY: [Unary; 32] = [
    Unary::Abs,
    Unary::Neg,
    Unary::Sign,
    Unary::Ceil,
    Unary::Floor,
    Unary::Round,
    Unary::Trunc,
    Unary::Sqrt,
    Unary::Rsqrt,
    Unary::Exp,
    Unary::Expm1,
    Unary::Log,
    Unary::Log1p,
    Unary::Log2,
    Unary::Log10,
    Unary::Sin,
    Unary::Cos,
    Unary::Tan,
    Unary::Asin,
    Unary::Acos,
    Unary::Atan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Tanh,
    Unary::Sigmoid,
    Unary::Relu,
    Unary::Erf,
    Unary::Erfc,
    Unary::Erfinv,
    Unary::Lgamma,
    Unary::Digamma,
    Unary::Not,
];

const BINARY: [Binary; 13] = [
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
    Binary::And,
    Binary::Or,
    Binary::Xor,
];

/// Of which this engine has no elementwise function.
const WITHOUT: [Binary; 6] = [Binary::Remainder, Binary::Fmod, Binary::Atan2, Binary::And, Binary::Or, Binary::Xor];

const FLOATING: [Dtype; 4] = [Dtype::Float, Dtype::Double, Dtype::Half, Dtype::BFloat16];

/// Numbers from -2 to 2 with special ones among them, other ones for each `shift`.
fn numbers(count: usize, shift: usize) -> Vec<f64> {
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0, -1.0];
    let number = |i: usize| special.get(i % 23).copied().unwrap_or(((i * 7919) % 1000) as f64 / 250.0 - 2.0);
    (0..count).map(|i| number(i + shift)).collect()
}

fn tensor(engine: &TorchEngine, numbers: &[f64], dtype: Dtype, shape: &[usize]) -> Tensor {
    let data = match dtype {
        Dtype::Float => Data::Float(numbers.iter().map(|x| *x as f32).collect()),
        Dtype::Half => Data::Half(numbers.iter().map(|x| f16::from_f64(*x)).collect()),
        Dtype::BFloat16 => Data::BFloat16(numbers.iter().map(|x| bf16::from_f64(*x)).collect()),
        _ => Data::Double(numbers.to_vec()),
    };
    engine.tensor(&data, shape, Device::Cpu).unwrap()
}

fn bits(engine: &TorchEngine, tensor: &Tensor) -> (Vec<usize>, Vec<u64>) {
    let bits = match engine.data(tensor).unwrap() {
        Data::Float(data) => data.iter().map(|x| u64::from(x.to_bits())).collect(),
        Data::Double(data) => data.iter().map(|x| x.to_bits()).collect(),
        Data::Half(data) => data.iter().map(|x| u64::from(x.to_bits())).collect(),
        Data::BFloat16(data) => data.iter().map(|x| u64::from(x.to_bits())).collect(),
        _ => panic!("not floating"),
    };
    (engine.shape(tensor).unwrap(), bits)
}

/// The bits of the gradient of each leaf of the sum of a tensor.
fn gradients(engine: &TorchEngine, y: &Tensor, leaves: &[&Tensor]) -> Vec<Option<(Vec<usize>, Vec<u64>)>> {
    let dims = (0..engine.shape(y).unwrap().len()).collect();
    let weighted = engine.apply_one(&Primitive::Binary(Binary::Mul), &[y, y]).unwrap();
    let sum = Primitive::Reduce { reduction: Reduce::Sum, dims, keepdim: false };
    engine.backward(&engine.apply_one(&sum, &[&weighted]).unwrap(), 1.0).unwrap();
    leaves.iter().map(|leaf| engine.grad(leaf).map(|gradient| bits(engine, &gradient))).collect()
}

fn primitive(function: Elementwise) -> Primitive {
    match function {
        Elementwise::Unary(function) => Primitive::Unary(function),
        Elementwise::Binary(function) => Primitive::Binary(function),
    }
}

/// Applies a function in both ways to equal leaves, through `view`, and compares results and gradients. Ends the result.
fn compare(
    engine: &TorchEngine,
    function: Elementwise,
    make: impl Fn() -> Vec<Tensor>,
    view: impl Fn(&Tensor) -> Tensor,
    spare: &mut SpareTensors,
) {
    let (leaves, others) = (make(), make());
    let recorded = leaves.iter().any(|leaf| engine.requires_grad(leaf));
    let [given, other] = [&leaves, &others].map(|leaves| leaves.iter().map(&view).collect::<Vec<_>>());
    let expected = engine.apply_one(&primitive(function), &other.iter().collect::<Vec<_>>());
    let result = engine.elementwise(function, (&given[0], given.get(1)), spare);
    let (Ok(expected), Some((y, bytes))) = (&expected, &result) else {
        // Libtorch has no kernel for this dtype.
        assert!(expected.is_err() && result.is_none(), "{function:?}");
        return;
    };
    assert_eq!(bits(engine, y), bits(engine, expected), "{function:?}");
    assert_eq!(*bytes, engine.byte_count(y).unwrap());
    assert_eq!(engine.requires_grad(y), engine.requires_grad(expected), "{function:?}");
    assert!(given.iter().all(|input| engine.storage(input) != engine.storage(y)));
    if recorded {
        let [ours, theirs] = [(y, &leaves), (expected, &others)]
            .map(|(y, leaves)| gradients(engine, y, &leaves.iter().collect::<Vec<_>>()));
        assert_eq!(ours, theirs, "{function:?}");
    }
    engine.end(result.unwrap().0, spare);
}

#[test]
fn results_and_gradients_equal_the_primitives() {
    let engine = TorchEngine::new();
    let mut spare = SpareTensors::default();
    let unary = UNARY.map(|function| (Elementwise::Unary(function), 1));
    let binary = BINARY.map(|function| (Elementwise::Binary(function), 2));
    let functions: Vec<_> = unary.into_iter().chain(binary).collect();
    for (function, inputs) in functions {
        let is_absent = function == Elementwise::Unary(Unary::Not)
            || matches!(function, Elementwise::Binary(function) if WITHOUT.contains(&function));
        for dtype in FLOATING {
            for shape in [&[16][..], &[4, 4], &[2, 8], &[], &[0], &[3, 0], &[7], &[40, 30]] {
                for flags in 0..(1 << inputs) {
                    let make = || -> Vec<_> {
                        let count = shape.iter().product();
                        let made = (0..inputs).map(|i| {
                            let leaf = tensor(&engine, &numbers(count, 5 * i), dtype, shape);
                            engine.set_requires_grad(&leaf, flags >> i & 1 == 1).unwrap();
                            leaf
                        });
                        made.collect()
                    };
                    if is_absent {
                        let given = make();
                        assert!(engine.elementwise(function, (&given[0], given.get(1)), &mut spare).is_none());
                        continue;
                    }
                    // Twice, so that the second result has memory of the first.
                    for _ in 0..2 {
                        compare(&engine, function, make, Tensor::clone, &mut spare);
                    }
                    if shape.len() == 2 {
                        let turned = |x: &Tensor| engine.apply_one(&Primitive::Permute(vec![1, 0]), &[x]).unwrap();
                        compare(&engine, function, make, turned, &mut spare);
                    }
                }
            }
        }
    }
}

#[test]
fn other_tensors_are_left_to_the_primitives() {
    let engine = TorchEngine::new();
    let mut spare = SpareTensors::default();
    let x = tensor(&engine, &[1.0, 2.0], Dtype::Float, &[2]);
    let longs = engine.tensor(&Data::Long(vec![1, 2]), &[2], Device::Cpu).unwrap();
    let doubles = tensor(&engine, &[1.0, 2.0], Dtype::Double, &[2]);
    let [row, one] =
        [(&[1, 2][..], 2), (&[1], 1)].map(|(shape, n)| tensor(&engine, &numbers(n, 9), Dtype::Float, shape));
    let add = Elementwise::Binary(Binary::Add);
    for other in [&longs, &doubles, &row, &one] {
        assert!(engine.elementwise(add, (&x, Some(other)), &mut spare).is_none());
        assert!(engine.elementwise(add, (other, Some(&x)), &mut spare).is_none());
    }
    assert!(engine.elementwise(add, (&x, None), &mut spare).is_none());
    assert!(engine.elementwise(Elementwise::Unary(Unary::Abs), (&longs, None), &mut spare).is_none());
    assert!(engine.elementwise(Elementwise::Unary(Unary::Abs), (&x, Some(&x)), &mut spare).is_none());
}

/// Memory that a graph, a view or another handle has is not used again.
#[test]
fn memory_in_use_is_not_taken() {
    let engine = TorchEngine::new();
    let functions = [
        Elementwise::Unary(Unary::Tanh),
        Elementwise::Unary(Unary::Sin),
        Elementwise::Binary(Binary::Mul),
        Elementwise::Unary(Unary::Sqrt),
        Elementwise::Binary(Binary::Div),
        Elementwise::Binary(Binary::Pow),
        Elementwise::Unary(Unary::Erf),
    ];
    let chain = |ends: bool| {
        let mut spare = SpareTensors::default();
        let leaf = tensor(&engine, &numbers(16, 8)[..16], Dtype::Float, &[16]);
        let constant = tensor(&engine, &[1.5; 16], Dtype::Float, &[16]);
        engine.set_requires_grad(&leaf, true).unwrap();
        let mut x = leaf.clone();
        for (i, function) in functions.iter().cycle().take(70).enumerate() {
            let other = matches!(function, Elementwise::Binary(_)).then_some(&constant);
            let y = engine.elementwise(*function, (&x, other), &mut spare).unwrap().0;
            // A view of the tensor that ends, and a result without a graph in memory that ends at once.
            let view = engine.apply_one(&Primitive::Reshape(vec![4, 4]), &[&constant]).unwrap();
            let scratch = engine.elementwise(Elementwise::Unary(Unary::Neg), (&constant, None), &mut spare).unwrap().0;
            let alias = engine.apply_one(&Primitive::Reshape(vec![16]), &[&scratch]).unwrap();
            if ends {
                engine.end(std::mem::replace(&mut x, y), &mut spare);
                engine.end(view, &mut spare);
                engine.end(scratch, &mut spare);
                let garbage = engine.elementwise(Elementwise::Unary(Unary::Exp), (&constant, None), &mut spare);
                assert_eq!(bits(&engine, &alias).1, vec![u64::from((-1.5f32).to_bits()); 16], "{i}");
                engine.end(garbage.unwrap().0, &mut spare);
            } else {
                x = y;
            }
        }
        (bits(&engine, &x), gradients(&engine, &x, &[&leaf]), bits(&engine, &constant))
    };
    assert_eq!(chain(true), chain(false));
    let mut spare = SpareTensors::default();
    let x = tensor(&engine, &[1.0, 2.0], Dtype::Float, &[2]);
    let clone = x.clone();
    engine.end(x, &mut spare);
    let y = engine.elementwise(Elementwise::Unary(Unary::Neg), (&clone, None), &mut spare).unwrap().0;
    assert_ne!(engine.storage(&y), engine.storage(&clone));
    // The memory of a tensor that nothing else has is used again.
    let storage = engine.storage(&y);
    engine.end(y, &mut spare);
    let z = engine.elementwise(Elementwise::Unary(Unary::Exp), (&clone, None), &mut spare).unwrap().0;
    assert_eq!(engine.storage(&z), storage);
}
