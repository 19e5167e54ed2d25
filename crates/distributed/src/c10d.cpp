// A C interface to libtorch's c10d: a store for the addresses of the processes, and a process group on Gloo for tensors of the CPU. Tensors of GPUs have
// a group that the library with NCCL makes (nccl.cpp). Both are a `c10d::Backend`.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <net/if.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "guarded.h"
#include "nccl.h"

// The layout of libtorch 2.11.0 on x86-64 and 64-bit Arm, which allocates this size itself. Another size means that
// the declarations in `gloo` no longer fit.
static_assert(sizeof(c10d::ProcessGroupGloo) == 488, "the layout of ProcessGroupGloo differs from libtorch's");

// Of libc10: messages of c10d below this level are not printed.
C10_DECLARE_int(caffe2_log_level);

namespace {

using stepwell::guarded;
using stepwell::kOk;
using Milliseconds = std::chrono::milliseconds;
using Store = c10::intrusive_ptr<c10d::Store>;
using Work = c10::intrusive_ptr<c10d::Work>;

struct Group {
  Store store;
  c10::intrusive_ptr<c10d::Backend> backend;
  Milliseconds timeout;
  // For tensors of GPUs; null before `stepwell_group_add_gpus`.
  c10::intrusive_ptr<c10d::Backend> gpus = nullptr;

  // The group for a tensor.
  c10d::Backend& of(const at::Tensor& tensor) const {
    if (tensor.is_cpu()) return *backend;
    TORCH_CHECK(gpus, "a tensor of a GPU, and no group for it");
    return *gpus;
  }
};

// In bytes: the longest text of a store, as in store.rs.
constexpr size_t kTextBytes = 256;

// c10d prints errors that it throws as well. They reach the caller, so printing is off unless the environment asks for it.
void silence_logging() {
  c10::initLogging();
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = 3;
}

}  // namespace

extern "C" {

// Opens the port of a store, or waits for the answer of the process that has opened it.
int32_t stepwell_store_open(
    const char* host,
    int32_t port,
    int64_t limit,
    bool hosts_store,
    Store** store,
    char* message) {
  return guarded(message, [&] {
    static const bool silenced = (silence_logging(), true);
    (void)silenced;
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port);
    options.isServer = hosts_store;
    // joining.rs does it.
    options.waitWorkers = false;
    options.timeout = Milliseconds(limit);
    options.multiTenant = true;
    *store = new Store(c10::make_intrusive<c10d::TCPStore>(host, options));
  });
}

void stepwell_store_free(Store* store) noexcept { delete store; }

int32_t stepwell_store_set(Store* store, const char* name, const char* value, char* message) {
  return guarded(message, [&] { (*store)->set(name, std::string(value)); });
}

// `value` has kTextBytes. Names are never deleted: `get` would wait for one that is deleted after the check.
int32_t stepwell_store_get(Store* store, const char* name, char* value, bool* found, char* message) {
  return guarded(message, [&] {
    *found = (*store)->check({name});
    if (!*found) return;
    const auto bytes = (*store)->get(name);
    const size_t length = std::min(bytes.size(), kTextBytes - 1);
    std::copy_n(bytes.begin(), length, value);
    value[length] = 0;
  });
}

// Connects the processes that have met in a store under a prefix, within `limit`. Operations of the group have the limit `timeout`. `interface` has network interfaces
// by their names or their addresses, with commas between them; null for libtorch's choice.
int32_t stepwell_group_connect(
    const Store* store,
    const char* prefix,
    int32_t rank,
    int32_t size,
    int64_t limit,
    int64_t timeout,
    const char* interface,
    Group** group,
    char* message) {
  return guarded(message, [&] {
    auto gloo = c10d::ProcessGroupGloo::Options::create_default(Milliseconds(limit));
    if (interface != nullptr) {
      gloo->devices.clear();
      std::istringstream names(interface);
      for (std::string name; std::getline(names, name, ',');) {
        gloo->devices.push_back(if_nametoindex(name.c_str()) != 0
                                    ? c10d::ProcessGroupGloo::createDeviceForInterface(name)
                                    : c10d::ProcessGroupGloo::createDeviceForHostname(name));
      }
    }
    auto own = c10::make_intrusive<c10d::PrefixStore>(prefix, *store);
    auto backend = c10::make_intrusive<c10d::ProcessGroupGloo>(std::move(own), rank, size, gloo);
    backend->setTimeout(Milliseconds(timeout));
    (*store)->setTimeout(Milliseconds(timeout));
    *group = new Group{*store, std::move(backend), Milliseconds(timeout)};
  });
}

void stepwell_group_free(Group* group) noexcept {
  try {
    delete group;
  } catch (...) {
    // A group whose process has ended may fail to say goodbye.
  }
}

