// libtorch's own optimizers without a closure. libtorch owns their state; this file makes, reads and writes it.

#include <ATen/ATen.h>

#include <cmath>
#include <memory>
#include <unordered_set>
#include <vector>

#include "rules.h"
#include "../status.h"

extern "C" {

// Has the layout of `Group` in optimizer.rs.
struct stepwell_group {
  const double* options;  // in the order of the option table, a flag as 0 or 1
  const at::Tensor* const* parameters;
  size_t count;
};

// Has the layout of `Buffers` in optimizer.rs. An absent buffer is null.
struct stepwell_buffers {
  int64_t step;
  at::Tensor* tensors[3];
};

}  // extern "C"

namespace {

using at::Tensor;
using stepwell::guarded;
using stepwell::Status;

using stepwell::rules::InitialValues;
using stepwell::rules::kBuffers;
using stepwell::rules::StateBuffers;

bool fits(const Tensor& buffer, const Tensor& parameter) {
  return buffer.defined() && buffer.sizes() == parameter.sizes() && buffer.dtype() == parameter.dtype() &&
         buffer.device() == parameter.device();
}

class Library {
 public:
  virtual ~Library() = default;
  virtual void step(const stepwell_group* groups, size_t count) = 0;
  virtual bool read(const Tensor& parameter, stepwell_buffers* out) = 0;
  virtual void write(const Tensor& parameter, const stepwell_buffers* buffers) = 0;
};

template <class Rule>
class LibraryOf final : public Library {
  using Options = typename Rule::Options;
  using State = typename Rule::State;

 public:
  void step(const stepwell_group* groups, size_t count) override {
    const at::NoGradGuard no_grad;
    auto& param_groups = optimizer_.param_groups();
    param_groups.clear();
    for (size_t i = 0; i < count; ++i) {
      const stepwell_group& group = groups[i];
      std::vector<Tensor> parameters;
      parameters.reserve(group.count);
      for (size_t p = 0; p < group.count; ++p) {
        const Tensor& parameter = *group.parameters[p];
        if (!parameter.requires_grad() || !parameter.grad().defined()) continue;
        prepare(parameter, Rule::initial_values(group.options));
        parameters.push_back(parameter);
      }
      param_groups.emplace_back(std::move(parameters), std::make_unique<Options>(Rule::options(group.options)));
    }
    optimizer_.step();
    param_groups.clear();
  }

  bool read(const Tensor& parameter, stepwell_buffers* out) override {
    void* const key = parameter.unsafeGetTensorImpl();
    if (stepped_.count(key) == 0) return false;
    *out = {};
    if (State* const state = find(key)) {
      if constexpr (Rule::kOwnState) out->step = state->step();
      const StateBuffers state_buffers = Rule::buffers(*state);
      for (size_t i = 0; i < kBuffers; ++i) {
        if (state_buffers[i] != nullptr && state_buffers[i]->defined()) out->tensors[i] = new Tensor(*state_buffers[i]);
      }
    }
    return true;
  }

  void write(const Tensor& parameter, const stepwell_buffers* buffers) override {
    void* const key = parameter.unsafeGetTensorImpl();
    optimizer_.state().erase(key);
    stepped_.erase(key);
    if (buffers == nullptr) return;
    auto state = std::make_unique<State>();
    if constexpr (Rule::kOwnState) state->step(buffers->step);
    const StateBuffers state_buffers = Rule::buffers(*state);
    bool is_empty = true;
    for (size_t i = 0; i < kBuffers; ++i) {
      if (state_buffers[i] == nullptr || buffers->tensors[i] == nullptr) continue;
      *state_buffers[i] = *buffers->tensors[i];
      is_empty = false;
    }
    stepped_.insert(key);
    if (Rule::kOwnState || !is_empty) optimizer_.state()[key] = std::move(state);
  }

 private:
  // Makes the buffers that are absent or have another shape, dtype or device than the parameter.
  void prepare(const Tensor& parameter, const InitialValues& initial) {
    void* const key = parameter.unsafeGetTensorImpl();
    State* state = find(key);
    if constexpr (Rule::kOwnState) {
      if (state == nullptr) {
        auto created = std::make_unique<State>();
        state = created.get();
        optimizer_.state()[key] = std::move(created);
      }
      const StateBuffers state_buffers = Rule::buffers(*state);
      for (size_t i = 0; i < kBuffers; ++i) {
        if (std::isnan(initial[i]) || fits(*state_buffers[i], parameter)) continue;
        *state_buffers[i] = at::full_like(parameter, initial[i], at::MemoryFormat::Preserve);
      }
    } else if (state != nullptr && !fits(*Rule::buffers(*state)[0], parameter)) {
      optimizer_.state().erase(key);
    }
    stepped_.insert(key);
  }

  State* find(void* key) {
    const auto found = optimizer_.state().find(key);
    return found == optimizer_.state().end() ? nullptr : static_cast<State*>(found->second.get());
  }

  typename Rule::Optimizer optimizer_{std::vector<torch::optim::OptimizerParamGroup>(), Options(0.0)};
  // Parameters that a step has updated. libtorch's SGD without momentum keeps no state that would tell.
  std::unordered_set<const void*> stepped_;
};

template <class Rule>
void make(Library** out) {
  *out = new LibraryOf<Rule>();
}

// In the order of `KINDS` in optimizer.rs.
constexpr void (*kMakers[])(Library**) = {
    make<stepwell::rules::Adagrad>, make<stepwell::rules::Adam>, make<stepwell::rules::AdamW>,
    make<stepwell::rules::RMSprop>, make<stepwell::rules::SGD>};

}  // namespace

extern "C" {

Status stepwell_library_new(size_t kind, Library** out) noexcept {
  return guarded([&] { kMakers[kind](out); });
}

void stepwell_library_free(Library* library) noexcept { delete library; }

// Updates the parameters that have a gradient and require one.
Status stepwell_library_step(Library* library, const stepwell_group* groups, size_t count) noexcept {
  return guarded([&] { library->step(groups, count); });
}

// Reads the state of a parameter into new handles, which the caller owns. `found` is 0 before its first step.
Status stepwell_library_read(Library* library, const Tensor* parameter, stepwell_buffers* out, int32_t* found) noexcept {
  return guarded([&] { *found = library->read(*parameter, out); });
}

// Sets the state of a parameter. Stores handles of the buffers, without a copy; null removes the state.
Status stepwell_library_write(Library* library, const Tensor* parameter, const stepwell_buffers* buffers) noexcept {
  return guarded([&] { library->write(*parameter, buffers); });
}

}  // extern "C"
