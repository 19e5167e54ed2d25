// Asks for huge pages for large tensors, which libtorch does only for whom sets an environment variable.

#include <c10/core/CPUAllocator.h>

#include <cstdint>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>

namespace {

constexpr uintptr_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;

// libtorch's allocator, and advice to the system.
class HugePages final : public c10::Allocator {
 public:
  explicit HugePages(c10::Allocator& standard) : standard_(standard) {}

  c10::DataPtr allocate(size_t bytes) override {
    c10::DataPtr data = standard_.allocate(bytes);
    if (bytes >= kHugePage) advise(reinterpret_cast<uintptr_t>(data.get()), bytes);
    return data;
  }

  c10::DeleterFnPtr raw_deleter() const override { return standard_.raw_deleter(); }
  bool is_simple_data_ptr(const c10::DataPtr& data) const override { return standard_.is_simple_data_ptr(data); }
  void copy_data(void* to, const void* from, size_t bytes) const override { standard_.copy_data(to, from, bytes); }

 private:
  // Without effect where the system has no huge pages to give.
  static void advise(uintptr_t start, size_t bytes) noexcept {
    const uintptr_t first = (start + kPage - 1) / kPage * kPage;
    madvise(reinterpret_cast<void*>(first), start + bytes - first, MADV_HUGEPAGE);
  }

  c10::Allocator& standard_;
};

}  // namespace
#endif

// For what is allocated from now on.
extern "C" void stepwell_use_huge_pages() noexcept {
#if defined(__linux__)
  // Once, and never freed: libtorch may ask it for memory until the process ends.
  static const bool once = [] {
    if (auto* pages = new (std::nothrow) HugePages(*c10::GetCPUAllocator())) c10::SetCPUAllocator(pages);
    return true;
  }();
  static_cast<void>(once);
#endif
}
