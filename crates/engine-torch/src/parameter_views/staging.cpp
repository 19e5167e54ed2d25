// Copies of parameters and gradients in host memory, for tensors of any device. Elements of an original are read and written by
// operations of libtorch only.
//
// Tensors of one device and one dtype are a bucket. A bucket has a buffer in host memory for all of them, and a smaller one on
// the device. A batch of tensors is gathered in the latter and crosses in one copy. Both are kept from step to step.

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "../status.h"

extern "C" bool stepwell_may_allocate(size_t bytes);

namespace {

using at::Tensor;
using stepwell::guarded;
using stepwell::Status;

// In bytes: the most that a batch has. Crossing takes about 0.6 ms at the 25 GB/s of PCIe 4, many times the latency of a copy.
// The device gives up no more memory than this (decision 0022).
constexpr int64_t kBatch = int64_t{16} << 20;

// Neighbours in the host's buffer that cross in one copy.
struct Batch {
  // Of the tensors of a bucket: parameters, then gradients.
  size_t first;
  size_t count = 0;
  // Elements, from the start of the host's buffer.
  int64_t start;
  int64_t elements = 0;
  // The part of the batch that is parameters, which come first.
  size_t parameters = 0;
  int64_t parameter_elements = 0;
  // True for one tensor that is larger than a batch, and crosses by itself.
  bool alone = false;
};

struct Bucket {
  Bucket(at::Device device, at::ScalarType dtype) : device(device), dtype(dtype) {}

  at::Device device;
  at::ScalarType dtype;
  // Indices in the list of parameters.
  std::vector<size_t> indices;
  // Elements of all parameters, which is also the number of elements of all gradients.
  int64_t elements = 0;
  // Parameters and then gradients.
  Tensor on_host;
  std::vector<Batch> batches;
  // One batch.
  Tensor on_device;
  // Views of `on_device` with the shapes of the tensors; undefined for a tensor that crosses alone.
  std::vector<Tensor> pieces;
};

// A parameter that has a gradient, as the buckets were made for.
struct Member {
  size_t index;
  at::Device device;
  at::ScalarType dtype;
  std::vector<int64_t> sizes;

  bool is(size_t other, const Tensor& t) const {
    return index == other && device == t.device() && dtype == t.scalar_type() && t.sizes() == at::IntArrayRef(sizes);
  }
};

}  // namespace

struct stepwell_staging {
  std::vector<Member> members;
  std::vector<Bucket> buckets;
};

// The addresses of the copies of a parameter and its gradient. Has the layout of `StagedAddresses` in staging.rs.
struct stepwell_staged_addresses {
  void* parameter;
  void* gradient;
};

namespace {

bool is_current(const stepwell_staging& staging, const Tensor* const* tensors, const uint8_t* is_member, size_t count) {
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!is_member[i]) continue;
    if (next == staging.members.size() || !staging.members[next++].is(i, *tensors[i])) return false;
  }
  return next == staging.members.size();
}

Tensor host_buffer(const Bucket& bucket) {
  const auto options = at::TensorOptions().dtype(bucket.dtype).device(at::kCPU);
  if (!bucket.device.is_cuda()) return at::empty({2 * bucket.elements}, options);
  // libtorch's allocator of pinned memory does not ask for permission, as the CPU's does.
  const size_t bytes = 2 * static_cast<size_t>(bucket.elements) * c10::elementSize(bucket.dtype);
  TORCH_CHECK_WITH(OutOfMemoryError, stepwell_may_allocate(bytes),
                   "DefaultCPUAllocator: there is no memory: you tried to allocate ", bytes, " bytes.");
  return at::empty({2 * bucket.elements}, options.pinned_memory(true));
}

void make_batches(Bucket& bucket, const Tensor* const* tensors) {
  const int64_t most = kBatch / static_cast<int64_t>(c10::elementSize(bucket.dtype));
  const size_t count = bucket.indices.size();
  int64_t start = 0;
  int64_t largest = 0;
  for (size_t i = 0; i < 2 * count; ++i) {
    const int64_t elements = tensors[bucket.indices[i % count]]->numel();
    if (bucket.batches.empty() || bucket.batches.back().elements + elements > most) {
      Batch batch;
      batch.first = i;
      batch.start = start;
      batch.alone = elements > most;
      bucket.batches.push_back(batch);
    }
    Batch& batch = bucket.batches.back();
    batch.count += 1;
    batch.elements += elements;
    if (i < count) {
      batch.parameters += 1;
      batch.parameter_elements += elements;
    }
    if (!batch.alone) largest = std::max(largest, batch.elements);
    start += elements;
  }
  bucket.on_device = at::empty({largest}, at::TensorOptions().dtype(bucket.dtype).device(bucket.device));
  bucket.pieces.resize(2 * count);
  for (const Batch& batch : bucket.batches) {
    int64_t at = 0;
    for (size_t i = batch.first; i < batch.first + batch.count && !batch.alone; ++i) {
      const Tensor& t = *tensors[bucket.indices[i % count]];
      bucket.pieces[i] = bucket.on_device.narrow(0, at, t.numel()).view(t.sizes());
      at += t.numel();
    }
  }
}

