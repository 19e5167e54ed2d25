// Elementwise functions of tensors of one shape and dtype, in one call: checks, the function, the size of the result. Small results
// take over the memory and the metadata of tensors that were freed. No function throws.

#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/abs_cpu_dispatch.h>
#include <ATen/ops/acos.h>
#include <ATen/ops/acos_cpu_dispatch.h>
#include <ATen/ops/add.h>
#include <ATen/ops/add_cpu_dispatch.h>
#include <ATen/ops/asin.h>
#include <ATen/ops/asin_cpu_dispatch.h>
#include <ATen/ops/atan.h>
#include <ATen/ops/atan2.h>
#include <ATen/ops/atan2_cpu_dispatch.h>
#include <ATen/ops/atan_cpu_dispatch.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/ceil_cpu_dispatch.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cos_cpu_dispatch.h>
#include <ATen/ops/cosh.h>
#include <ATen/ops/cosh_cpu_dispatch.h>
#include <ATen/ops/digamma.h>
#include <ATen/ops/digamma_cpu_dispatch.h>
#include <ATen/ops/div.h>
#include <ATen/ops/div_cpu_dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/erf_cpu_dispatch.h>
#include <ATen/ops/erfc.h>
#include <ATen/ops/erfc_cpu_dispatch.h>
#include <ATen/ops/erfinv.h>
#include <ATen/ops/erfinv_cpu_dispatch.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/exp_cpu_dispatch.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/expm1_cpu_dispatch.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/floor_cpu_dispatch.h>
#include <ATen/ops/lgamma.h>
#include <ATen/ops/lgamma_cpu_dispatch.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log10.h>
#include <ATen/ops/log10_cpu_dispatch.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/log1p_cpu_dispatch.h>
#include <ATen/ops/log2.h>
#include <ATen/ops/log2_cpu_dispatch.h>
#include <ATen/ops/log_cpu_dispatch.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/maximum_cpu_dispatch.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/minimum_cpu_dispatch.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/mul_cpu_dispatch.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/neg_cpu_dispatch.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/pow_cpu_dispatch.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/relu_cpu_dispatch.h>
#include <ATen/ops/round.h>
#include <ATen/ops/round_cpu_dispatch.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/rsqrt_cpu_dispatch.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_cpu_dispatch.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sign_cpu_dispatch.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sin_cpu_dispatch.h>
#include <ATen/ops/sinh.h>
#include <ATen/ops/sinh_cpu_dispatch.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sqrt_cpu_dispatch.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sub_cpu_dispatch.h>
#include <ATen/ops/tan.h>
#include <ATen/ops/tan_cpu_dispatch.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_cpu_dispatch.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/trunc_cpu_dispatch.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/generated/Functions.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace {

namespace autograd = torch::autograd;
using at::Tensor;
using autograd::Node;
using autograd::SavedVariable;
using NodePointer = std::shared_ptr<Node>;

// A function as autograd records it, as the kernel of the CPU, and as this kernel with a given result. If this file makes the node of
// the graph, a function that makes it, and one that saves the result in it. An absent function is null.
struct Binary {
  Tensor (*recorded)(const Tensor&, const Tensor&);
  Tensor (*kernel)(const Tensor&, const Tensor&);
  void (*into)(Tensor&, const Tensor&, const Tensor&);
  NodePointer (*node)(const Tensor&, const Tensor&);
};
struct Unary {
  Tensor (*recorded)(const Tensor&);
  Tensor (*kernel)(const Tensor&);
  void (*into)(Tensor&, const Tensor&);
  NodePointer (*node)(const Tensor&);
  void (*save)(Node&, const Tensor&);
};

// The nodes and their saved tensors are the ones of libtorch's own functions. These functions also look for forward gradients, subclasses
// and profilers, which Stepwell never has. That takes as long as the kernel.
template <class Backward, class... Inputs>
std::shared_ptr<Backward> node_of(const Inputs&... inputs) {
  std::shared_ptr<Backward> node(new Backward(), autograd::deleteNode);
  node->set_next_edges(autograd::collect_next_edges(inputs...));
  return node;
}

