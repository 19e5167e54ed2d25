// Memory for large tensors: no more than there is, and on huge pages, which libtorch itself asks for only where an
// environment variable says so. What all but very small tensors have is counted, for the garbage collector to know of.

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <mutex>
#include <new>
#include <unordered_set>

#if defined(__linux__)
#include <malloc.h>
#include <sys/mman.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#endif

// In memory.rs: whether so many bytes may be taken. Does not throw.
extern "C" bool stepwell_memory_take(size_t bytes) noexcept;

namespace {

constexpr uintptr_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLarge = kHugePage;
// What is asked for at once for tensors that are smaller: each alone is not worth it, and together they fill any memory.
constexpr size_t kTogether = size_t{256} << 10;
// Smaller blocks are not counted.
constexpr size_t kCounted = size_t{1} << 10;

// Tensors do not leave their thread, so that what it took and gave back is what it has.
thread_local int64_t held = 0;

c10::DeleterFnPtr standard_deleter = nullptr;

// The bytes of a block, which the heap knows; 0 where it does not say.
size_t size_of_block(void* block) noexcept {
#if defined(__linux__)
  return malloc_usable_size(block);
#elif defined(__APPLE__)
  return malloc_size(block);
#else
  return 0;
#endif
}

void give_back(void* block) {
  const size_t bytes = size_of_block(block);
  if (bytes >= kCounted) held -= static_cast<int64_t>(bytes);
  standard_deleter(block);
}

class Allocator final : public c10::Allocator {
 public:
  explicit Allocator(c10::Allocator& standard) : standard_(standard) {}

  c10::DataPtr allocate(size_t bytes) override {
    require(bytes);
    if (bytes < kLarge) return counted(standard_.allocate(bytes));
    c10::DataPtr data = counted(standard_.allocate(bytes));
    advise(reinterpret_cast<uintptr_t>(data.get()), bytes);
    return data;
  }

  c10::DeleterFnPtr raw_deleter() const override { return give_back; }
  bool is_simple_data_ptr(const c10::DataPtr& data) const override { return standard_.is_simple_data_ptr(data); }
  void copy_data(void* to, const void* from, size_t bytes) const override { standard_.copy_data(to, from, bytes); }

 private:
  static c10::DataPtr counted(c10::DataPtr data) {
    const size_t bytes = size_of_block(data.get());
    // The deleter is that of a block of the heap, unless the standard allocator has changed.
    if (bytes >= kCounted && data.compare_exchange_deleter(standard_deleter, give_back)) {
      held += static_cast<int64_t>(bytes);
    }
    return data;
  }

  // The system hands out memory that it has not, and ends the process when it is used.
  static void require(size_t bytes) {
    // Bytes that this thread may take before it asks.
    thread_local size_t unasked = 0;
    if (bytes <= unasked) {
      unasked -= bytes;
      return;
    }
    if (bytes < kTogether && stepwell_memory_take(kTogether)) {
      unasked = kTogether - bytes;
      return;
    }
    // Begins as the standard allocator's text does: error.rs knows it by that.
    TORCH_CHECK_WITH(OutOfMemoryError, stepwell_memory_take(bytes),
                     "DefaultCPUAllocator: there is no memory: you tried to allocate ", bytes, " bytes.");
  }

  // Without effect where the system has no huge pages to give. Memory that somebody else has used before lies on small pages:
  // it is given back, which nothing is lost by, so that what is written next is written to huge ones. Once for each place, since
  // that takes as long as writing.
  void advise([[maybe_unused]] uintptr_t start, [[maybe_unused]] size_t bytes) noexcept {
#if defined(__linux__)
    const uintptr_t first = (start + kPage - 1) / kPage * kPage;
    madvise(reinterpret_cast<void*>(first), start + bytes - first, MADV_HUGEPAGE);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (uintptr_t page = (start + kHugePage - 1) / kHugePage; (page + 1) * kHugePage <= start + bytes; ++page) {
      try {
        if (!known_.insert(page).second) continue;
      } catch (const std::bad_alloc&) {
        return;
      }
      madvise(reinterpret_cast<void*>(page * kHugePage), kHugePage, MADV_DONTNEED);
    }
#endif
  }

  c10::Allocator& standard_;
  std::mutex mutex_;
  // Huge pages that tensors have lain on.
  std::unordered_set<uintptr_t> known_;
};

}  // namespace

// For what is allocated from now on.
extern "C" void stepwell_use_allocator() noexcept {
  // Once, and never freed: libtorch may ask it for memory until the process ends.
  static const bool once = [] {
    standard_deleter = c10::GetCPUAllocator()->raw_deleter();
    if (auto* allocator = new (std::nothrow) Allocator(*c10::GetCPUAllocator())) c10::SetCPUAllocator(allocator);
    return true;
  }();
  static_cast<void>(once);
}

// What blocks of this thread take together.
extern "C" size_t stepwell_bytes_held() noexcept { return held > 0 ? static_cast<size_t>(held) : 0; }
