// A process group of c10d on NCCL, in a library of its own: it needs libtorch's CUDA library, and the addon loads without that. scripts/nccl.mjs
// builds it where the headers are. No GPU has run it yet.

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

#include "guarded.h"
#include "nccl.h"

// In bytes, as libtorch 2.11.0 allocates them with NCCL 2.28 on x86-64. Other sizes mean that the headers of NCCL are of another version.
static_assert(sizeof(c10d::ProcessGroupNCCL) == 1112, "the layout of ProcessGroupNCCL differs from libtorch's");
static_assert(sizeof(c10d::ProcessGroupNCCL::Options) == 248, "the layout of NCCL's options differs from libtorch's");

extern "C" __attribute__((visibility("default"))) StepwellMakeGroup stepwell_nccl_group;

int32_t stepwell_nccl_group(
    c10d::Store* store,
    const char* prefix,
    int32_t rank,
    int32_t size,
    int64_t timeout,
    c10d::Backend** group,
    char* message) {
  return stepwell::guarded(message, [&] {
    // With this variable `wait` watches its operation: it throws if another process ends, and after the timeout. Without it a thread of c10d
    // watches all operations, and ends the process in both cases.
    TORCH_CHECK(
        c10d::getCvarBool(c10d::TORCH_NCCL_BLOCKING_WAIT, false),
        "the environment lacks TORCH_NCCL_BLOCKING_WAIT=1, without which c10d ends this process when another one fails. "
        "Set it before the process starts, or import Stepwell in the main thread before its workers do");
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = std::chrono::milliseconds(timeout);
    auto own = c10::make_intrusive<c10d::PrefixStore>(prefix, c10::intrusive_ptr<c10d::Store>::reclaim_copy(store));
    auto made = c10::make_intrusive<c10d::ProcessGroupNCCL>(std::move(own), rank, size, std::move(options));
    *group = c10::intrusive_ptr<c10d::Backend>(std::move(made)).release();
  });
}
