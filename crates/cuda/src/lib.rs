//! Runs the kernels of optimizers, which `stepwell-optim` writes as CUDA C++, on a device.
