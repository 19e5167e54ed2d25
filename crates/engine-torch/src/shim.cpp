// Functions that tch lacks: descriptors of many tensors in one call, versions, setting gradients, replacing data. No function
// throws.

#include <ATen/core/Tensor.h>
#include <ATen/ops/record_stream.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

#include <cstdint>
#include <cstring>

#include "backward.h"
#include "status.h"

namespace {

using stepwell::guarded;
using stepwell::Status;

// The values of the constants in shim.rs.
enum : uint8_t { kFloat = 0, kDouble = 1, kLong = 2, kHalf = 3, kBFloat16 = 4, kOther = 5, kBool = 6 };
enum : uint8_t { kDense = 1, kContiguous = 2, kFits = 4 };
enum : uint8_t { kOnCpu = 0, kOnCuda0 = 1, kOnOther = 255 };

uint8_t dtype_of(const at::TensorImpl& t) {
  if (t.dtype() == caffe2::TypeMeta::Make<float>()) return kFloat;
  if (t.dtype() == caffe2::TypeMeta::Make<double>()) return kDouble;
  if (t.dtype() == caffe2::TypeMeta::Make<int64_t>()) return kLong;
  if (t.dtype() == caffe2::TypeMeta::Make<at::Half>()) return kHalf;
  if (t.dtype() == caffe2::TypeMeta::Make<at::BFloat16>()) return kBFloat16;
  if (t.dtype() == caffe2::TypeMeta::Make<bool>()) return kBool;
  return kOther;
}

constexpr c10::DispatchKeySet kLazy(
    {c10::DispatchKey::Conjugate, c10::DispatchKey::Negative, c10::DispatchKey::ZeroTensor});

// True if memory holds the elements themselves: no sparse layout, no pending negation or conjugation, no implied zeros.
bool is_dense(const at::TensorImpl& t) {
  return t.layout() == at::kStrided && t.unsafe_storage() && !t.key_set().has_any(kLazy);
}

uint8_t layout_of(const at::TensorImpl& t) {
  const bool dense = is_dense(t);
  return (dense ? kDense : 0) | (dense && t.is_contiguous() ? kContiguous : 0);
}

uint8_t device_of(const at::TensorImpl& t) {
  if (t.is_cpu()) return kOnCpu;
  return t.is_cuda() && t.device().index() < kOnOther - kOnCuda0 ? kOnCuda0 + t.device().index() : kOnOther;
}

// True if the elements have addresses: on the CPU or on a CUDA device.
bool has_addresses(uint8_t layout, uint8_t device) { return (layout & kDense) && device != kOnOther; }

// Faster than the memcmp of IntArrayRef for two or three numbers.
inline bool same_sizes(at::IntArrayRef a, at::IntArrayRef b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

// Has the layout of `TensorInfo` in shim.rs.
struct stepwell_tensor_info {
  const int64_t* sizes;  // owned by the tensor
  int64_t dimensions;
  int64_t elements;
  int32_t device;  // -1: CPU, -2: neither CPU nor CUDA
  uint8_t dtype;
  uint8_t dense;
  uint8_t leaf;
  uint8_t requires_grad;
};
static_assert(sizeof(stepwell_tensor_info) == 32, "as in shim.rs");

// Has the layout of `ParameterDescriptor` in shim.rs.
struct stepwell_parameter_descriptor {
  void* data;
  const void* storage;
  const void* grad_data;
  const void* grad_storage;
  const void* grad_impl;  // the TensorImpl of the gradient
  const void* parameter;
  int64_t elements;
  uint8_t dtype;
  uint8_t layout;
  uint8_t grad_dtype;
  uint8_t grad_layout;
  uint8_t has_grad;          // there is a gradient, and the parameter requires one
  uint8_t frozen_with_grad;  // there is a gradient, and the parameter does not require one
  uint8_t device;
  uint8_t grad_device;

  bool operator==(const stepwell_parameter_descriptor& other) const {
    return data == other.data && storage == other.storage && grad_data == other.grad_data &&
           grad_storage == other.grad_storage && grad_impl == other.grad_impl && parameter == other.parameter &&
           elements == other.elements && dtype == other.dtype && layout == other.layout &&
           grad_dtype == other.grad_dtype && grad_layout == other.grad_layout && has_grad == other.has_grad &&
           frozen_with_grad == other.frozen_with_grad && device == other.device && grad_device == other.grad_device;
  }
};
static_assert(sizeof(stepwell_parameter_descriptor) == 64, "as in shim.rs");

// Has the layout of `Fingerprint` in shim.rs.
struct stepwell_fingerprint {
  at::TensorImpl* parameter;
  const at::Tensor* grad_field;  // the gradient in the parameter's autograd metadata; an undefined tensor if it is frozen
  const at::TensorImpl* gradient;
};
static_assert(sizeof(stepwell_fingerprint) == 24, "as in shim.rs");

namespace {

// The address of the first element in a storage that begins at `storage`.
inline const char* first_of(const at::TensorImpl& t, const void* storage) {
  const char* start = static_cast<const char*>(storage);
  return t.storage_offset() == 0 ? start : start + t.storage_offset() * t.itemsize();
}

// Elements for reading: does not materialize a copy-on-write storage.
inline const char* const_elements_of(const at::TensorImpl& g) { return first_of(g, g.unsafe_storage().data()); }
// Elements for writing: materializes a copy-on-write storage.
inline char* elements_of(const at::TensorImpl& t) {
  return const_cast<char*>(first_of(t, t.unsafe_storage().mutable_data()));
}

stepwell_parameter_descriptor describe(const at::TensorImpl& t) {
  stepwell_parameter_descriptor descriptor = {};
  descriptor.parameter = &t;
  const at::Tensor& gradient = t.grad();
  if (!gradient.defined()) return descriptor;
  if (!t.requires_grad()) {
    descriptor.frozen_with_grad = 1;
    return descriptor;
  }
  const at::TensorImpl& g = *gradient.unsafeGetTensorImpl();
  descriptor.grad_impl = &g;
  descriptor.has_grad = 1;
  descriptor.grad_dtype = dtype_of(g);
  descriptor.grad_layout = layout_of(g) | (same_sizes(g.sizes(), t.sizes()) ? kFits : 0);
  descriptor.grad_device = device_of(g);
  if (has_addresses(descriptor.grad_layout, descriptor.grad_device)) {
    descriptor.grad_data = const_elements_of(g);
    descriptor.grad_storage = g.unsafe_storage().unsafeGetStorageImpl();
  }
  descriptor.elements = t.numel();
  descriptor.dtype = dtype_of(t);
  descriptor.layout = layout_of(t);
  descriptor.device = device_of(t);
  if (has_addresses(descriptor.layout, descriptor.device)) {
    descriptor.data = elements_of(t);
    descriptor.storage = t.unsafe_storage().unsafeGetStorageImpl();
  }
  return descriptor;
}

// Undoes one bump_version.
void undo_bump(const at::TensorImpl& t) {
  const c10::VariableVersion& version = t.version_counter();
  c10::VariableVersion(version).set_version(version.current_version() - 1);
}

// A hint to the processor: the address may be invalid. A pass over a thousand small tensors waits for cache misses of pointers
// to pointers; requesting them kPrefetchDistance tensors early lets several be in flight.
inline void prefetch(const void* address, size_t bytes = 1) {
#if defined(__GNUC__)
  const char* first = static_cast<const char*>(address);
  for (size_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(first + byte);
  __builtin_prefetch(first + bytes - 1);
#endif
}

// In tensors: early enough that the cache line has arrived, late enough that it is still in L1.
constexpr size_t kPrefetchDistance = 8;

}  // namespace

extern "C" {

const char* stepwell_failure() noexcept { return stepwell::failure; }

const void* stepwell_identity(const at::Tensor* tensor) noexcept { return tensor->unsafeGetTensorImpl(); }

const void* stepwell_storage(const at::Tensor* tensor) noexcept {
  return tensor->unsafeGetTensorImpl()->unsafe_storage().unsafeGetStorageImpl();
}

Status stepwell_describe(const at::Tensor* tensor, stepwell_tensor_info* out) noexcept {
  return guarded([&] {
    TORCH_CHECK(tensor->defined(), "an undefined tensor");
    const at::TensorImpl& t = *tensor->unsafeGetTensorImpl();
    const at::IntArrayRef sizes = t.sizes();
    const at::Device device = t.device();
    out->sizes = sizes.data();
    out->dimensions = static_cast<int64_t>(sizes.size());
    out->elements = t.numel();
    out->device = device.is_cpu() ? -1 : device.is_cuda() ? device.index() : -2;
    out->dtype = dtype_of(t);
    out->dense = is_dense(t);
    out->leaf = tensor->is_leaf();
    out->requires_grad = tensor->requires_grad();
  });
}

// The dtype, and in `device` -1 for the CPU, the index of a CUDA device, or -2.
uint8_t stepwell_dtype_and_device(const at::Tensor* tensor, int32_t* device) noexcept {
  const at::TensorImpl& t = *tensor->unsafeGetTensorImpl();
  *device = t.is_cpu() ? -1 : t.is_cuda() ? t.device().index() : -2;
  return dtype_of(t);
}

bool stepwell_has_shape_of(const at::Tensor* a, const at::Tensor* b) noexcept {
  return same_sizes(a->unsafeGetTensorImpl()->sizes(), b->unsafeGetTensorImpl()->sizes());
}

int64_t stepwell_elements(const at::Tensor* tensor) noexcept { return tensor->unsafeGetTensorImpl()->numel(); }

// True if operations on the tensor are recorded for a backward.
bool stepwell_requires_graph(const at::Tensor* tensor) noexcept {
  return tensor->requires_grad() && c10::GradMode::is_enabled();
}

// Makes the dispatcher of this thread pass over its autograd layers. Returns the keys that were excluded before.
uint64_t stepwell_exclude_autograd() noexcept {
  c10::impl::LocalDispatchKeySet keys = c10::impl::tls_local_dispatch_key_set();
  const uint64_t before = keys.excluded_.raw_repr();
  keys.excluded_ = keys.excluded_ | c10::autograd_dispatch_keyset_with_ADInplaceOrView;
  c10::impl::_force_tls_local_dispatch_key_set(keys);
  return before;
}

void stepwell_restore_autograd(uint64_t excluded) noexcept {
  c10::impl::LocalDispatchKeySet keys = c10::impl::tls_local_dispatch_key_set();
  keys.excluded_ = c10::DispatchKeySet(c10::DispatchKeySet::RAW, excluded);
  c10::impl::_force_tls_local_dispatch_key_set(keys);
}

// Updates the descriptors of parameters and their gradients, in order. Sets `unchanged` to 1 if no descriptor has changed, and
// to 0 otherwise. An address is null unless the tensor is dense, and on the CPU or on a CUDA device.
Status stepwell_describe_parameters(const at::Tensor* const* tensors, size_t count,
                                    stepwell_parameter_descriptor* descriptors, uint8_t* unchanged) noexcept {
  return guarded([&] {
    *unchanged = 1;
    for (size_t i = 0; i < count; ++i) {
      if (i + kPrefetchDistance < count) {
        const stepwell_parameter_descriptor& next = descriptors[i + kPrefetchDistance];
        prefetch(tensors[i + kPrefetchDistance]->unsafeGetTensorImpl(), sizeof(at::TensorImpl));
        // Most tensors are at the addresses of the descriptor.
        prefetch(next.grad_impl, sizeof(at::TensorImpl));
        prefetch(next.storage, sizeof(c10::StorageImpl));
        prefetch(next.grad_storage, sizeof(c10::StorageImpl));
      }
      const stepwell_parameter_descriptor descriptor = describe(*tensors[i]->unsafeGetTensorImpl());
      if (descriptor == descriptors[i]) continue;
      descriptors[i] = descriptor;
      *unchanged = 0;
    }
  });
}

// The device of the first tensor, and 1 in `several` if another tensor is on another one. 0 and 0 without tensors.
void stepwell_devices(const at::Tensor* const* tensors, size_t count, uint8_t* first, uint8_t* several) noexcept {
  *first = count == 0 ? uint8_t{kOnCpu} : device_of(*tensors[0]->unsafeGetTensorImpl());
  *several = 0;
  for (size_t i = 1; i < count; ++i) {
    if (device_of(*tensors[i]->unsafeGetTensorImpl()) != *first) {
      *several = 1;
      return;
    }
  }
}

// Takes fingerprints of parameters that were just described. Returns false if a parameter has no version counter (an inference
// tensor). A frozen parameter has the fingerprint of one without a gradient, since a step does not write to it.
bool stepwell_take_fingerprints(const at::Tensor* const* tensors, size_t count, stepwell_fingerprint* out) noexcept {
  static const at::Tensor none;
  for (size_t i = 0; i < count; ++i) {
    at::TensorImpl* t = tensors[i]->unsafeGetTensorImpl();
    const at::Tensor& gradient = t->requires_grad() ? static_cast<const at::TensorImpl*>(t)->grad() : none;
    if (!t->version_counter().enabled()) return false;
    out[i] = {t, &gradient, gradient.unsafeGetTensorImpl()};
  }
  return true;
}

// If all tensors have their fingerprints, bumps the version of each parameter with a gradient and returns true. Otherwise changes
// no version and returns false. Reads the two pointers of each fingerprint and nothing else, to save cache misses.
bool stepwell_bump_if_unchanged(const at::Tensor* const* tensors, size_t count,
                                const stepwell_fingerprint* fingerprints) noexcept {
  size_t i = 0;
  for (; i < count; ++i) {
    if (i + kPrefetchDistance < count) {
      prefetch(tensors[i + kPrefetchDistance]);
      prefetch(fingerprints[i + kPrefetchDistance].grad_field);
      prefetch(fingerprints[i + kPrefetchDistance].parameter);
      prefetch(&fingerprints[i + kPrefetchDistance].parameter->version_counter());
    }
    const stepwell_fingerprint& one = fingerprints[i];
    // In this order: the parameter owns the field, so it must be the same one first.
    if (tensors[i]->unsafeGetTensorImpl() != one.parameter || one.grad_field->unsafeGetTensorImpl() != one.gradient) break;
    if (one.grad_field->defined()) one.parameter->bump_version();
  }
  if (i == count) {
    stepwell::elements_written();
    return true;
  }
  while (i-- > 0) {
    if (fingerprints[i].grad_field->defined()) undo_bump(*fingerprints[i].parameter);
  }
  return false;
}

// The address of the elements of a dense tensor.
Status stepwell_data(const at::Tensor* tensor, const void** out) noexcept {
  return guarded([&] { *out = tensor->const_data_ptr(); });
}

// Bumps the versions of tensors: of all, or of those whose descriptor has a gradient.
Status stepwell_bump(const at::Tensor* const* tensors, const stepwell_parameter_descriptor* descriptors,
                     size_t count) noexcept {
  return guarded([&] {
    stepwell::elements_written();
    for (size_t i = 0; i < count; ++i) {
      if (descriptors == nullptr || descriptors[i].has_grad) tensors[i]->unsafeGetTensorImpl()->bump_version();
    }
  });
}

// A new handle of the gradient, or null; the caller owns it.
Status stepwell_grad(const at::Tensor* tensor, at::Tensor** out) noexcept {
  return guarded([&] {
    const at::Tensor& gradient = static_cast<const at::TensorImpl*>(tensor->unsafeGetTensorImpl())->grad();
    *out = gradient.defined() ? new at::Tensor(gradient) : nullptr;
  });
}

// Replaces the gradient; null makes it undefined. A gradient with a graph is detached, so that no tensor owns itself.
Status stepwell_set_grad(const at::Tensor* tensor, const at::Tensor* gradient) noexcept {
  return guarded([&] {
    at::Tensor next;
    if (gradient != nullptr) next = gradient->requires_grad() ? gradient->detach() : *gradient;
    tensor->unsafeGetTensorImpl()->mutable_grad() = std::move(next);
  });
}

// Gives the tensor the storage, sizes, dtype and device of the source, and bumps its version. It keeps its identity.
Status stepwell_replace(const at::Tensor* tensor, const at::Tensor* source) noexcept {
  return guarded([&] {
    stepwell::elements_written();
    tensor->set_data(*source);
    tensor->unsafeGetTensorImpl()->bump_version();
  });
}

// The handle of the current stream of a CUDA device, without the CUDA part of c10, which the addon does not link.
Status stepwell_current_stream(int32_t device, uint64_t* out) noexcept {
  return guarded([&] {
    const c10::impl::VirtualGuardImpl cuda(c10::DeviceType::CUDA);
    const c10::Stream stream = cuda.getStream(c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device)));
    *out = reinterpret_cast<uint64_t>(stream.native_handle());
  });
}

// Tells the allocator that work on the current stream of the tensor's device uses its memory.
Status stepwell_record_stream(const at::Tensor* tensor) noexcept {
  return guarded([&] {
    const c10::impl::VirtualGuardImpl guard(tensor->device().type());
    tensor->record_stream(guard.getStream(tensor->device()));
  });
}

// Stores the path of a library of libtorch. Returns false if the system does not tell it, or if it is longer than `size`.
bool stepwell_libtorch_path(char* out, size_t size) noexcept {
#if defined(__unix__) || defined(__APPLE__)
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&c10::GetCPUAllocator), &info) == 0) return false;
  const size_t length = info.dli_fname == nullptr ? size : std::strlen(info.dli_fname);
  if (length >= size) return false;
  std::memcpy(out, info.dli_fname, length + 1);
  return true;
#else
  (void)out, (void)size;
  return false;
#endif
}

}  // extern "C"
