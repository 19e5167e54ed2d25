//! A step on a device gets addresses of libtorch's memory, and only where it may write. The device of these tests uses main
//! memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::slice;
use std::sync::{Arc, Mutex};

use stepwell_engine_torch::{HostDevices, Tensor, TorchEngine, ViewCache};
use stepwell_optim::{Code, Device, DeviceMemory, DeviceModule, DeviceRead, DeviceView, Element, Error, Result};
use stepwell_session::{Data, Device as Place, Engine, Loss, Placement, Reduction};

/// A device in main memory, without kernels: these tests make the steps themselves.
struct MainMemory;

impl Device for MainMemory {
    fn name(&self) -> String {
        "cuda:7".into()
    }

    fn allocate(&self, _: usize) -> Result<Box<dyn DeviceMemory>> {
        Err(Error::new(Code::Memory, "no memory"))
    }

    fn upload(&self, to: u64, bytes: &[u8]) -> Result<()> {
        // SAFETY: addresses of views, and lengths that fit.
        unsafe { slice::from_raw_parts_mut(to as *mut u8, bytes.len()) }.copy_from_slice(bytes);
        Ok(())
    }

    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        // SAFETY: as above.
        bytes.copy_from_slice(unsafe { slice::from_raw_parts(from as *const u8, bytes.len()) });
        Ok(())
    }

    fn read(&self, _: u64) -> Result<Box<dyn DeviceRead>> {
        Err(Error::new(Code::Internal, "no number"))
    }

    fn copy(&self, _: u64, _: u64, _: usize) -> Result<()> {
        Err(Error::new(Code::Internal, "no copy"))
    }

    fn zero(&self, to: u64, bytes: usize) -> Result<()> {
        self.upload(to, &vec![0; bytes])
    }

    fn load(&self, _: &str) -> Result<Arc<dyn DeviceModule>> {
        Err(Error::new(Code::Device, "no kernels"))
    }
}

/// An engine with all tensors on the device. A list restricts it to indices of an optimizer's parameters.
fn engine(on_device: &Arc<Mutex<Option<Vec<usize>>>>) -> TorchEngine {
    let on_device = Arc::clone(on_device);
    let of =
        Box::new(move |index| on_device.lock().unwrap().as_ref().is_none_or(|list| list.contains(&index)).then_some(0));
    TorchEngine::with_host_devices(HostDevices { devices: vec![Arc::new(MainMemory)], of })
}

fn float(engine: &TorchEngine, data: &[f32]) -> Tensor {
    engine.tensor(&Data::Float(data.to_vec()), &[data.len()], Place::Cpu).unwrap()
}

/// A parameter [1, 2] with the gradient [10, 20].
fn parameter(engine: &TorchEngine) -> Tensor {
    let p = float(engine, &[1.0, 2.0]);
    engine.set_requires_grad(&p, true).unwrap();
    engine.set_grad(&p, Some(&float(engine, &[10.0, 20.0]))).unwrap();
    p
}

fn read(device: &dyn Device, from: u64, count: usize) -> Vec<f32> {
    let mut bytes = vec![0; 4 * count];
    device.download(from, &mut bytes).unwrap();
    bytes.chunks_exact(4).map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap())).collect()
}

/// p -= g, and g = 0 if `zero` is true.
fn subtract(device: &dyn Device, views: &[Option<DeviceView>], zero: bool) -> Result<()> {
    for view in views.iter().flatten() {
        assert_eq!(view.element, Element::Float);
        let [p, g] = [view.parameter, view.gradient].map(|address| read(device, address, view.length));
        let new: Vec<u8> = p.iter().zip(&g).flat_map(|(p, g)| (p - g).to_ne_bytes()).collect();
        device.upload(view.parameter, &new)?;
        if zero {
            device.zero(view.gradient, 4 * view.length)?;
        }
    }
    Ok(())
}

fn step(engine: &TorchEngine, all: &[Tensor], cache: &mut ViewCache, zero: bool) -> Result<Vec<bool>> {
    let mut viewed = Vec::new();
    engine.with_device_views(all, &|i| i.to_string(), cache, zero, &mut |devices, views| {
        viewed = views.iter().map(Option::is_some).collect();
        subtract(&*devices[0], views, zero)
    })?;
    Ok(viewed)
}

fn elements(engine: &TorchEngine, tensor: &Tensor) -> Vec<f32> {
    let Data::Float(elements) = engine.data(tensor).unwrap() else { panic!("not float") };
    elements
}

