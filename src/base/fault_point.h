// Named places at which a test may make the process die, fail or wait.
//
// A fault point is one untaken branch in every build, so that end-to-end tests can arm it in the
// binary that ships. Points are armed by the simulator, or by the configuration key
// `unsafe.fault_points`; the server says so in its log.
//
//   QUORATE_FAULT("txn.before_append");            may crash or delay here
//   QUORATE_TRY(QUORATE_FAULT_STATUS("log.sync"))  may also fail here
//
// The grammar of a specification: NAME=ACTION[@N][,...] with ACTION one of crash, fail, delay:MS;
// @N acts on the N-th passage only (the first is 1), else on every passage.
#pragma once

#include <atomic>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quorate {

namespace internal {
extern std::atomic<bool> faults_armed;
Status PassFaultPoint(std::string_view name);
}  // namespace internal

// Replaces what was armed before. kInvalidArgument names the part that it cannot read. An empty
// specification disarms all. Called before threads start.
Status ArmFaultPoints(std::string_view specification);

// How often `name` was passed since the points were last armed. Counts only while any is armed.
int FaultPointPassages(std::string_view name);

}  // namespace quorate

#define QUORATE_FAULT_STATUS(name)                                   \
  (::quorate::internal::faults_armed.load(std::memory_order_relaxed) \
       ? ::quorate::internal::PassFaultPoint(name)                   \
       : ::quorate::Ok())

#define QUORATE_FAULT(name)                                                               \
  do {                                                                                    \
    if (::quorate::internal::faults_armed.load(std::memory_order_relaxed)) [[unlikely]] { \
      static_cast<void>(::quorate::internal::PassFaultPoint(name));                       \
    }                                                                                     \
  } while (false)
