#include "http/error_map.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::http {
namespace {

constexpr Code kAllCodes[] = {
    Code::kInvalidArgument,   Code::kNotFound,         Code::kAlreadyExists,
    Code::kConflict,          Code::kNotLeader,        Code::kUnavailable,
    Code::kOutcomeUnknown,    Code::kDeadlineExceeded, Code::kCancelled,
    Code::kResourceExhausted, Code::kCorruption,       Code::kInternal};

TEST(ErrorMap, EveryCodeHasItsStatus) {
  std::string table;
  for (const Code code : kAllCodes) {
    const HttpError error = HttpErrorOf(code);
    table += std::string(CodeName(code)) + " " + std::to_string(error.status) + " " +
             std::to_string(error.retry_after_seconds) + "\n";
  }

  EXPECT_EQ(table,
            "invalid_argument 400 0\n"
            "not_found 404 0\n"
            "already_exists 409 0\n"
            "conflict 409 0\n"
            "not_leader 503 1\n"
            "unavailable 503 1\n"
            "outcome_unknown 500 0\n"
            "deadline_exceeded 503 1\n"
            "cancelled 408 0\n"
            "resource_exhausted 429 5\n"
            "corruption 503 0\n"
            "internal 500 0\n");
}

TEST(ErrorMap, AnUnknownOutcomeNeverLooksLikeNothingWasDone) {
  const unsigned status = HttpErrorOf(Code::kOutcomeUnknown).status;

  EXPECT_FALSE(status == 503 || (status >= 400 && status < 500));
}

}  // namespace
}  // namespace quorate::http