// Adds the group for tensors of GPUs, with the function of the library with NCCL.
int32_t stepwell_group_add_gpus(
    Group* group,
    StepwellMakeGroup* make,
    const char* prefix,
    int32_t rank,
    int32_t size,
    char* message) {
  c10d::Backend* gpus = nullptr;
  const int32_t status = make(group->store.get(), prefix, rank, size, group->timeout.count(), &gpus, message);
  if (status == kOk) group->gpus = c10::intrusive_ptr<c10d::Backend>::reclaim(gpus);
  return status;
}

// Takes the group for tensors of GPUs, for `stepwell_leave_gpus`; null if there is none.
c10d::Backend* stepwell_group_take_gpus(Group* group) noexcept { return group->gpus.release(); }

// Leaves a group for tensors of GPUs, and frees it. Waits for the device.
void stepwell_leave_gpus(c10d::Backend* taken) noexcept {
  const auto gpus = c10::intrusive_ptr<c10d::Backend>::reclaim(taken);
  try {
    // Completes what other processes still need of this one. The destructor would abort it.
    gpus->shutdown();
  } catch (...) {
    try {
      gpus->abort();
    } catch (...) {
      // The device is lost. The destructor aborts no second time.
    }
  }
}

// Each of these functions starts an operation, which `stepwell_work_wait` ends. The tensors are contiguous and live until then.

int32_t stepwell_group_broadcast(Group* group, at::Tensor* tensor, int32_t from, Work** work, char* message) {
  return guarded(message, [&] {
    std::vector<at::Tensor> tensors{*tensor};
    c10d::BroadcastOptions options;
    options.rootRank = from;
    options.timeout = group->timeout;
    *work = new Work(group->of(*tensor).broadcast(tensors, options));
  });
}

int32_t stepwell_group_all_gather(Group* group, at::Tensor* to, at::Tensor* from, Work** work, char* message) {
  return guarded(message, [&] {
    c10d::AllgatherOptions options;
    options.timeout = group->timeout;
    // Gloo compares shapes, not lengths.
    at::Tensor all = to->view({-1});
    at::Tensor own = from->view({-1});
    *work = new Work(group->of(own)._allgather_base(all, own, options));
  });
}

// Both tensors have a row for each process.
int32_t stepwell_group_all_to_all(Group* group, at::Tensor* to, at::Tensor* from, Work** work, char* message) {
  return guarded(message, [&] {
    std::vector<int64_t> equal;
    c10d::AllToAllOptions options;
    options.timeout = group->timeout;
    *work = new Work(group->of(*from).alltoall_base(*to, *from, equal, equal, options));
  });
}

// Messages of two processes, for tensors of the CPU, which `stepwell_message_free` ends. A tensor that one sends with a tag fills the one of the other that has this tag.

int32_t stepwell_group_send(Group* group, at::Tensor* tensor, int32_t to, int32_t tag, Work** work, char* message) {
  return guarded(message, [&] {
    std::vector<at::Tensor> tensors{*tensor};
    *work = new Work(group->backend->send(tensors, to, tag));
  });
}

int32_t stepwell_group_receive(
    Group* group,
    at::Tensor* tensor,
    int32_t from,
    int32_t tag,
    Work** work,
    char* message) {
  return guarded(message, [&] {
    std::vector<at::Tensor> tensors{*tensor};
    *work = new Work(group->backend->recv(tensors, from, tag));
  });
}

int32_t stepwell_group_barrier(Group* group, Work** work, char* message) {
  return guarded(message, [&] {
    c10d::BarrierOptions options;
    options.timeout = group->timeout;
    *work = new Work(group->backend->barrier(options));
  });
}

// Waits for the end of an operation, and frees it. The wait has no time limit, since the operation has one. A wait that ended earlier
// would return while a thread still uses the tensors.
int32_t stepwell_work_wait(Work* work, char* message) {
  const std::unique_ptr<Work> owned(work);
  return guarded(message, [&] { (*owned)->wait(); });
}

// Waits until a message has been sent or has come, or until another thread interrupts the wait. `has_ended` says which. Gloo does not tell the end of
// a process to a message that it has partly sent or received. Its wait would last until its time limit.
int32_t stepwell_message_wait(Work* work, bool* has_ended, char* message) {
  return guarded(message, [&] { *has_ended = (*work)->wait(); });
}

// Ends the present wait for a message, or the next one.
void stepwell_message_interrupt(Work* work) noexcept {
  try {
    (*work)->abort();
  } catch (...) {
    // It has no wait.
  }
}

// Frees a message, whose memory Gloo does not use any more then.
void stepwell_message_free(Work* work) noexcept { delete work; }

// Closes the connections to the other processes. Gloo has no function for it, but closes all of a group if one wait takes too long.
void stepwell_group_abort(Group* group, int32_t rank, int32_t size) noexcept {
  for (int32_t other = 0; other < size; ++other) {
    if (other == rank) continue;
    try {
      std::vector<at::Tensor> tensors{at::empty({1}, at::kByte)};
      // No process sends with this tag.
      group->backend->recv(tensors, other, std::numeric_limits<int32_t>::max())->wait(Milliseconds(1));
    } catch (...) {
      // It is closed now.
    }
  }
}

}  // extern "C"
