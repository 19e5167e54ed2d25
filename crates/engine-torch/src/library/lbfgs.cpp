// libtorch's own L-BFGS. The state is an argument and a result of each step, so that a failed step does not change it.

#include <ATen/ATen.h>
#include <torch/optim/lbfgs.h>

#include <cmath>
#include <memory>
#include <vector>

#include "../status.h"

extern "C" {

// Has the layout of `FfiLbfgsState` in lbfgs_state.rs. An absent tensor is null.
struct stepwell_lbfgs_state {
  int64_t func_evals;
  int64_t n_iter;
  double t;
  double prev_loss;
  double h_diag;
  at::Tensor* d;
  at::Tensor* prev_flat_grad;
  at::Tensor* old_dirs;  // one row for each correction pair, oldest first
  at::Tensor* old_stps;
  at::Tensor* ro;
};

// Evaluates the loss. Returns 0, or another number if the caller's closure failed. Does not throw.
typedef int32_t (*stepwell_closure)(void* context, double* loss);

}  // extern "C"

namespace {

using at::Tensor;
using stepwell::guarded;
using stepwell::Status;
using torch::optim::LBFGS;
using torch::optim::LBFGSOptions;
using torch::optim::LBFGSParamState;

// The closure failed. The value in lbfgs.rs, greater than the values of Status.
constexpr int32_t kClosureFailed = 3;

struct ClosureFailed {};

// Options in the order of the option table. An absent number is NaN.
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

std::unique_ptr<LBFGSParamState> state_of(const stepwell_lbfgs_state& from, const Tensor& like) {
  auto state = std::make_unique<LBFGSParamState>();
  state->func_evals(from.func_evals).n_iter(from.n_iter).t(from.t).prev_loss(from.prev_loss);
  state->H_diag(at::scalar_tensor(from.h_diag, like.options()));
  // Copies, since libtorch writes to these two in place.
  if (from.d != nullptr) state->d(from.d->to(like.options(), false, true));
  if (from.prev_flat_grad != nullptr) state->prev_flat_grad(from.prev_flat_grad->to(like.options(), false, true));
  if (from.ro == nullptr) return state;
  for (const Tensor& row : from.old_dirs->to(like.options()).unbind()) state->old_dirs().push_back(row);
  for (const Tensor& row : from.old_stps->to(like.options()).unbind()) state->old_stps().push_back(row);
  for (const Tensor& one : from.ro->to(like.options()).unbind()) state->ro().push_back(one);
  return state;
}

Tensor* stacked(const std::deque<Tensor>& deque) {
  return new Tensor(at::stack(std::vector<Tensor>(deque.begin(), deque.end())));
}

void write_state(LBFGSParamState& state, stepwell_lbfgs_state* out) {
  *out = {};
  out->func_evals = state.func_evals();
  out->n_iter = state.n_iter();
  out->t = state.t();
  out->prev_loss = state.prev_loss();
  if (state.H_diag().defined()) out->h_diag = state.H_diag().item<double>();
  if (state.d().defined()) out->d = new Tensor(state.d());
  if (state.prev_flat_grad().defined()) out->prev_flat_grad = new Tensor(state.prev_flat_grad());
  if (state.ro().empty()) return;
  out->old_dirs = stacked(state.old_dirs());
  out->old_stps = stacked(state.old_stps());
  out->ro = stacked(state.ro());
}

}  // namespace

extern "C" {

// Makes one step. `before` is null for the first step. The caller owns the tensors of `after`. After a failure the parameters
// have their old values.
int32_t stepwell_lbfgs_step(const double* options, const Tensor* const* tensors, size_t count,
                            const stepwell_lbfgs_state* before, stepwell_closure closure, void* context,
                            stepwell_lbfgs_state* after) noexcept {
  std::vector<Tensor> parameters, start;
  bool closure_failed = false;
  const Status status = guarded([&] {
    for (size_t i = 0; i < count; ++i) {
      parameters.push_back(*tensors[i]);
      start.push_back(tensors[i]->detach().clone());
    }
    LBFGS optimizer(parameters, options_of(options));
    auto state = before != nullptr ? state_of(*before, start[0]) : std::make_unique<LBFGSParamState>();
    LBFGSParamState& current = *state;
    optimizer.state()[parameters[0].unsafeGetTensorImpl()] = std::move(state);
    optimizer.step([&] {
      double loss = 0;
      if (closure(context, &loss) != 0) {
        closure_failed = true;
        throw ClosureFailed();
      }
      for (const Tensor& parameter : parameters) {
        // libtorch calls view(-1) on each gradient, which must be contiguous.
        Tensor& gradient = parameter.mutable_grad();
        if (gradient.defined() && !gradient.is_contiguous()) gradient = gradient.contiguous();
      }
      return at::scalar_tensor(loss, at::kDouble);
    });
    write_state(current, after);
  });
  if (status == stepwell::kOk) return status;
  // Ignores exceptions, to keep the text of the first failure. If the closure has changed a shape, the values cannot be restored.
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
