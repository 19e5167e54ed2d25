#include "called_function.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>
#include <utility>
#include <vector>

#include "status.h"

namespace {

using stepwell::CallFunction;
using stepwell::guarded;
using stepwell::Status;
using torch::autograd::Node;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

thread_local void* current_caller = nullptr;
thread_local CallFunction current_call = nullptr;

struct CalledFunction final : Node {
  uint64_t function = 0;
  // Lives as long as the function may be called; the caller looks at its references.
  at::Tensor marker;
  std::vector<SavedVariable> inputs;

  variable_list apply(variable_list&& gradients) override {
    variable_list results(inputs.size());
    if (gradients.empty() || !gradients[0].defined()) return results;
    TORCH_CHECK(current_call != nullptr, "a function of the caller was reached on a thread that cannot call it");
    std::vector<at::Tensor> unpacked;
    std::vector<const at::Tensor*> pointers;
    for (const auto& input : inputs) unpacked.push_back(input.unpack());
    for (const auto& input : unpacked) pointers.push_back(&input);
    std::vector<at::Tensor*> made(inputs.size(), nullptr);
    // A copy, since the function may write to it, and libtorch shares the memory of gradients.
    const at::Tensor gradient = gradients[0].clone(at::MemoryFormat::Contiguous);
    const int32_t status =
        current_call(current_caller, function, &gradient, pointers.data(), pointers.size(), made.data());
    for (size_t i = 0; i < made.size(); ++i) {
      const std::unique_ptr<at::Tensor> owned(made[i]);
      if (owned != nullptr && task_should_compute_output(i)) results[i] = *owned;
    }
    TORCH_CHECK(status == 0, "a function of the caller has failed");
    return results;
  }

  void release_variables() override {
    for (auto& input : inputs) input.reset_data();
    marker.reset();
  }
};

}  // namespace

stepwell::CallerGuard::CallerGuard(void* caller, CallFunction call) noexcept
    : before_caller_(current_caller), before_call_(current_call) {
  current_caller = caller;
  current_call = call;
}

stepwell::CallerGuard::~CallerGuard() {
  current_caller = before_caller_;
  current_call = before_call_;
}

bool stepwell::calls_function(const Node& node) { return dynamic_cast<const CalledFunction*>(&node) != nullptr; }

extern "C" {

// A tensor with the elements of the output, whose backward calls a function. Without an input that requires a gradient it is a
// leaf. The caller owns the result.
Status stepwell_with_backward(uint64_t function, const at::Tensor* marker, const at::Tensor* const* inputs, size_t count,
                              const at::Tensor* output, at::Tensor** out) noexcept {
  return guarded([&] {
    at::Tensor result = output->detach();
    variable_list variables;
    bool requires_grad = false;
    for (size_t i = 0; i < count; ++i) {
      variables.push_back(*inputs[i]);
      requires_grad = requires_grad || inputs[i]->requires_grad();
    }
    if (requires_grad && at::GradMode::is_enabled()) {
      std::shared_ptr<CalledFunction> node(new CalledFunction(), torch::autograd::deleteNode);
      node->set_next_edges(torch::autograd::collect_next_edges(variables));
      node->function = function;
      node->marker = *marker;
      for (const auto& variable : variables) node->inputs.emplace_back(variable, false);
      torch::autograd::set_history(result, node);
    }
    *out = new at::Tensor(std::move(result));
  });
}

// Whether there is another reference to the tensor.
bool stepwell_is_shared(const at::Tensor* tensor) noexcept { return tensor->use_count() > 1; }

}  // extern "C"
