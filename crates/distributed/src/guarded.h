// Exceptions of C++ as a status and a text, for the functions that Rust calls.

#pragma once

#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>

namespace stepwell {

// The values that `backend.rs` expects.
enum Status : int32_t { kOk = 0, kRefused = 1 };

constexpr size_t kMessageBytes = 1024;

// Runs a function. An exception becomes a status, and its text is stored in `message`, which has `kMessageBytes`.
template <class F>
Status guarded(char* message, F&& run) noexcept {
  const char* text = "unknown C++ exception";
  try {
    run();
    return kOk;
  } catch (const c10::Error& e) {
    std::snprintf(message, kMessageBytes, "%s", e.what_without_backtrace());
  } catch (const std::exception& e) {
    std::snprintf(message, kMessageBytes, "%s", e.what());
  } catch (...) {
    std::snprintf(message, kMessageBytes, "%s", text);
  }
  return kRefused;
}

}  // namespace stepwell