template <class Backward>
NodePointer node_of_sum(const Tensor& a, const Tensor& b) {
  auto node = node_of<Backward>(a, b);
  node->alpha = 1;
  node->self_scalar_type = a.scalar_type();
  node->other_scalar_type = b.scalar_type();
  return node;
}

NodePointer node_of_product(const Tensor& a, const Tensor& b) {
  auto node = node_of<autograd::generated::MulBackward0>(a, b);
  if (node->should_compute_output(0)) node->other_ = SavedVariable(b, false);
  node->other_scalar_type = b.scalar_type();
  if (node->should_compute_output(1)) node->self_ = SavedVariable(a, false);
  node->self_scalar_type = a.scalar_type();
  return node;
}

NodePointer node_of_quotient(const Tensor& a, const Tensor& b) {
  auto node = node_of<autograd::generated::DivBackward0>(a, b);
  node->other_ = SavedVariable(b, false);
  if (node->should_compute_output(1)) node->self_ = SavedVariable(a, false);
  node->self_scalar_type = a.scalar_type();
  return node;
}

template <class Backward>
NodePointer node_without_saved(const Tensor& x) {
  return node_of<Backward>(x);
}

template <class Backward>
NodePointer node_with_input(const Tensor& x) {
  auto node = node_of<Backward>(x);
  node->self_ = SavedVariable(x, false);
  return node;
}

template <class Backward>
void save_result(Node& node, const Tensor& result) {
  static_cast<Backward&>(node).result_ = SavedVariable(result, true);
}

