#include "txn/internal/state_codec.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn::internal {
namespace {

constexpr char kFormat = 1;
constexpr char kTransactionFormat = 2;
constexpr std::size_t kTransactionIdBytes = 16;

// The first byte of a reference's value.
enum class RefForm : char {
  kSha1 = 1,
  kSha256 = 2,
  kSha1Peeled = 3,
  kSha256Peeled = 4,
  kSymbolic = 5,
};

Error Damaged(std::string_view what) {
  return Error(Code::kCorruption, fmt::format("stored {} is not readable", what));
}

void AppendText(std::string& out, std::string_view text) {
  AppendBigEndian32(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

void AppendOptionalRef(std::string& out, const std::optional<RefValue>& value) {
  AppendText(out, value ? EncodeRefValue(*value) : std::string());
}

// Takes pieces from the front of `rest`; each returns nothing when too few bytes are left.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> Take(std::size_t size) {
    if (rest_.size() < size) {
      return std::nullopt;
    }
    const std::string_view piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  std::optional<std::uint32_t> TakeNumber32() {
    const auto piece = Take(4);
    return piece ? std::optional(ReadBigEndian32(*piece)) : std::nullopt;
  }
  std::optional<std::uint64_t> TakeNumber64() {
    const auto piece = Take(8);
    return piece ? std::optional(ReadBigEndian64(*piece)) : std::nullopt;
  }
  std::optional<std::string_view> TakeText() {
    const auto size = TakeNumber32();
    return size ? Take(*size) : std::nullopt;
  }
  bool TakeFormat() {
    const auto piece = Take(1);
    return piece && (*piece)[0] == kFormat;
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

Result<std::optional<RefValue>> TakeOptionalRef(Cursor& cursor) {
  const auto text = cursor.TakeText();
  if (!text) {
    return Damaged("event");
  }
  if (text->empty()) {
    return std::optional<RefValue>();
  }
  RefValue value = QUORATE_TRY(DecodeRefValue(*text));
  return std::optional(std::move(value));
}

}  // namespace

std::string EncodeRefValue(const RefValue& value) {
  std::string out;
  if (!value.symref.empty()) {
    out += static_cast<char>(RefForm::kSymbolic);
    return out.append(value.symref);
  }
  const bool sha1 = value.id.format() == git::ObjectFormat::kSha1;
  const RefForm form = value.peeled ? (sha1 ? RefForm::kSha1Peeled : RefForm::kSha256Peeled)
                                    : (sha1 ? RefForm::kSha1 : RefForm::kSha256);
  out += static_cast<char>(form);
  out.append(value.id.raw());
  if (value.peeled) {
    out.append(value.peeled->raw());
  }
  return out;
}

Result<RefValue> DecodeRefValue(std::string_view bytes) {
  if (bytes.empty()) {
    return Damaged("reference");
  }
  const char first = bytes[0];
  bytes.remove_prefix(1);
  RefValue value;
  if (first == static_cast<char>(RefForm::kSymbolic)) {
    if (bytes.empty()) {
      return Damaged("symbolic reference");
    }
    value.symref = std::string(bytes);
    return value;
  }
  if (first < static_cast<char>(RefForm::kSha1) ||
      first > static_cast<char>(RefForm::kSha256Peeled)) {
    return Damaged("reference (form)");
  }
  const RefForm form{first};
  const auto format = form == RefForm::kSha1 || form == RefForm::kSha1Peeled
                          ? git::ObjectFormat::kSha1
                          : git::ObjectFormat::kSha256;
  const bool peeled = form == RefForm::kSha1Peeled || form == RefForm::kSha256Peeled;
  const std::size_t size = git::RawSize(format);
  if (bytes.size() != (peeled ? 2 * size : size)) {
    return Damaged("reference (size)");
  }
  value.id = *git::ObjectId::FromRaw(format, bytes.substr(0, size));
  if (peeled) {
    value.peeled = *git::ObjectId::FromRaw(format, bytes.substr(size));
  }
  return value;
}

std::string EncodePosition(Position position) {
  std::string out(1, kFormat);
  AppendBigEndian64(out, position.lsn.value);
  AppendBigEndian64(out, position.term.value);
  return out;
}

Result<Position> DecodePosition(std::string_view bytes) {
  if (bytes.size() != 17 || bytes[0] != kFormat) {
    return Damaged("position");
  }
  return Position{.lsn = Lsn{ReadBigEndian64(bytes.substr(1))},
                  .term = Term{ReadBigEndian64(bytes.substr(9))}};
}

std::string EncodeLsn(Lsn lsn) {
  std::string out(1, kFormat);
  AppendBigEndian64(out, lsn.value);
  return out;
}

Result<Lsn> DecodeLsn(std::string_view bytes) {
  if (bytes.size() != 9 || bytes[0] != kFormat) {
    return Damaged("LSN");
  }
  return Lsn{ReadBigEndian64(bytes.substr(1))};
}

std::string EncodeKeyValue(std::string_view value) {
  return std::string(1, kFormat).append(value);
}

Result<std::string> DecodeKeyValue(std::string_view bytes) {
  if (bytes.empty() || bytes[0] != kFormat) {
    return Damaged("key's value");
  }
  return std::string(bytes.substr(1));
}

std::string EncodeConfig(const std::vector<std::string>& values) {
  std::string out(1, kFormat);
  for (const std::string& value : values) {
    AppendText(out, value);
  }
  return out;
}

Result<std::vector<std::string>> DecodeConfig(std::string_view bytes) {
  Cursor cursor(bytes);
  std::vector<std::string> values;
  if (!cursor.TakeFormat()) {
    return Damaged("configuration (format)");
  }
  while (!cursor.AtEnd()) {
    const auto value = cursor.TakeText();
    if (!value) {
      return Damaged("configuration");
    }
    values.emplace_back(*value);
  }
  return values;
}

std::string EncodeRepository(const RepositoryInfo& info) {
  std::string out(1, kFormat);
  out += static_cast<char>(info.format);
  AppendBigEndian64(out, info.created.value);
  AppendBigEndian64(out, info.ref_version.value);
  return out.append(EncodeRefValue(info.head));
}

Result<RepositoryInfo> DecodeRepository(RepositoryId repository, std::string_view bytes) {
  if (bytes.size() < 18 || bytes[0] != kFormat ||
      (bytes[1] != static_cast<char>(git::ObjectFormat::kSha1) &&
       bytes[1] != static_cast<char>(git::ObjectFormat::kSha256))) {
    return Damaged("repository");
  }
  RepositoryInfo info;
  info.id = repository;
  info.format = git::ObjectFormat{static_cast<std::uint8_t>(bytes[1])};
  info.created = Lsn{ReadBigEndian64(bytes.substr(2))};
  info.ref_version = Lsn{ReadBigEndian64(bytes.substr(10))};
  info.head = QUORATE_TRY(DecodeRefValue(bytes.substr(18)));
  return info;
}

std::string EncodeConsumer(const Consumer& consumer) {
  std::string out(1, kFormat);
  AppendBigEndian64(out, consumer.acknowledged.value);
  AppendBigEndian64(out, consumer.created.value);
  AppendBigEndian64(out, consumer.lost_first.value);
  AppendBigEndian64(out, consumer.lost_last.value);
  return out;
}

Result<Consumer> DecodeConsumer(RepositoryId repository, std::string_view name,
                                std::string_view bytes) {
  if (bytes.size() != 33 || bytes[0] != kFormat) {
    return Damaged("consumer");
  }
  return Consumer{.repository = repository,
                  .name = std::string(name),
                  .acknowledged = Lsn{ReadBigEndian64(bytes.substr(1))},
                  .created = Lsn{ReadBigEndian64(bytes.substr(9))},
                  .lost_first = Lsn{ReadBigEndian64(bytes.substr(17))},
                  .lost_last = Lsn{ReadBigEndian64(bytes.substr(25))}};
}

std::string EncodeTransaction(const CommittedTransaction& transaction) {
  std::string out(1, kTransactionFormat);
  AppendBigEndian64(out, transaction.lsn.value);
  AppendBigEndian64(out, static_cast<std::uint64_t>(transaction.time_unix_micros));
  return out.append(transaction.actor);
}

Result<CommittedTransaction> DecodeTransaction(std::string_view bytes) {
  if (bytes.size() < 17 || bytes[0] != kTransactionFormat) {
    return Damaged("transaction");
  }
  return CommittedTransaction{
      .lsn = Lsn{ReadBigEndian64(bytes.substr(1))},
      .time_unix_micros = static_cast<std::int64_t>(ReadBigEndian64(bytes.substr(9))),
      .actor = std::string(bytes.substr(17))};
}

std::string EncodeEvent(const RefEvent& event) {
  std::string out(1, kFormat);
  out.append(event.transaction_id);
  AppendBigEndian64(out, static_cast<std::uint64_t>(event.time_unix_micros));
  AppendText(out, event.actor);
  AppendText(out, event.name);
  AppendOptionalRef(out, event.before);
  AppendOptionalRef(out, event.after);
  AppendBigEndian32(out, static_cast<std::uint32_t>(event.push_options.size()));
  for (const std::string& option : event.push_options) {
    AppendText(out, option);
  }
  return out;
}

Result<RefEvent> DecodeEvent(Lsn lsn, std::string_view bytes) {
  Cursor cursor(bytes);
  if (!cursor.TakeFormat()) {
    return Damaged("event (format)");
  }
  const auto id = cursor.Take(kTransactionIdBytes);
  const auto time = cursor.TakeNumber64();
  const auto actor = cursor.TakeText();
  const auto name = cursor.TakeText();
  if (!id || !time || !actor || !name) {
    return Damaged("event");
  }
  RefEvent event;
  event.lsn = lsn;
  event.transaction_id = std::string(*id);
  event.time_unix_micros = static_cast<std::int64_t>(*time);
  event.actor = std::string(*actor);
  event.name = std::string(*name);
  event.before = QUORATE_TRY(TakeOptionalRef(cursor));
  event.after = QUORATE_TRY(TakeOptionalRef(cursor));
  const auto options = cursor.TakeNumber32();
  for (std::uint32_t i = 0; options && i < *options; ++i) {
    const auto option = cursor.TakeText();
    if (!option) {
      return Damaged("event (push option)");
    }
    event.push_options.emplace_back(*option);
  }
  if (!options || !cursor.AtEnd()) {
    return Damaged("event (length)");
  }
  return event;
}

std::uint64_t OldestGeneration(Lsn applied) {
  constexpr std::uint64_t kKept = kTransactionIdsKept / kGenerationEntries;
  const std::uint64_t now = GenerationOf(applied);
  return now > kKept ? now - kKept : 0;
}

Result<Position> ReadApplied(PartitionId partition, const kv::Reader& reader) {
  const auto bytes = QUORATE_TRY(reader.Get(kv::Family::kState, AppliedKey(partition)));
  if (!bytes) {
    return kBootstrapPosition;
  }
  return DecodePosition(*bytes);
}

Result<Lsn> ReadObjectsDurable(PartitionId partition, const kv::Reader& reader) {
  const auto bytes = QUORATE_TRY(reader.Get(kv::Family::kState, ObjectsDurableKey(partition)));
  if (!bytes) {
    return kBootstrapPosition.lsn;
  }
  return DecodeLsn(*bytes);
}

}  // namespace quorate::txn::internal