#[test]
fn a_step_writes_into_the_tensors_and_zeroes_gradients() {
    let engine = engine(&Arc::default());
    let (frozen, without) = (parameter(&engine), float(&engine, &[5.0]));
    engine.set_requires_grad(&frozen, false).unwrap();
    let all = [parameter(&engine), frozen, without];
    let mut cache = ViewCache::default();
    for zero in [false, false, true, false] {
        assert_eq!(step(&engine, &all, &mut cache, zero).unwrap(), [true, false, false]);
    }
    // Three subtractions, and one of the zeroed gradient.
    assert_eq!(elements(&engine, &all[0]), [-29.0, -58.0]);
    assert_eq!(elements(&engine, &all[1]), [1.0, 2.0]);
    for parameter in &all[..2] {
        assert_eq!(elements(&engine, &engine.grad(parameter).unwrap()), [0.0, 0.0]);
    }
}

#[test]
fn a_gradient_that_is_not_contiguous_is_copied_and_zeroed() {
    let engine = engine(&Arc::default());
    let p = parameter(&engine);
    let every_second = float(&engine, &[10.0, 0.5, 20.0, 0.5]).as_ref().f_slice(0, 0, 4, 2).unwrap();
    engine.set_grad(&p, Some(&Tensor::try_from(every_second).unwrap())).unwrap();
    let (all, mut cache) = ([p], ViewCache::default());
    step(&engine, &all, &mut cache, false).unwrap();
    step(&engine, &all, &mut cache, true).unwrap();
    assert_eq!(elements(&engine, &all[0]), [-19.0, -38.0]);
    assert_eq!(elements(&engine, &engine.grad(&all[0]).unwrap()), [0.0, 0.0]);
}

#[test]
fn a_backward_through_an_older_graph_is_an_error() {
    let engine = engine(&Arc::default());
    let (p, target) = (parameter(&engine), float(&engine, &[0.0, 0.0]));
    let mut cache = ViewCache::default();
    // By a check of everything, and by fingerprints.
    for _ in 0..2 {
        let loss = engine.loss(Loss::Mse, &p, &target, Reduction::Sum).unwrap();
        step(&engine, slice::from_ref(&p), &mut cache, false).unwrap();
        let error = engine.backward(&loss, 1.0).unwrap_err();
        assert!(error.to_string().contains("outdated graph"), "{error}");
    }
}

#[test]
fn gradients_that_do_not_fit_are_errors_and_change_nothing() {
    let engine = engine(&Arc::default());
    let all = [parameter(&engine), parameter(&engine)];
    let refuse = |grad: &Tensor, text| {
        engine.set_grad(&all[1], Some(grad)).unwrap();
        let error = step(&engine, &all, &mut ViewCache::default(), true).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::Gradient, text));
        assert_eq!(elements(&engine, &all[0]), [1.0, 2.0]);
    };
    let double = engine.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Place::Cpu).unwrap();
    refuse(&double, "parameter 1 cannot be updated: its gradient has another dtype");
    refuse(&float(&engine, &[1.0]), "parameter 1 cannot be updated: its gradient has another shape");
    refuse(&all[0].clone(), "parameter 0 shares memory with gradient 1");
}

#[test]
fn the_placement_follows_the_tensors() {
    let on_device = Arc::new(Mutex::new(None));
    let engine = engine(&on_device);
    let all = [parameter(&engine), parameter(&engine)];
    let mut cache = ViewCache::default();
    let mut placement = |list| {
        *on_device.lock().unwrap() = list;
        engine.placement(&all, &mut cache).unwrap()
    };
    assert_eq!(placement(None), Placement::Devices);
    assert_eq!(placement(Some(vec![])), Placement::Host);
    assert_eq!(placement(Some(vec![1])), Placement::Mixed);
    assert_eq!(placement(Some(vec![0, 1])), Placement::Devices);
    assert_eq!(TorchEngine::new().placement(&all, &mut ViewCache::default()).unwrap(), Placement::Host);
    assert_eq!(engine.placement(&[], &mut ViewCache::default()).unwrap(), Placement::Host);
}

#[test]
fn a_device_step_without_a_device_is_an_error() {
    let engine = TorchEngine::new();
    let error = step(&engine, &[parameter(&engine)], &mut ViewCache::default(), false).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
}
