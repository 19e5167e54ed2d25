// The status of a call into C++. Exceptions become a status, and their text is stored for `stepwell_failure`.

#pragma once

#include <c10/util/Exception.h>

#include <cstdint>
#include <cstdio>
#include <new>

namespace stepwell {

// The values that `check` in shim.rs expects.
enum Status : int32_t { kOk = 0, kRefused = 1, kOutOfMemory = 2 };

inline thread_local char failure[1024];

inline Status fail(Status status, const char* text) noexcept {
  std::snprintf(failure, sizeof failure, "%s", text);
  return status;
}

template <class F>
Status guarded(F&& run) noexcept {
  try {
    run();
    return kOk;
  } catch (const c10::OutOfMemoryError& e) {
    return fail(kOutOfMemory, e.what_without_backtrace());
  } catch (const c10::Error& e) {
    return fail(kRefused, e.what_without_backtrace());
  } catch (const std::bad_alloc& e) {
    return fail(kOutOfMemory, e.what());
  } catch (const std::exception& e) {
    return fail(kRefused, e.what());
  } catch (...) {
    return fail(kRefused, "unknown C++ exception");
  }
}

}  // namespace stepwell
