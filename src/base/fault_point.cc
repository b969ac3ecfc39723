#include "base/fault_point.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace quorate {
namespace {

enum class Action { kCrash, kFail, kDelay };

struct Fault {
  Action action;
  std::chrono::milliseconds delay{0};
  int passage = 0;  // 0 is every passage.
};

// Process-wide by nature: a fault point is a place in the code, not in an object.
struct Registry {
  std::mutex mutex;
  std::map<std::string, Fault, std::less<>> faults;
  std::map<std::string, int, std::less<>> passages;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

Result<int> ParseNumber(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return Error(Code::kInvalidArgument, fmt::format("'{}' is not a number", text));
  }
  return value;
}

Result<Fault> ParseFault(std::string_view text) {
  Fault fault{.action = Action::kCrash};
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    fault.passage = QUORATE_TRY(ParseNumber(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  if (text == "crash") {
    return fault;
  }
  if (text == "fail") {
    fault.action = Action::kFail;
    return fault;
  }
  if (text.starts_with("delay:")) {
    fault.action = Action::kDelay;
    fault.delay = std::chrono::milliseconds(QUORATE_TRY(ParseNumber(text.substr(6))));
    return fault;
  }
  return Error(Code::kInvalidArgument,
               fmt::format("fault action '{}' is not crash, fail or delay:MS", text));
}

}  // namespace

namespace internal {

std::atomic<bool> faults_armed = false;

Status PassFaultPoint(std::string_view name) {
  Fault fault{};
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const int passage = ++all.passages[std::string(name)];
    const auto found = all.faults.find(name);
    if (found == all.faults.end()) {
      return Ok();
    }
    fault = found->second;
    if (fault.passage != 0 && fault.passage != passage) {
      return Ok();
    }
  }
  switch (fault.action) {
    case Action::kCrash:
      std::raise(SIGKILL);  // As kill -9 would: no destructor, no flush.
      break;
    case Action::kFail:
      return Error(Code::kInternal, fmt::format("fault point {}", name));
    case Action::kDelay:
      std::this_thread::sleep_for(fault.delay);
      break;
  }
  return Ok();
}

}  // namespace internal

Status ArmFaultPoints(std::string_view specification) {
  std::map<std::string, Fault, std::less<>> faults;
  while (!specification.empty()) {
    const std::size_t comma = specification.find(',');
    const std::string_view part = specification.substr(0, comma);
    specification =
        comma == std::string_view::npos ? std::string_view() : specification.substr(comma + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Error(Code::kInvalidArgument, fmt::format("fault '{}' is not NAME=ACTION", part));
    }
    faults[std::string(part.substr(0, equals))] = QUORATE_TRY(ParseFault(part.substr(equals + 1)));
  }
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.faults = std::move(faults);
  all.passages.clear();
  internal::faults_armed = !all.faults.empty();
  return Ok();
}

int FaultPointPassages(std::string_view name) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const auto found = all.passages.find(name);
  return found == all.passages.end() ? 0 : found->second;
}

}  // namespace quorate
