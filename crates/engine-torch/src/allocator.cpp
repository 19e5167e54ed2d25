// libtorch's CPU allocator with four additions. It asks before it allocates (see mod.rs). It puts large tensors on huge
// pages, which libtorch does only with an environment variable. It counts bytes for the garbage collector of JavaScript.
// It keeps small blocks for later tensors.

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <utility>
#include <mutex>
#include <new>
#include <unordered_set>

#if defined(__linux__)
#include <malloc.h>
#include <sys/mman.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#endif

// In mod.rs: true if `bytes` may be allocated. Does not throw.
extern "C" bool stepwell_may_allocate(size_t bytes) noexcept;

namespace {

constexpr uintptr_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
// In bytes. Tensors of at least this size are put on huge pages.
constexpr size_t kLarge = kHugePage;
// In bytes. Smaller tensors share one permission of this size: asking for each costs too much, and together they can fill
// memory.
constexpr size_t kBatch = size_t{256} << 10;
// In bytes. Smaller blocks are not counted: counting would cost more than it tells the garbage collector.
constexpr size_t kMinCounted = size_t{1} << 10;

// Bytes of the counted blocks of this thread, less those that it has freed for another thread. When a job ends, its count goes to
// the thread of the session, which has its tensors then.
thread_local int64_t allocated_bytes = 0;

c10::DeleterFnPtr standard_deleter = nullptr;

// The usable size of a block of the heap; 0 if the C library does not report it.
size_t size_of_block(void* block) noexcept {
#if defined(__linux__)
  return malloc_usable_size(block);
#elif defined(__APPLE__)
  return malloc_size(block);
#else
  return 0;
#endif
}

// Free blocks below 1 KiB of this thread, in lists by their size in units of 64 bytes. Aligned blocks of the C library take as
// long as the operation of a small tensor.
class SmallBlocks {
 public:
  static constexpr size_t kUnit = 64;
  static constexpr size_t kClasses = kMinCounted / kUnit;
  // Blocks of a list: 1 MiB in all lists together.
  static constexpr size_t kMost = 128;

  SmallBlocks() = default;
  SmallBlocks(const SmallBlocks&) = delete;
  SmallBlocks& operator=(const SmallBlocks&) = delete;
  ~SmallBlocks() {
    for (Node*& list : lists_) {
      while (list != nullptr) {
        Node* next = list->next;
        standard_deleter(list);
        list = next;
      }
    }
    ended_ = true;
  }

  // A free block of at least `bytes` bytes; null if there is none.
  void* take(size_t bytes) noexcept {
    const size_t index = (bytes + kUnit - 1) / kUnit;
    if (index == 0 || index >= kClasses || lists_[index] == nullptr) return nullptr;
    Node* block = lists_[index];
    lists_[index] = block->next;
    --counts_[index];
    return block;
  }

  // Keeps a free block. False if it does not.
  bool put(void* block, size_t bytes) noexcept {
    const size_t index = bytes / kUnit;
    if (ended_ || index == 0 || index >= kClasses || counts_[index] == kMost) return false;
    lists_[index] = new (block) Node{lists_[index]};
    ++counts_[index];
    return true;
  }

 private:
  struct Node {
    Node* next;
  };
  Node* lists_[kClasses] = {};
  size_t counts_[kClasses] = {};
  bool ended_ = false;
};

thread_local SmallBlocks small_blocks;

void counting_deleter(void* block) {
  const size_t bytes = size_of_block(block);
  if (bytes >= kMinCounted) {
    allocated_bytes -= static_cast<int64_t>(bytes);
  } else if (small_blocks.put(block, bytes)) {
    return;
  }
  standard_deleter(block);
}

class Allocator final : public c10::Allocator {
 public:
  explicit Allocator(c10::Allocator& standard) : standard_(standard) {}

