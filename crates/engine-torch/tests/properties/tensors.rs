//! Data in and out, gradients, devices, and errors in our words.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use half::{bf16, f16};
use stepwell_engine_torch::{Tensor, TorchEngine};
use stepwell_optim::Code;
use stepwell_session::{Data, Device, Dtype, Engine, Loss, Primitive, Reduction, Window};

fn float(engine: &TorchEngine, shape: &[usize], data: &[f32]) -> Tensor {
    engine.tensor(&Data::Float(data.to_vec()), shape, Device::Cpu).unwrap()
}

#[test]
fn data_round_trips() {
    let engine = TorchEngine::new();
    let all = [
        Data::Float(vec![0.1, -0.0, f32::MAX]),
        Data::Double(vec![0.1, 1e300, -2.0]),
        Data::Half([0x0001, 0x8000, 0x7bff].map(f16::from_bits).to_vec()),
        Data::BFloat16([0x0001, 0x8000, 0x7f7f].map(bf16::from_bits).to_vec()),
        Data::Long(vec![i64::MIN, 0, 7]),
        Data::Bool(vec![true, false, true]),
    ];
    assert!(Dtype::ALL.iter().all(|dtype| all.iter().any(|data| data.dtype() == *dtype)));
    for data in all {
        let tensor = engine.tensor(&data, &[3, 1], Device::Cpu).unwrap();
        assert_eq!(engine.data(&tensor).unwrap(), data);
        assert_eq!(engine.shape(&tensor).unwrap(), [3, 1]);
        assert_eq!(engine.dtype(&tensor).unwrap(), data.dtype());
        assert_eq!(engine.device(&tensor).unwrap(), Device::Cpu);
    }
    let scalar = float(&engine, &[], &[3.0]);
    assert_eq!((engine.shape(&scalar).unwrap(), engine.data(&scalar).unwrap()), (vec![], Data::Float(vec![3.0])));
    let empty = float(&engine, &[2, 0], &[]);
    assert_eq!((engine.shape(&empty).unwrap(), engine.data(&empty).unwrap()), (vec![2, 0], Data::Float(vec![])));
}

#[test]
fn a_length_other_than_the_shape_is_refused() {
    let engine = TorchEngine::new();
    for shape in [&[3][..], &[2, 2], &[], &[1 << 33, 1 << 33], &[usize::MAX, 2], &[0]] {
        let error = engine.tensor(&Data::Float(vec![0.0; 2]), shape, Device::Cpu).unwrap_err();
        assert_eq!(error.code(), Code::Shape, "{shape:?}");
    }
}

#[test]
fn clones_are_the_same_tensor() {
    let engine = TorchEngine::new();
    let tensor = float(&engine, &[2], &[1.0, 2.0]);
    let clone = tensor.clone();
    assert_eq!(engine.identity(&tensor), engine.identity(&clone));
    engine.set_requires_grad(&tensor, true).unwrap();
    assert!(engine.requires_grad(&clone) && engine.is_leaf(&clone));
    engine.assign(&tensor, &Data::Float(vec![3.0, 4.0])).unwrap();
    assert_eq!(engine.data(&clone).unwrap(), Data::Float(vec![3.0, 4.0]));
    assert_eq!(engine.assign(&tensor, &Data::Double(vec![3.0, 4.0])).unwrap_err().code(), Code::Dtype);
    assert_eq!(engine.assign(&tensor, &Data::Float(vec![3.0])).unwrap_err().code(), Code::Shape);
}

#[test]
fn convert_copies_and_replace_keeps_the_identity() {
    let engine = TorchEngine::new();
    let tensor = float(&engine, &[2], &[1.5, 2.0]);
    engine.set_requires_grad(&tensor, true).unwrap();
    let same = engine.convert(&tensor, Dtype::Float, Device::Cpu).unwrap();
    engine.assign(&same, &Data::Float(vec![0.0, 0.0])).unwrap();
    assert_eq!(engine.data(&tensor).unwrap(), Data::Float(vec![1.5, 2.0]));

    let double = engine.convert(&tensor, Dtype::Double, Device::Cpu).unwrap();
    assert!(engine.is_leaf(&double) && !engine.requires_grad(&double));
    let (clone, identity) = (tensor.clone(), engine.identity(&tensor));
    engine.replace(&tensor, &double).unwrap();
    assert_eq!(engine.identity(&tensor), identity);
    assert_eq!(engine.data(&clone).unwrap(), Data::Double(vec![1.5, 2.0]));
    assert!(engine.requires_grad(&clone));
}

