// Calls a function when a backward has accumulated the gradient of a leaf.

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "../status.h"

namespace {

using stepwell::guarded;
using stepwell::Status;
using torch::autograd::FunctionPostHook;
using torch::autograd::Node;
using torch::autograd::variable_list;

using Arrived = void (*)(const void* context, size_t position);

// Runs after the node that accumulates the gradient, in the thread of the backward.
struct ArrivalHook : FunctionPostHook {
  ArrivalHook(Arrived arrived, const void* context, size_t position)
      : arrived(arrived), context(context), position(position) {}

  variable_list operator()(const variable_list& outputs, const variable_list&) override {
    arrived(context, position);
    return outputs;
  }

  Arrived arrived;
  const void* context;
  size_t position;
};

struct Arrivals {
  // The nodes with the keys of their hooks. A tensor holds its node weakly.
  std::vector<std::pair<std::shared_ptr<Node>, std::uintptr_t>> hooks;

  ~Arrivals() {
    for (auto& [node, key] : hooks) node->del_post_hook(key);
  }
};

}  // namespace

extern "C" {

// Calls `arrived` with `context` and the position of a leaf, whenever a backward has accumulated its gradient, until the arrivals are
// freed. Leaves that require no gradient are passed over. Not while a backward runs.
Status stepwell_watch_gradients(const at::Tensor* const* leaves, size_t count, Arrived arrived, const void* context,
                                Arrivals** watched) noexcept {
  return guarded([&] {
    auto arrivals = std::make_unique<Arrivals>();
    for (size_t i = 0; i < count; ++i) {
      auto node = torch::autograd::impl::grad_accumulator(*leaves[i]);
      if (node == nullptr) continue;
      const auto key = node->add_post_hook(std::make_unique<ArrivalHook>(arrived, context, i));
      arrivals->hooks.emplace_back(std::move(node), key);
    }
    *watched = arrivals.release();
  });
}

void stepwell_free_arrivals(Arrivals* arrivals) noexcept { delete arrivals; }

// Whether no other tensor shares the memory of this one.
bool stepwell_owns_memory(const at::Tensor* tensor) noexcept {
  return tensor->has_storage() && tensor->storage().use_count() == 1;
}

}  // extern "C"