  c10::DataPtr allocate(size_t bytes) override {
    require_memory(bytes);
    if (void* block = small_blocks.take(bytes)) return {block, block, counting_deleter, at::Device(at::DeviceType::CPU)};
    if (bytes < kLarge) return counted(standard_.allocate(bytes));
    c10::DataPtr data = counted(standard_.allocate(bytes));
    request_huge_pages(reinterpret_cast<uintptr_t>(data.get()), bytes);
    return data;
  }

  c10::DeleterFnPtr raw_deleter() const override { return counting_deleter; }
  bool is_simple_data_ptr(const c10::DataPtr& data) const override { return standard_.is_simple_data_ptr(data); }
  void copy_data(void* to, const void* from, size_t bytes) const override { standard_.copy_data(to, from, bytes); }

 private:
  static c10::DataPtr counted(c10::DataPtr data) {
    const size_t bytes = size_of_block(data.get());
    // Fails if the block has another deleter, which another allocator has installed: then it is not counted.
    if (data.compare_exchange_deleter(standard_deleter, counting_deleter) && bytes >= kMinCounted) {
      allocated_bytes += static_cast<int64_t>(bytes);
    }
    return data;
  }

  // Throws OutOfMemoryError unless `bytes` may be allocated.
  static void require_memory(size_t bytes) {
    // Bytes that this thread may still allocate before it asks again.
    thread_local size_t permitted = 0;
    if (bytes <= permitted) {
      permitted -= bytes;
      return;
    }
    if (bytes < kBatch && stepwell_may_allocate(kBatch)) {
      permitted = kBatch - bytes;
      return;
    }
    // Starts as the text of libtorch's own allocator, by which error.rs recognizes it.
    TORCH_CHECK_WITH(OutOfMemoryError, stepwell_may_allocate(bytes),
                     "DefaultCPUAllocator: there is no memory: you tried to allocate ", bytes, " bytes.");
  }

  // Asks for huge pages; without effect if the system has none.
  //
  // The heap reuses freed memory, which may already be backed by small pages. MADV_DONTNEED drops them, which is safe since a
  // new block has no content, and the next write gets a huge page. Once for each huge page: dropping costs as much as writing.
  void request_huge_pages([[maybe_unused]] uintptr_t start, [[maybe_unused]] size_t bytes) noexcept {
#if defined(__linux__)
    const uintptr_t first = (start + kPage - 1) / kPage * kPage;
    madvise(reinterpret_cast<void*>(first), start + bytes - first, MADV_HUGEPAGE);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (uintptr_t page = (start + kHugePage - 1) / kHugePage; (page + 1) * kHugePage <= start + bytes; ++page) {
      try {
        if (!requested_.insert(page).second) continue;
      } catch (const std::bad_alloc&) {
        return;
      }
      madvise(reinterpret_cast<void*>(page * kHugePage), kHugePage, MADV_DONTNEED);
    }
#endif
  }

  c10::Allocator& standard_;
  std::mutex mutex_;
  // Numbers of huge pages whose small pages have been dropped.
  std::unordered_set<uintptr_t> requested_;
};

}  // namespace

// Replaces libtorch's CPU allocator. Blocks that exist keep their deleter.
extern "C" void stepwell_use_allocator() noexcept {
  // Made once and never freed: libtorch may use it until the process ends.
  static const bool once = [] {
    standard_deleter = c10::GetCPUAllocator()->raw_deleter();
    if (auto* allocator = new (std::nothrow) Allocator(*c10::GetCPUAllocator())) c10::SetCPUAllocator(allocator);
    return true;
  }();
  static_cast<void>(once);
}

// Bytes of the counted blocks of this thread.
// Takes the count of this thread, which may be negative, or adds the one of another thread.
extern "C" int64_t stepwell_take_bytes_held() noexcept { return std::exchange(allocated_bytes, 0); }
extern "C" void stepwell_add_bytes_held(int64_t bytes) noexcept { allocated_bytes += bytes; }

extern "C" size_t stepwell_bytes_held() noexcept { return allocated_bytes > 0 ? static_cast<size_t>(allocated_bytes) : 0; }