#define STEPWELL_BINARY(name, node)                                        \
  Binary {                                                                 \
    [](const Tensor& a, const Tensor& b) { return at::name(a, b); },       \
        [](const Tensor& a, const Tensor& b) { return at::cpu::name(a, b); }, \
        [](Tensor& out, const Tensor& a, const Tensor& b) { at::cpu::name##_out(out, a, b); }, node \
  }
#define STEPWELL_UNARY(name, node, save)                                  \
  Unary {                                                                 \
    [](const Tensor& x) { return at::name(x); },                          \
        [](const Tensor& x) { return at::cpu::name(x); },                 \
        [](Tensor& out, const Tensor& x) { at::cpu::name##_out(out, x); }, node, save \
  }
#define STEPWELL_PLAIN(name) STEPWELL_UNARY(name, nullptr, nullptr)
#define STEPWELL_SAVES_INPUT(name, backward) \
  STEPWELL_UNARY(name, node_with_input<autograd::generated::backward>, nullptr)
#define STEPWELL_SAVES_RESULT(name, backward)                                \
  STEPWELL_UNARY(name, node_without_saved<autograd::generated::backward>, \
                 save_result<autograd::generated::backward>)

// In the order of `Binary` of crates/session, up to its functions of whole numbers.
const Binary kBinary[] = {
    STEPWELL_BINARY(add, node_of_sum<autograd::generated::AddBackward0>),
    STEPWELL_BINARY(sub, node_of_sum<autograd::generated::SubBackward0>),
    STEPWELL_BINARY(mul, node_of_product),
    STEPWELL_BINARY(div, node_of_quotient),
    STEPWELL_BINARY(pow, nullptr),
    STEPWELL_BINARY(maximum, nullptr),
    STEPWELL_BINARY(minimum, nullptr),
};

// In the order of `Unary` of crates/session, up to its function of whole numbers.
const Unary kUnary[] = {
    // Libtorch has no kernel of `abs` that makes its result, and none of `relu` that takes one.
    Unary{[](const Tensor& x) { return at::abs(x); }, [](const Tensor& x) { return at::abs(x); },
          [](Tensor& out, const Tensor& x) { at::cpu::abs_out(out, x); }, nullptr, nullptr},
    STEPWELL_UNARY(neg, node_without_saved<autograd::generated::NegBackward0>, nullptr),
    STEPWELL_PLAIN(sign),
    STEPWELL_PLAIN(ceil),
    STEPWELL_PLAIN(floor),
    STEPWELL_PLAIN(round),
    STEPWELL_PLAIN(trunc),
    STEPWELL_SAVES_RESULT(sqrt, SqrtBackward0),
    STEPWELL_PLAIN(rsqrt),
    STEPWELL_SAVES_RESULT(exp, ExpBackward0),
    STEPWELL_PLAIN(expm1),
    STEPWELL_SAVES_INPUT(log, LogBackward0),
    STEPWELL_PLAIN(log1p),
    STEPWELL_PLAIN(log2),
    STEPWELL_PLAIN(log10),
    STEPWELL_SAVES_INPUT(sin, SinBackward0),
    STEPWELL_SAVES_INPUT(cos, CosBackward0),
    STEPWELL_PLAIN(tan),
    STEPWELL_PLAIN(asin),
    STEPWELL_PLAIN(acos),
    STEPWELL_PLAIN(atan),
    STEPWELL_PLAIN(sinh),
    STEPWELL_PLAIN(cosh),
    STEPWELL_SAVES_RESULT(tanh, TanhBackward0),
    STEPWELL_SAVES_RESULT(sigmoid, SigmoidBackward0),
    Unary{[](const Tensor& x) { return at::relu(x); }, [](const Tensor& x) { return at::cpu::relu(x); }, nullptr,
          node_without_saved<autograd::generated::ReluBackward0>, save_result<autograd::generated::ReluBackward0>},
    STEPWELL_PLAIN(erf),
    STEPWELL_PLAIN(erfc),
    STEPWELL_PLAIN(erfinv),
    STEPWELL_PLAIN(lgamma),
    STEPWELL_PLAIN(digamma),
};

#undef STEPWELL_BINARY
#undef STEPWELL_UNARY
#undef STEPWELL_PLAIN
#undef STEPWELL_SAVES_INPUT
#undef STEPWELL_SAVES_RESULT

bool is_floating(const at::TensorImpl& t) {
  return t.dtype() == caffe2::TypeMeta::Make<float>() || t.dtype() == caffe2::TypeMeta::Make<double>() ||
         t.dtype() == caffe2::TypeMeta::Make<at::Half>() || t.dtype() == caffe2::TypeMeta::Make<at::BFloat16>();
}

}  // namespace

// Tensors that were freed, with their memory. Making a small tensor takes longer than an elementwise function of it.
struct stepwell_spare_tensors {
  stepwell_spare_tensors() : plain(at::empty({1}).key_set()), deleter(c10::GetCPUAllocator()->raw_deleter()) {}

  // True for a tensor whose memory holds its elements on the CPU, and that the dispatcher treats in no other way.
  bool is_plain(const at::TensorImpl& t) const noexcept { return t.key_set() == plain; }

  // A spare tensor with the sizes and dtype of a contiguous one. False if there is none.
  bool take(const at::TensorImpl& like, at::Tensor& out) {
    std::vector<at::Tensor>* list = list_of(like);
    if (list == nullptr || list->empty()) return false;
    at::TensorImpl& last = *list->back().unsafeGetTensorImpl();
    if (last.dtype() != like.dtype() || last.numel() != like.numel()) return false;
    if (last.sizes() != like.sizes()) last.set_sizes_contiguous(like.sizes());
    out = std::move(list->back());
    list->pop_back();
    --count;
    return true;
  }

  // Takes a tensor that has no other reference and shares no memory, if it is small and plain. It leaves its graph. False if the
  // tensor is not taken.
  bool put(at::Tensor& tensor) {
    if (count >= kMost || !tensor.defined() || tensor.use_count() != 1 || tensor.weak_use_count() != 1) return false;
    at::TensorImpl& t = *tensor.unsafeGetTensorImpl();
    if (!is_plain(t) || !is_floating(t) || t.has_named_tensor_meta() || t.is_wrapped_number() ||
        t.storage_offset() != 0 || !t.is_contiguous()) {
      return false;
    }
    std::vector<at::Tensor>* list = list_of(t);
    if (list == nullptr) return false;
    // The graph may have saved the memory of the tensor.
    t.set_autograd_meta(nullptr);
    const at::Storage& storage = t.unsafe_storage();
    // The storage is not a part of a larger one, and its memory is of libtorch's allocator: not borrowed, not copied on write.
    if (storage.use_count() != 1 || storage.nbytes() != t.numel() * t.itemsize() || !storage.resizable() ||
        storage.data_ptr().get_deleter() != deleter) {
      return false;
    }
    list->push_back(std::move(tensor));
    ++count;
    return true;
  }

 private:
  // In bytes of elements.
  static constexpr size_t kLargest = size_t{1} << 10;
  static constexpr size_t kUnit = 64;
  // In tensors, of about 1 KiB at most with their metadata: more than a step of a chain of small operations makes.
  static constexpr size_t kMost = 512;

  std::vector<at::Tensor>* list_of(const at::TensorImpl& t) noexcept {
    const size_t bytes = static_cast<size_t>(t.numel()) * t.itemsize();
    return bytes == 0 || bytes > kLargest ? nullptr : &lists[(bytes - 1) / kUnit];
  }

  const c10::DispatchKeySet plain;
  const c10::DeleterFnPtr deleter;
  std::array<std::vector<at::Tensor>, kLargest / kUnit> lists;
  size_t count = 0;
};

namespace {

bool is_recorded(const at::TensorImpl& t) { return t.requires_grad() && c10::GradMode::is_enabled(); }

}  // namespace

extern "C" {

// Null if there is no memory.
stepwell_spare_tensors* stepwell_spare_tensors_new() noexcept {
  try {
    return new stepwell_spare_tensors;
  } catch (...) {
    return nullptr;
  }
}

void stepwell_spare_tensors_free(stepwell_spare_tensors* spare) noexcept { delete spare; }

// Takes the tensor out of a handle that has the only reference to it, so that the handle is undefined.
void stepwell_spare_tensors_put(stepwell_spare_tensors* spare, at::Tensor* tensor) noexcept {
  try {
    if (spare->put(*tensor)) return;
  } catch (...) {
  }
  tensor->reset();
}

// Sets an undefined handle to the function of a and b, and `bytes` to the bytes of its elements. False unless
// the tensors are of one shape and floating dtype on the CPU, and if the function fails.
bool stepwell_binary(stepwell_spare_tensors* spare, uint8_t function, const at::Tensor* a, const at::Tensor* b,
                     at::Tensor* out, int64_t* bytes) noexcept {
  const at::TensorImpl& x = *a->unsafeGetTensorImpl();
  const at::TensorImpl& y = *b->unsafeGetTensorImpl();
  if (function >= std::size(kBinary) || !spare->is_plain(x) || !spare->is_plain(y) || x.dtype() != y.dtype() ||
      !is_floating(x) || x.sizes() != y.sizes()) {
    return false;
  }
  const Binary& f = kBinary[function];
  try {
    const bool recorded = is_recorded(x) || is_recorded(y);
    if (recorded && f.node == nullptr) {
      *out = f.recorded(*a, *b);
    } else {
      const NodePointer node = recorded ? f.node(*a, *b) : nullptr;
      if (x.is_contiguous() && y.is_contiguous() && spare->take(x, *out)) {
        f.into(*out, *a, *b);
      } else {
        *out = f.kernel(*a, *b);
      }
      if (node) autograd::set_history(*out, node);
    }
    *bytes = static_cast<int64_t>(x.numel() * x.itemsize());
    return true;
  } catch (...) {
    out->reset();
    return false;
  }
}

// As stepwell_binary, of one tensor.
bool stepwell_unary(stepwell_spare_tensors* spare, uint8_t function, const at::Tensor* a, at::Tensor* out,
                    int64_t* bytes) noexcept {
  const at::TensorImpl& x = *a->unsafeGetTensorImpl();
  if (function >= std::size(kUnary) || !spare->is_plain(x) || !is_floating(x)) return false;
  const Unary& f = kUnary[function];
  try {
    const bool recorded = is_recorded(x);
    if (recorded && f.node == nullptr) {
      *out = f.recorded(*a);
    } else {
      const NodePointer node = recorded ? f.node(*a) : nullptr;
      if (f.into != nullptr && x.is_contiguous() && spare->take(x, *out)) {
        f.into(*out, *a);
      } else {
        *out = f.kernel(*a);
      }
      if (node) autograd::set_history(*out, node);
      if (node && f.save != nullptr) f.save(*node, *out);
    }
    *bytes = static_cast<int64_t>(x.numel() * x.itemsize());
    return true;
  } catch (...) {
    out->reset();
    return false;
  }
}

}  // extern "C"
