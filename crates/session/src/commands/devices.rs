//! Devices: which ones there are, their memory, and waiting for their work. `no_devices` replaces them in WebAssembly.

use stepwell_optim::Result;

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::engine::device_reports::{CudaDevice, DeviceMemoryUse};
use crate::session::Session;
use crate::values::device::Device;
use crate::values::value::Value;

/// `cudaStatus()`: what the engine knows of CUDA. The SDK adds what it knows of libtorch.
pub(crate) fn status<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    let report = session.engine.cuda_report()?;
    let text = |text: Option<&String>| text.map_or(Value::Null, Value::string);
    let devices = report.devices.iter().enumerate().map(|(index, device)| {
        let CudaDevice { name, memory, capability } = device;
        Value::object([
            ("device", Value::string(Device::Cuda(index).to_string())),
            ("name", Value::string(name)),
            ("memory", Value::Number(*memory as f64)),
            ("capability", Value::string(capability)),
        ])
    });
    Ok(Value::object([
        ("loaded", Value::Bool(report.loaded)),
        ("driver", text(report.driver.as_ref())),
        ("devices", Value::Array(devices.collect())),
        ("missing", text(report.missing.as_ref().map(|(missing, _)| missing))),
        ("remedy", text(report.missing.as_ref().map(|(_, remedy)| remedy))),
    ]))
}

/// `memory([device])`: bytes that the engine uses on a device, by default on the CPU.
pub(crate) fn memory<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    let device = device(arguments)?;
    let figures = match session.engine.device_memory(device)? {
        None => vec![("allocated", session.bytes())],
        Some(DeviceMemoryUse { allocated, reserved, peak, free, total }) => {
            vec![("allocated", allocated), ("reserved", reserved), ("peak", peak), ("free", free), ("total", total)]
        }
    };
    let figures = figures.into_iter().map(|(name, bytes)| (name, Value::Number(bytes as f64)));
    Ok(Value::object([("device", Value::string(device.to_string()))].into_iter().chain(figures)))
}

/// `sync([device])`: waits until a device has done all work that was given to it; by default each CUDA device.
pub(crate) fn sync<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    if let Value::Undefined = arguments.peek() {
        arguments.next();
        arguments.finish()?;
        for index in 0..session.engine.cuda_report()?.devices.len() {
            session.engine.synchronize(Device::Cuda(index))?;
        }
        return Ok(Value::Null);
    }
    session.engine.synchronize(device(arguments)?)?;
    Ok(Value::Null)
}

fn device(mut arguments: Arguments) -> Result<Device> {
    let device = match arguments.next() {
        Value::Undefined => Device::Cpu,
        Value::String(name) => Device::parse(&name)?,
        other => return Err(arguments.argument_error("a device (a string)", &other)),
    };
    arguments.finish()?;
    Ok(device)
}