#[test]
fn convert_rounds_to_sixteen_bits_and_widens_exactly() {
    let engine = TorchEngine::new();
    // Nearer to one neighbour, a tie, the largest number of half, and what only bfloat16 can be.
    let tensor = float(&engine, &[4], &[1.0 + 1.0 / 512.0, 1.0 + 3.0 / 256.0, 65504.0, 1e30]);
    for (dtype, tie) in [(Dtype::Half, 1.0 + 3.0 / 256.0), (Dtype::BFloat16, 1.0 + 4.0 / 256.0)] {
        let converted = engine.convert(&tensor, dtype, Device::Cpu).unwrap();
        assert_eq!(engine.dtype(&converted).unwrap(), dtype);
        assert_eq!(engine.data(&converted).unwrap(), engine.data(&tensor).unwrap().cast(dtype).unwrap());
        let widened = engine.data(&engine.convert(&converted, Dtype::Float, Device::Cpu).unwrap()).unwrap();
        assert!(matches!(&widened, Data::Float(v) if v[1] == tie), "{widened:?}");
        assert_eq!(widened, engine.data(&converted).unwrap().cast(Dtype::Float).unwrap());
    }
}

#[test]
fn gradients_accumulate_and_reset() {
    let engine = TorchEngine::new();
    let p = float(&engine, &[2], &[1.0, 2.0]);
    engine.set_requires_grad(&p, true).unwrap();
    let grad = || engine.grad(&p).map(|grad| engine.data(&grad).unwrap());
    let zero = float(&engine, &[2], &[0.0, 0.0]);
    let run = || engine.backward(&engine.loss(Loss::Mse, &p, &zero, Reduction::Sum).unwrap(), 1.0).unwrap();
    assert_eq!(grad(), None);
    engine.zero_grad(&p).unwrap();
    run();
    run();
    assert_eq!(grad(), Some(Data::Float(vec![4.0, 8.0])));
    engine.zero_grad(&p).unwrap();
    assert_eq!(grad(), Some(Data::Float(vec![0.0, 0.0])));
    engine.set_grad(&p, None).unwrap();
    assert_eq!(grad(), None);
    assert_eq!(engine.set_grad(&p, Some(&p)).unwrap_err().code(), Code::Gradient);
}

#[test]
fn backward_starts_from_a_seed() {
    let engine = TorchEngine::new();
    for dtype in [Dtype::Float, Dtype::Double, Dtype::Half, Dtype::BFloat16] {
        let p = engine.convert(&float(&engine, &[2], &[1.0, 2.0]), dtype, Device::Cpu).unwrap();
        let zero = engine.convert(&float(&engine, &[2], &[0.0, 0.0]), dtype, Device::Cpu).unwrap();
        engine.set_requires_grad(&p, true).unwrap();
        let loss = || engine.loss(Loss::Mse, &p, &zero, Reduction::Sum).unwrap();
        let grad = || engine.grad(&p).map(|grad| engine.data(&grad).unwrap().cast(Dtype::Double).unwrap());
        engine.backward(&loss(), 1024.0).unwrap();
        assert_eq!(grad(), Some(Data::Double(vec![2048.0, 4096.0])), "{dtype:?}");
        engine.backward(&loss(), 1.5).unwrap();
        let accumulated = Data::Double(vec![2051.0, 4102.0]).cast(dtype).unwrap().cast(Dtype::Double).unwrap();
        assert_eq!(grad(), Some(accumulated), "{dtype:?}");
        engine.backward(&loss(), f64::NAN).unwrap();
        assert!(matches!(grad(), Some(Data::Double(g)) if g.iter().all(|g| g.is_nan())));
    }
    let half = engine.convert(&float(&engine, &[], &[1.0]), Dtype::Half, Device::Cpu).unwrap();
    engine.set_requires_grad(&half, true).unwrap();
    let square = engine.multiply(&half, &half).unwrap();
    for (seed, text) in [(65536.0, "6.5536e4"), (1e-9, "1e-9")] {
        let error = engine.backward(&square, seed).unwrap_err();
        let expected = format!("a gradient to start from is beyond the range of half, given {text}");
        assert_eq!((error.code(), error.to_string()), (Code::Gradient, expected));
    }
    engine.backward(&square, 65504.0).unwrap();
    assert_eq!(engine.backward(&square, 1.0).unwrap_err().code(), Code::Engine);
}

#[test]
fn no_grad_ends_with_a_panic() {
    let engine = TorchEngine::new();
    let p = float(&engine, &[1], &[1.0]);
    engine.set_requires_grad(&p, true).unwrap();
    let made = engine.no_grad(|| engine.multiply(&p, &p).unwrap());
    assert!(!engine.requires_grad(&made));
    let panicked = std::panic::catch_unwind(|| TorchEngine::new().no_grad(|| panic!("on purpose")));
    assert!(panicked.is_err());
    assert!(engine.requires_grad(&engine.multiply(&p, &p).unwrap()));
    let product = engine.multiply(&p, &p).unwrap();
    assert_eq!(engine.set_requires_grad(&product, false).unwrap_err().code(), Code::Argument);
}

