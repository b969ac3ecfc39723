// What every use of libgit2 begins and fails with.
#pragma once

#include <string>

namespace quorate::git::internal {

// Initialises the library once per process; later calls are cheap. Its cache of parsed objects is
// turned off: we read each object once, and thousands of stores would each have one.
void StartLibgit2();

// The library's words for this thread's last failure.
std::string Libgit2Message();

}  // namespace quorate::git::internal
