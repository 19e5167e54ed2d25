// libtorch's own L-BFGS. What it remembers comes in and goes out with each step, so a step that fails forgets nothing.

#include <ATen/ATen.h>
#include <torch/optim/lbfgs.h>

#include <cmath>
#include <memory>
#include <vector>

#include "../status.h"

extern "C" {

// Mirrors `Raw` in lbfgs_state.rs. A tensor that there is not is null.
struct stepwell_memory {
  int64_t func_evals;
  int64_t n_iter;
  double t;
  double prev_loss;
  double h_diag;
  at::Tensor* d;
  at::Tensor* prev_flat_grad;
  at::Tensor* old_dirs;  // a row for each pair, oldest first
  at::Tensor* old_stps;
  at::Tensor* ro;
};

// Evaluates the loss. Not 0: it failed, and the caller knows why. No panic leaves it.
typedef int32_t (*stepwell_closure)(void* context, double* loss);

}  // extern "C"

namespace {

using at::Tensor;
using stepwell::guarded;
using stepwell::Status;
using torch::optim::LBFGS;
using torch::optim::LBFGSOptions;
using torch::optim::LBFGSParamState;

// As in lbfgs.rs: the closure failed. Beyond the values of Status.
constexpr int32_t kClosureFailed = 3;

struct ClosureFailed {};

// A row of the option table; a missing number is NaN.
LBFGSOptions options_of(const double* o) {
  const auto iter = static_cast<int64_t>(o[1]);
  LBFGSOptions options(o[0]);
  options.max_iter(iter)
      .max_eval(std::isnan(o[2]) ? iter * 5 / 4 : static_cast<int64_t>(o[2]))
      .tolerance_grad(o[3])
      .tolerance_change(o[4])
      .history_size(static_cast<int64_t>(o[5]));
  if (!std::isnan(o[6])) options.line_search_fn("strong_wolfe");
  return options;
}

std::unique_ptr<LBFGSParamState> state_of(const stepwell_memory& memory, const Tensor& like) {
  auto state = std::make_unique<LBFGSParamState>();
  state->func_evals(memory.func_evals).n_iter(memory.n_iter).t(memory.t).prev_loss(memory.prev_loss);
  state->H_diag(at::scalar_tensor(memory.h_diag, like.options()));
  // libtorch writes to these two in place.
  if (memory.d != nullptr) state->d(memory.d->to(like.options(), false, true));
  if (memory.prev_flat_grad != nullptr) state->prev_flat_grad(memory.prev_flat_grad->to(like.options(), false, true));
  if (memory.ro == nullptr) return state;
  for (const Tensor& row : memory.old_dirs->to(like.options()).unbind()) state->old_dirs().push_back(row);
  for (const Tensor& row : memory.old_stps->to(like.options()).unbind()) state->old_stps().push_back(row);
  for (const Tensor& one : memory.ro->to(like.options()).unbind()) state->ro().push_back(one);
  return state;
}

Tensor* rows(const std::deque<Tensor>& deque) {
  return new Tensor(at::stack(std::vector<Tensor>(deque.begin(), deque.end())));
}

void tell(LBFGSParamState& state, stepwell_memory* out) {
  *out = {};
  out->func_evals = state.func_evals();
  out->n_iter = state.n_iter();
  out->t = state.t();
  out->prev_loss = state.prev_loss();
  if (state.H_diag().defined()) out->h_diag = state.H_diag().item<double>();
  if (state.d().defined()) out->d = new Tensor(state.d());
  if (state.prev_flat_grad().defined()) out->prev_flat_grad = new Tensor(state.prev_flat_grad());
  if (state.ro().empty()) return;
  out->old_dirs = rows(state.old_dirs());
  out->old_stps = rows(state.old_stps());
  out->ro = rows(state.ro());
}

}  // namespace

extern "C" {

// One step. `before` is null before the first; what `after` holds is the caller's. After a failure the parameters are as
// they were.
int32_t stepwell_lbfgs_step(const double* options, const Tensor* const* tensors, size_t count,
                            const stepwell_memory* before, stepwell_closure closure, void* context,
                            stepwell_memory* after) noexcept {
  std::vector<Tensor> parameters, start;
  bool closure_failed = false;
  const Status status = guarded([&] {
    for (size_t i = 0; i < count; ++i) {
      parameters.push_back(*tensors[i]);
      start.push_back(tensors[i]->detach().clone());
    }
    LBFGS optimizer(parameters, options_of(options));
    auto state = before != nullptr ? state_of(*before, start[0]) : std::make_unique<LBFGSParamState>();
    LBFGSParamState& ours = *state;
    optimizer.state()[parameters[0].unsafeGetTensorImpl()] = std::move(state);
    optimizer.step([&] {
      double loss = 0;
      if (closure(context, &loss) != 0) {
        closure_failed = true;
        throw ClosureFailed();
      }
      for (const Tensor& parameter : parameters) {
        // libtorch views gradients as one dimension.
        Tensor& gradient = parameter.mutable_grad();
        if (gradient.defined() && !gradient.is_contiguous()) gradient = gradient.contiguous();
      }
      return at::scalar_tensor(loss, at::kDouble);
    });
    tell(ours, after);
  });
  if (status == stepwell::kOk) return status;
  // Keeps the text of the first failure. A closure may have changed a shape, and then nothing can be put back.
  for (size_t i = 0; i < start.size(); ++i) {
    try {
      const at::NoGradGuard no_grad;
      parameters[i].copy_(start[i]);
    } catch (...) {
    }
  }
  return closure_failed ? kClosureFailed : static_cast<int32_t>(status);
}

}  // extern "C"
