// The function of the library with NCCL, which the addon finds by its name.

#pragma once

#include <cstdint>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

extern "C" {

// Makes a group for tensors of GPUs, which the caller owns. `prefix` is the same text on all processes, and another one for each group. Returns
// a status of guarded.h. `message` has `kMessageBytes`.
using StepwellMakeGroup = int32_t(
    c10d::Store* store,
    const char* prefix,
    int32_t rank,
    int32_t size,
    int64_t timeout,
    c10d::Backend** group,
    char* message);

}  // extern "C"
