// Functions whose backward is a function of the caller.

#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include <cstddef>
#include <cstdint>

namespace stepwell {

// Runs the backward of a function of the caller. Writes to `gradients` a new tensor for each input that has a gradient. Returns 0
// unless it fails.
using CallFunction = int32_t (*)(void* caller, uint64_t function, const at::Tensor* gradient, const at::Tensor* const* inputs,
                                 size_t count, at::Tensor** gradients);

// The caller of this thread during a backward.
class CallerGuard {
 public:
  CallerGuard(void* caller, CallFunction call) noexcept;
  ~CallerGuard();
  CallerGuard(const CallerGuard&) = delete;
  CallerGuard& operator=(const CallerGuard&) = delete;

 private:
  void* const before_caller_;
  const CallFunction before_call_;
};

// Whether the backward of a node calls a function of the caller.
bool calls_function(const torch::autograd::Node& node);

}  // namespace stepwell