#[test]
fn errors_are_one_sentence() {
    let engine = TorchEngine::new();
    let p = float(&engine, &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let other = float(&engine, &[3, 3], &[0.0; 9]);
    let window = Window { stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
    let indices = engine.tensor(&Data::Long(vec![5]), &[1], Device::Cpu).unwrap();
    let mut errors = vec![
        engine.linear(&p, &other, None).unwrap_err(),
        engine.multiply(&p, &other).unwrap_err(),
        engine.apply(&Primitive::Conv2d { window, groups: 1 }, &[&p, &other]).map(drop).unwrap_err(),
        engine.reshape(&p, &[5]).unwrap_err(),
        engine.embedding(&p, &indices).unwrap_err(),
        engine.loss(Loss::CrossEntropy { ignore: -100 }, &p, &other, Reduction::Mean).unwrap_err(),
        engine.backward(&p, 1.0).unwrap_err(),
    ];
    engine.set_requires_grad(&p, true).unwrap();
    let square = engine.multiply(&p, &p).unwrap();
    errors.push(engine.backward(&square, 1.0).unwrap_err());
    let loss = engine.loss(Loss::Mse, &square, &square, Reduction::Mean).unwrap();
    engine.backward(&loss, 1.0).unwrap();
    errors.push(engine.backward(&loss, 1.0).unwrap_err());
    assert_eq!(engine.backward(&p, 2.0).unwrap_err().code(), Code::Shape);
    for error in &errors {
        let text = error.to_string();
        println!("{text}");
        assert_eq!(error.code(), Code::Engine, "{text}");
        assert!(!text.is_empty() && text.len() < 160, "{text}");
        assert!(!["\n", "Exception", "frame #", ".cpp"].iter().any(|part| text.contains(part)), "{text}");
    }
    assert!(errors.last().unwrap().to_string().starts_with("a second backward"));
}

#[test]
fn too_large_is_an_error_of_memory() {
    let engine = TorchEngine::new();
    // More than the address space holds, so that no setting of the system lets it pass.
    let column = float(&engine, &[1 << 23, 1], &vec![0.0; 1 << 23]);
    let error = engine.linear(&column, &column, None).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (Code::Memory, "out of memory allocating 281474976710656 bytes")
    );
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let engine = TorchEngine::new();
    engine.require(Device::Cpu).unwrap();
    let far = Device::Cuda(99);
    let error = engine.require(far).unwrap_err();
    assert_eq!(error.code(), Code::Device);
    assert!(error.to_string().starts_with("device cuda:99 cannot be used: "), "{error}");
    assert_eq!(engine.tensor(&Data::Float(vec![]), &[0], far).unwrap_err().code(), Code::Device);
}

/// Whether the system then has such pages is its own affair.
#[test]
#[cfg(target_os = "linux")]
#[allow(clippy::disallowed_methods, reason = "the address is looked up, and nothing is read from it")]
fn large_tensors_ask_for_huge_pages() {
    if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        return;
    }
    let engine = TorchEngine::new();
    let asked = |elements: usize| {
        let tensor = float(&engine, &[elements], &vec![1.0; elements]);
        let middle = tensor.as_ref().data_ptr().addr() + elements * size_of::<f32>() / 2;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut within = false;
        for line in maps.lines() {
            if let Some(flags) = line.strip_prefix("VmFlags:").filter(|_| within) {
                return flags.split_whitespace().any(|flag| flag == "hg");
            }
            let range = line.split_whitespace().next().and_then(|range| range.split_once('-'));
            let number = |text| usize::from_str_radix(text, 16).ok();
            if let Some((Some(from), Some(to))) = range.map(|(from, to)| (number(from), number(to))) {
                within = (from..to).contains(&middle);
            }
        }
        panic!("no mapping has the tensor");
    };
    assert!(asked(1 << 24));
    assert!(!asked(1 << 16));
}

/// The system grants more memory than there is, and ends the process when it is used. The test does not use it, in case it is
/// granted.
#[test]
#[cfg(target_os = "linux")]
fn an_operation_gets_no_more_memory_than_there_is() {
    let engine = TorchEngine::new();
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
    };
    let wanted = (bytes("MemTotal:") + bytes("MemAvailable:")) / 2 + bytes("SwapFree:");
    let elements = wanted / size_of::<f32>();
    let empty = |elements: usize| tch::Tensor::f_empty([elements as i64], (tch::Kind::Float, tch::Device::Cpu));
    let error = empty(elements).unwrap_err().to_string();
    let expected = format!("DefaultCPUAllocator: there is no memory: you tried to allocate {} bytes.", 4 * elements);
    assert!(error.contains(&expected), "{error}");
    // And goes on.
    assert_eq!(empty(1 << 20).unwrap().size(), [1 << 20]);
    assert_eq!(engine.data(&float(&engine, &[1], &[1.0])).unwrap(), Data::Float(vec![1.0]));
}
