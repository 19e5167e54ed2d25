// A backward that fails changes no gradient.
//
// libtorch finds a released or an outdated part of a graph only when it reaches it. By then it may have accumulated gradients
// of other leaves. Only a graph with a node from before the last backward or write, or with a function of the caller, can fail like that. Its gradients are
// computed first and accumulated afterwards, which needs memory for all of them at once.

#include "backward.h"

#include <ATen/SequenceNumber.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones_like.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/csrc/autograd/variable.h>

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "called_function.h"
#include "status.h"

namespace {

using stepwell::guarded;
using stepwell::Status;
using torch::autograd::AccumulateGrad;
using torch::autograd::edge_list;
using torch::autograd::Engine;
using torch::autograd::Node;
using torch::autograd::variable_list;

// Nodes of this thread with a lower number are from before the last backward or write. libtorch counts nodes by thread.
thread_local uint64_t first_recent_node = 0;

struct Graph {
  bool recent = true;
  std::vector<AccumulateGrad*> leaves;  // owned by the graph
};

Graph graph_of(const at::Tensor& tensor) {
  Graph graph;
  std::unordered_set<const Node*> seen;
  std::vector<Node*> open;
  const auto visit = [&](Node* node) {
    if (node != nullptr && seen.insert(node).second) open.push_back(node);
  };
  visit(tensor.grad_fn().get());
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (auto* leaf = dynamic_cast<AccumulateGrad*>(node)) {
      graph.leaves.push_back(leaf);
      continue;
    }
    if (node->sequence_nr() < first_recent_node || stepwell::calls_function(*node)) graph.recent = false;
    for (const auto& edge : node->next_edges()) visit(edge.function.get());
  }
  return graph;
}

// The gradients that arrive at the leaves, not yet accumulated.
variable_list gradients_of(const at::Tensor& tensor, const at::Tensor* root_gradient, const Graph& graph) {
  edge_list outputs;
  for (AccumulateGrad* leaf : graph.leaves) outputs.emplace_back(leaf->getptr(), 0);
  const variable_list root_gradients{root_gradient != nullptr ? *root_gradient : at::ones_like(tensor)};
  return Engine::get_default_engine().execute({torch::autograd::impl::gradient_edge(tensor)}, root_gradients,
                                              /*keep_graph=*/false, /*create_graph=*/false, /*accumulate_grad=*/false,
                                              outputs);
}

void accumulate(const at::Tensor& leaf, const at::Tensor& gradient) {
  at::Tensor& sum = leaf.mutable_grad();
  // The list of gradients holds the only reference, so libtorch may take the memory over.
  AccumulateGrad::accumulateGrad(leaf, sum, gradient, 1, [&](at::Tensor&& next) { sum = std::move(next); });
}

}  // namespace

void stepwell::elements_written() noexcept { first_recent_node = at::sequence_number::peek(); }

extern "C" {

// Says that elements were written that an older graph may need.
void stepwell_elements_written() noexcept { stepwell::elements_written(); }

// Whether a backward of the tensor would accumulate a gradient of one of the tensors that the identities are of.
Status stepwell_reaches(const at::Tensor* tensor, const void* const* identities, size_t count, uint8_t* reaches) noexcept {
  return guarded([&] {
    const std::unordered_set<const void*> wanted(identities, identities + count);
    *reaches = 0;
    for (AccumulateGrad* leaf : graph_of(*tensor).leaves) {
      if (wanted.count(leaf->variable.unsafeGetTensorImpl()) != 0) *reaches = 1;
    }
  });
}

// Accumulates the gradients of the leaves and releases the graph. A null root gradient stands for 1, for a scalar only. If it
// fails, no gradient has changed.
// `call` runs functions of the caller, with its first argument.
Status stepwell_backward(const at::Tensor* tensor, const at::Tensor* root_gradient, void* caller,
                         stepwell::CallFunction call) noexcept {
  const stepwell::CallerGuard guard(caller, call);
  const Status status = guarded([&] {
    const Graph graph = graph_of(*tensor);
    const bool has_root_gradient = root_gradient != nullptr || tensor->numel() == 1;
    if (graph.recent || graph.leaves.empty() || !has_root_gradient) {
      tensor->backward(root_gradient != nullptr ? *root_gradient : at::Tensor());
      return;
    }
    // The leaves as tensors, since the graph may be released.
    std::vector<at::Tensor> leaves;
    for (AccumulateGrad* leaf : graph.leaves) leaves.push_back(leaf->variable);
    variable_list gradients = gradients_of(*tensor, root_gradient, graph);
    for (size_t i = 0; i < gradients.size(); ++i) {
      // A function of the caller may have converted the leaf.
      TORCH_CHECK(!gradients[i].defined() || (gradients[i].scalar_type() == leaves[i].scalar_type() &&
                                              gradients[i].device() == leaves[i].device()),
                  "backward through an outdated graph: a tensor that it needs was changed since, run the forward again");
    }
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].defined() && leaves[i].requires_grad()) accumulate(leaves[i], gradients[i]);
      gradients[i].reset();
    }
  });
  // The graph is released now, at least in part.
  stepwell::elements_written();
  return status;
}

}  // extern "C"
