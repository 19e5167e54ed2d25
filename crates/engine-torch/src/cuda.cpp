// Memory and work of CUDA devices, through functions of libtorch_cpu that work for every accelerator. No function throws.

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <cstdint>

#include "status.h"

namespace {

using stepwell::guarded;
using stepwell::Status;

// libtorch's allocator of device memory; the first call of the process makes its tables.
at::DeviceAllocator& allocator() {
  at::globalContext().lazyInitDevice(at::kCUDA);
  return *at::getDeviceAllocator(at::kCUDA);
}

constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);

}  // namespace

// Has the layout of `MemoryFigures` in cuda.rs.
struct stepwell_memory_figures {
  int64_t allocated;
  int64_t reserved;
  int64_t peak;
  int64_t free;
  int64_t total;
};
static_assert(sizeof(stepwell_memory_figures) == 40, "as in cuda.rs");

extern "C" {

// The number of CUDA devices; -1 if libtorch was loaded without CUDA. libtorch caches the answer of its first call.
Status stepwell_cuda_devices(int32_t* out) noexcept {
  return guarded([&] {
    const auto& cuda = at::detail::getCUDAHooks();
    *out = cuda.hasCUDART() ? cuda.getNumGPUs() : -1;
  });
}

// Waits until the device has done all work. The device exists.
Status stepwell_cuda_synchronize(int32_t device) noexcept {
  return guarded([&] { at::accelerator::synchronizeDevice(static_cast<c10::DeviceIndex>(device)); });
}

// The memory of a device that exists.
Status stepwell_cuda_memory(int32_t device, stepwell_memory_figures* out) noexcept {
  return guarded([&] {
    const auto index = static_cast<c10::DeviceIndex>(device);
    at::DeviceAllocator& memory = allocator();
    const auto stats = memory.getDeviceStats(index);
    const auto [free, total] = memory.getMemoryInfo(index);
    out->allocated = stats.allocated_bytes[kAll].current;
    out->reserved = stats.reserved_bytes[kAll].current;
    out->peak = stats.allocated_bytes[kAll].peak;
    out->free = static_cast<int64_t>(free);
    out->total = static_cast<int64_t>(total);
  });
}

// Gives memory that libtorch keeps for later tensors back to the devices. A process that has not used a device keeps none.
Status stepwell_cuda_empty_cache() noexcept {
  return guarded([&] {
    if (at::detail::getCUDAHooks().hasCUDART() && at::globalContext().hasCUDA() && at::accelerator::deviceCount() > 0) {
      allocator().emptyCache();
    }
  });
}

}  // extern "C"
