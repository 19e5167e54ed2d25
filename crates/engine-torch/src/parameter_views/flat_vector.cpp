// Copies between tensors and a vector on their device, by operations of libtorch: tensors may have any strides.

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <cstdint>
#include <vector>

#include "../status.h"

using at::Tensor;
using stepwell::guarded;
using stepwell::Status;

extern "C" {

// Copies tensors into a vector of their dtype on their device if `gathers` is not 0, and from the vector otherwise. Each has its
// place in the vector, in elements.
Status stepwell_copy_pieces(const Tensor* const* tensors, const int64_t* places, size_t count, void* vector,
                            uint8_t gathers) noexcept {
  return guarded([&] {
    const c10::NoGradGuard no_grad;
    std::vector<Tensor> originals, pieces;
    originals.reserve(count);
    pieces.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const Tensor& t = *tensors[i];
      if (t.numel() == 0) continue;
      char* first = static_cast<char*>(vector) + places[i] * static_cast<int64_t>(t.element_size());
      const auto options = at::TensorOptions().dtype(t.scalar_type()).device(t.device());
      pieces.push_back(at::for_blob(first, t.sizes()).options(options).target_device(t.device()).make_tensor());
      originals.push_back(t);
    }
    // libtorch takes no empty list.
    if (pieces.empty()) return;
    if (gathers != 0) at::_foreach_copy_(pieces, originals);
    else at::_foreach_copy_(originals, pieces);
  });
}

}  // extern "C"
