#include "git/internal/receiver.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "git/internal/pack_format.h"
#include "git/internal/quarantined.h"

namespace quorate::git::internal {
namespace {

// Head, and a zlib stream of nothing.
constexpr std::uint64_t kEntryBytesMin = 9;

}  // namespace

Status Receiver::Write(std::string_view bytes) {
  if (failed_) {
    return *failed_;
  }
  Status status = TakeIn(bytes);
  if (!status) {
    failed_ = status.error();
    indexing_.reset();
    buffer_ = {};
  }
  return status;
}

Status Receiver::TakeIn(std::string_view bytes) {
  received_ += bytes.size();
  if (received_ > context_.options.pack_bytes_max) {
    return Error(
        Code::kInvalidArgument,
        "pack is larger than " + std::to_string(context_.options.pack_bytes_max) + " bytes");
  }
  if (indexing_ != nullptr) {
    return indexing_->Write(bytes);
  }
  // The header may come in pieces; what follows it may have to go elsewhere.
  if (!header_checked_) {
    const std::size_t missing = kPackHeaderSize - buffer_.size();
    buffer_ += bytes.substr(0, missing);
    bytes.remove_prefix(std::min(missing, bytes.size()));
    if (buffer_.size() < kPackHeaderSize) {
      return Ok();
    }
    QUORATE_TRY(CheckHeader());
  }
  if (indexing_ == nullptr && buffer_.size() + bytes.size() > context_.options.inline_bytes_max) {
    QUORATE_TRY(Spill());
  }
  if (indexing_ != nullptr) {
    return indexing_->Write(bytes);
  }
  buffer_ += bytes;
  return Ok();
}

Status Receiver::CheckHeader() {
  header_checked_ = true;
  const PackHeader header = QUORATE_TRY(ParsePackHeader(buffer_));
  if (header.objects > context_.options.pack_bytes_max / kEntryBytesMin) {
    return Error(Code::kInvalidArgument, "pack declares " + std::to_string(header.objects) +
                                             " objects, which do not fit into the largest pack");
  }
  const bool in_memory = context_.format == ObjectFormat::kSha1 &&
                         header.objects <= context_.options.unpack_objects_max;
  return in_memory ? Ok() : Spill();
}

Status Receiver::Spill() {
  indexing_ =
      QUORATE_TRY(IndexPack::Start(context_, IndexPack::Checks::kStrict, on_progress_, cancelled_));
  const std::string bytes = std::exchange(buffer_, {});
  return indexing_->Write(bytes);
}

Result<std::unique_ptr<QuarantinedPack>> Receiver::Finish() {
  if (failed_) {
    return *failed_;
  }
  Result<std::unique_ptr<QuarantinedPack>> pack =
      indexing_ != nullptr ? FinishIndexed() : FinishInMemory();
  if (!pack) {
    failed_ = pack.error();
    indexing_.reset();
    buffer_ = {};
  }
  return pack;
}

Result<std::unique_ptr<QuarantinedPack>> Receiver::FinishInMemory() {
  Result<SmallPackObjects> checked = CheckSmallPack(context_, buffer_);
  if (!checked && checked.error().code() == Code::kResourceExhausted) {
    QUORATE_TRY(Spill());  // Too large when unpacked.
    return FinishIndexed();
  }
  if (!checked) {
    return checked.error();
  }
  if (checked->special_link || !context_.approved.Contains(checked->special_files)) {
    // Git reads such files, and knows what must not stand in them.
    const std::vector<SpecialFile> special = std::move(checked->special_files);
    const bool link = checked->special_link;
    QUORATE_TRY(Spill());
    Result<std::unique_ptr<QuarantinedPack>> pack = FinishIndexed();
    if (pack && !link) {
      context_.approved.Add(special);
    }
    return pack;
  }
  PackRecord record;
  record.digest = Sha256(buffer_);
  record.size = buffer_.size();
  record.objects = static_cast<std::uint32_t>(checked->objects.size());
  record.inline_bytes = std::exchange(buffer_, {});
  small_ = std::make_shared<const SmallPackObjects>(*std::move(checked));
  const std::string count = std::to_string(record.objects);
  if (on_progress_) {
    on_progress_("Unpacking objects: 100% (" + count + "/" + count + "), done.\n");
  }
  return std::unique_ptr<QuarantinedPack>(std::make_unique<SmallPack>(std::move(record), small_));
}

Result<std::unique_ptr<QuarantinedPack>> Receiver::FinishIndexed() {
  QUORATE_TRY(indexing_->Finish());
  PackRecord record = QUORATE_TRY(RecordOf(context_, indexing_->pack_path()));
  return std::unique_ptr<QuarantinedPack>(
      std::make_unique<IndexedPack>(context_, std::move(record), indexing_));
}

Result<PackReceiver::Target> Receiver::Resolve(const ObjectId& id) {
  const ResolvedTarget target = QUORATE_TRY(ResolveTarget(id, Source()));
  return Target{target.type, target.peeled};
}

// The pack, then the store.
ObjectSource Receiver::Source() const {
  constexpr std::uint64_t kTagBytesMax = 16 << 20;
  return {.find_head = [this](const ObjectId& id) -> Result<std::optional<ObjectHead>> {
            if (const UnpackedObject* object = FindSmall(id)) {
              return std::optional<ObjectHead>(ObjectHead{object->type, object->content.size()});
            }
            if (indexing_ != nullptr) {
              std::optional<ObjectHead> head = QUORATE_TRY(indexing_->reader().FindHead(id));
              if (head) {
                return head;
              }
            }
            return context_.reader.FindHead(id);
          },
          .find = [this](const ObjectId& id) -> Result<std::optional<Object>> {
            if (const UnpackedObject* object = FindSmall(id)) {
              return std::optional<Object>(Object{object->type, object->content});
            }
            if (indexing_ != nullptr) {
              std::optional<Object> found = QUORATE_TRY(indexing_->reader().Find(id, kTagBytesMax));
              if (found) {
                return found;
              }
            }
            return context_.reader.Find(id, kTagBytesMax);
          }};
}

const UnpackedObject* Receiver::FindSmall(const ObjectId& id) const {
  if (small_ == nullptr) {
    return nullptr;
  }
  const auto found =
      std::ranges::find_if(small_->objects, [&id](const UnpackedObject& o) { return o.id == id; });
  return found == small_->objects.end() ? nullptr : &*found;
}

void Receiver::OnProgress(std::function<void(std::string_view)> sink) {
  QUORATE_CHECK(received_ == 0);
  on_progress_ = std::move(sink);
}

}  // namespace quorate::git::internal