void make_buckets(stepwell_staging& staging, const Tensor* const* tensors, const uint8_t* is_member, size_t count) {
  // Before new buffers are made, so that both do not exist at once. A failure below leaves no buckets.
  staging = {};
  stepwell_staging made;
  for (size_t i = 0; i < count; ++i) {
    if (!is_member[i]) continue;
    const Tensor& t = *tensors[i];
    made.members.push_back({i, t.device(), t.scalar_type(), t.sizes().vec()});
    Bucket* bucket = nullptr;
    for (Bucket& one : made.buckets) {
      if (one.device == t.device() && one.dtype == t.scalar_type()) bucket = &one;
    }
    if (bucket == nullptr) bucket = &made.buckets.emplace_back(t.device(), t.scalar_type());
    bucket->indices.push_back(i);
    bucket->elements += t.numel();
  }
  for (Bucket& bucket : made.buckets) {
    bucket.on_host = host_buffer(bucket);
    make_batches(bucket, tensors);
  }
  staging = std::move(made);
}

const Tensor& grad_of(const Tensor& t) { return static_cast<const at::TensorImpl*>(t.unsafeGetTensorImpl())->grad(); }

}  // namespace

extern "C" {

stepwell_staging* stepwell_staging_new() noexcept { return new (std::nothrow) stepwell_staging(); }

void stepwell_staging_free(stepwell_staging* staging) noexcept { delete staging; }

// Copies parameters and gradients to host memory and stores the addresses of the copies. `is_member` is not 0 for a parameter
// that takes part; it is contiguous, and has a gradient of its shape and dtype.
Status stepwell_staging_gather(stepwell_staging* staging, const Tensor* const* tensors, const uint8_t* is_member,
                               size_t count, stepwell_staged_addresses* out) noexcept {
  return guarded([&] {
    const c10::NoGradGuard no_grad;
    if (!is_current(*staging, tensors, is_member, count)) make_buckets(*staging, tensors, is_member, count);
    for (Bucket& bucket : staging->buckets) {
      std::vector<Tensor> sources;
      sources.reserve(bucket.pieces.size());
      for (const size_t i : bucket.indices) sources.push_back(*tensors[i]);
      for (const size_t i : bucket.indices) sources.push_back(grad_of(*tensors[i]));
      const at::TensorList all(sources), pieces(bucket.pieces);
      for (const Batch& batch : bucket.batches) {
        const Tensor to = bucket.on_host.narrow(0, batch.start, batch.elements);
        if (batch.alone) {
          to.copy_(sources[batch.first].reshape(-1));
          continue;
        }
        at::_foreach_copy_(pieces.slice(batch.first, batch.count), all.slice(batch.first, batch.count));
        to.copy_(bucket.on_device.narrow(0, 0, batch.elements));
      }
      char* parameter = static_cast<char*>(bucket.on_host.mutable_data_ptr());
      const size_t size = c10::elementSize(bucket.dtype);
      char* gradient = parameter + static_cast<size_t>(bucket.elements) * size;
      for (const size_t i : bucket.indices) {
        out[i] = {parameter, gradient};
        const size_t bytes = static_cast<size_t>(tensors[i]->numel()) * size;
        parameter += bytes;
        gradient += bytes;
      }
    }
  });
}

// Copies the parameters of the last gather back.
Status stepwell_staging_scatter(stepwell_staging* staging, const Tensor* const* tensors) noexcept {
  return guarded([&] {
    const c10::NoGradGuard no_grad;
    for (Bucket& bucket : staging->buckets) {
      std::vector<Tensor> parameters;
      parameters.reserve(bucket.indices.size());
      for (const size_t i : bucket.indices) parameters.push_back(*tensors[i]);
      const at::TensorList all(parameters), pieces(bucket.pieces);
      for (const Batch& batch : bucket.batches) {
        if (batch.parameters == 0) break;
        const Tensor from = bucket.on_host.narrow(0, batch.start, batch.parameter_elements);
        if (batch.alone) {
          parameters[batch.first].view(-1).copy_(from);
          continue;
        }
        bucket.on_device.narrow(0, 0, batch.parameter_elements).copy_(from);
        at::_foreach_copy_(all.slice(batch.first, batch.parameters), pieces.slice(batch.first, batch.parameters));
      }
    }
  });
}

// Sets all gradients of the tensors to 0. A gradient of several tensors is set once for each.
Status stepwell_zero_gradients(const Tensor* const* tensors, size_t count) noexcept {
  return guarded([&] {
    const c10::NoGradGuard no_grad;
    std::vector<Tensor> gradients;
    gradients.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const Tensor& gradient = grad_of(*tensors[i]);
      if (gradient.defined()) gradients.push_back(gradient);
    }
    // libtorch takes no empty list.
    if (!gradients.empty()) at::_foreach_zero_(gradients);
  });
}

}  // extern "C"
