#include "txn/testing/log_mode.h"

#include "log/local_log.h"

namespace quorate::txn {
namespace {

class LocalMode final : public LogMode {
 public:
  std::string_view name() const override { return "local"; }

  Status Bootstrap(const LogModeParts& parts) override {
    return parts.logs.Bootstrap(parts.partition, {.replica = ReplicaId{1}, .incarnation = 1}, "");
  }

  std::unique_ptr<log::LogManager> Open(const LogModeParts& parts) override {
    return std::make_unique<log::LocalLog>(parts.partition, parts.strand, parts.logs,
                                           log::LocalLogOptions{});
  }
};

}  // namespace

std::unique_ptr<LogMode> NewLocalMode() {
  return std::make_unique<LocalMode>();
}

}  // namespace quorate::txn
