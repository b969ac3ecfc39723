// The `quorate` command: reads its arguments and does what they say.
#pragma once

namespace quorate::server {

// Exit codes: 0 done, 1 failed (one line on stderr says what and why), 2 usage.
int Main(int argc, const char* const* argv);

}  // namespace quorate::server
