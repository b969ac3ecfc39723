// The head of a receive-pack request: what a push asks for, before its pack.
//
//   request = *("shallow" SP id) *(old SP new SP ref [NUL capabilities]) flush
//             [*option flush]    if push-options was requested
//             [pack]             unless all commands are deletions
//
// A body that is only a flush (Git's probe before a large push) is a request without commands.
//
// Pure and incremental; memory is bounded by the limits. It refuses what Git refuses to parse;
// whether a command is allowed (name, old value, old == new, deletion) is for the caller to judge
// and report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/pkt_line.h"

namespace quorate::git {

struct PushCapabilities {
  bool report_status = false;  // Also when only report_status_v2 was asked for.
  bool report_status_v2 = false;
  bool side_band_64k = false;
  bool atomic = false;
  bool delete_refs = false;
  bool ofs_delta = false;
  bool quiet = false;
  bool push_options = false;
  std::string agent{};  // Both sanitised.
  std::string session_id{};
};

struct PushCommand {
  ObjectId old_id{};
  ObjectId new_id{};
  std::string ref{};     // Raw bytes without NUL; ask IsValidRefName().
  bool repeats = false;  // An earlier command of this request names the same ref.

  bool creates() const { return old_id.IsZero() && !new_id.IsZero(); }
  bool deletes() const { return new_id.IsZero(); }
};

struct PushRequest {
  PushCapabilities capabilities{};
  std::vector<PushCommand> commands{};
  std::vector<ObjectId> shallow{};
  std::vector<std::string> push_options{};

  // A pack follows: there is a command that is not a deletion.
  bool expects_pack() const;
};

struct PushRequestLimits {
  std::size_t commands_max = 100'000;     // Shallow lines are bounded by the same number.
  std::size_t head_bytes_max = 64 << 20;  // All packets of the head together.
  std::size_t ref_name_bytes_max = 4096;
  std::size_t push_options_max = 1000;
  std::size_t push_option_bytes_max = 16 << 10;
};

class PushRequestParser {
 public:
  explicit PushRequestParser(ObjectFormat format, PushRequestLimits limits = {});

  // Uses bytes from the front of `input`, all of them unless the head is complete: then what is
  // left in `input` is the begin of the pack.
  //   kInvalidArgument     not a push request, another object format, a signed push;
  //   kResourceExhausted   a limit.
  // The message is fit for an ERR packet or sideband 3. After an error the parser is useless.
  Status Feed(std::string_view& input);

  bool complete() const { return state_ == State::kComplete; }

  // The body has ended. kInvalidArgument unless the head is complete. A body of no bytes at all is
  // an error, too.
  Status Finish() const;

  // What is known so far; whole once complete().
  const PushRequest& request() const { return request_; }
  PushRequest TakeRequest() { return std::move(request_); }

 private:
  enum class State : std::uint8_t { kCommands, kPushOptions, kComplete };

  Status OnPacket(const Packet& packet);
  Status OnHeadLine(std::string_view line);
  Status OnShallow(std::string_view id);
  Status OnCommand(std::string_view line);
  Status OnCapabilities(std::string_view list);
  Status OnPushOption(std::string_view option);

  const ObjectFormat format_;
  const PushRequestLimits limits_;
  PktLineDecoder decoder_;
  State state_ = State::kCommands;
  std::size_t head_bytes_ = 0;
  PushRequest request_;
  std::unordered_set<std::string> refs_seen_;
};

}  // namespace quorate::git
