// Options and state of each of libtorch's optimizers without a closure.

#pragma once

#include <ATen/core/Tensor.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <array>
#include <limits>

namespace stepwell::rules {

using at::Tensor;

constexpr size_t kBuffers = 3;
constexpr double kUnused = std::numeric_limits<double>::quiet_NaN();
using StateBuffers = std::array<Tensor*, kBuffers>;
using InitialValues = std::array<double, kBuffers>;

// One rule for each optimizer: options from a row of numbers, state buffers in the order of the definition, and their initial
// values. The initial value is kUnused if the options do not use the buffer. If `kOwnState` is false, libtorch makes the state
// in its step.
struct Adagrad {
  using Optimizer = torch::optim::Adagrad;
  using Options = torch::optim::AdagradOptions;
  using State = torch::optim::AdagradParamState;
  static constexpr bool kOwnState = true;
  static Options options(const double* o) {
    return Options(o[0]).lr_decay(o[1]).weight_decay(o[2]).initial_accumulator_value(o[3]).eps(o[4]);
  }
  static StateBuffers buffers(State& s) { return {&s.sum(), nullptr, nullptr}; }
  static InitialValues initial_values(const double* o) { return {o[3], kUnused, kUnused}; }
};

template <class LibtorchOptimizer, class LibtorchOptions, class LibtorchState>
struct AdamFamily {
  using Optimizer = LibtorchOptimizer;
  using Options = LibtorchOptions;
  using State = LibtorchState;
  static constexpr bool kOwnState = true;
  static Options options(const double* o) {
    return Options(o[0]).betas({o[1], o[2]}).eps(o[3]).weight_decay(o[4]).amsgrad(o[5] != 0);
  }
  static StateBuffers buffers(State& s) { return {&s.exp_avg(), &s.exp_avg_sq(), &s.max_exp_avg_sq()}; }
  static InitialValues initial_values(const double* o) { return {0, 0, o[5] != 0 ? 0 : kUnused}; }
};
using Adam = AdamFamily<torch::optim::Adam, torch::optim::AdamOptions, torch::optim::AdamParamState>;
using AdamW = AdamFamily<torch::optim::AdamW, torch::optim::AdamWOptions, torch::optim::AdamWParamState>;

struct RMSprop {
  using Optimizer = torch::optim::RMSprop;
  using Options = torch::optim::RMSpropOptions;
  using State = torch::optim::RMSpropParamState;
  static constexpr bool kOwnState = true;
  static Options options(const double* o) {
    return Options(o[0]).alpha(o[1]).eps(o[2]).weight_decay(o[3]).momentum(o[4]).centered(o[5] != 0);
  }
  static StateBuffers buffers(State& s) { return {&s.square_avg(), &s.momentum_buffer(), &s.grad_avg()}; }
  static InitialValues initial_values(const double* o) { return {0, o[4] > 0 ? 0 : kUnused, o[5] != 0 ? 0 : kUnused}; }
};

// libtorch makes the state: its first step with momentum sets the buffer to the gradient, without dampening.
struct SGD {
  using Optimizer = torch::optim::SGD;
  using Options = torch::optim::SGDOptions;
  using State = torch::optim::SGDParamState;
  static constexpr bool kOwnState = false;
  static Options options(const double* o) {
    return Options(o[0]).momentum(o[1]).dampening(o[2]).weight_decay(o[3]).nesterov(o[4] != 0);
  }
  static StateBuffers buffers(State& s) { return {&s.momentum_buffer(), nullptr, nullptr}; }
  static InitialValues initial_values(const double*) { return {kUnused, kUnused, kUnused}; }
};

}  // namespace stepwell::rules
