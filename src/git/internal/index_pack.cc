#include "git/internal/index_pack.h"

#include <utility>
#include <vector>

#include "base/bytes.h"
#include "git/internal/pack_format.h"

namespace quorate::git::internal {
namespace {

constexpr std::size_t kErrorBytesMax = 4096;
constexpr std::size_t kMessageBytesMax = 300;

// Unique among the quarantines of one directory, and not to be guessed.
std::string RandomName(env::Random& random) {
  std::string raw;
  AppendBigEndian64(raw, random.Next());
  AppendBigEndian64(raw, random.Next());
  return HexEncode(raw);
}

Error TrailingBytes() {
  return {Code::kInvalidArgument, "bad pack: there are bytes after its last object"};
}

bool IsError(std::string_view line) {
  return line.starts_with("fatal: ") || line.starts_with("error: ");
}

// Of several lines the last says what ended it; the first errors say why.
std::string Shorten(std::string_view errors) {
  std::string message;
  while (!errors.empty()) {
    const std::size_t end = errors.find('\n');
    std::string_view line = errors.substr(0, end);
    errors.remove_prefix(end == std::string_view::npos ? errors.size() : end + 1);
    if (IsError(line)) {
      line.remove_prefix(7);
    }
    if (message.size() + line.size() < kMessageBytesMax && !line.empty()) {
      message += (message.empty() ? "" : "; ") + std::string(line);
    }
  }
  return message;
}

}  // namespace

IndexPack::IndexPack(StoreContext& context, std::string directory, OnProgress on_progress)
    : context_(context),
      directory_(std::move(directory)),
      on_progress_(std::move(on_progress)),
      no_loose_(objects(), directory_, context.files) {
}

IndexPack::~IndexPack() {
  EndChild();
  // What cannot be removed now is when the store is next opened.
  static_cast<void>(context_.files.RemoveAll(directory_));
}

Result<std::unique_ptr<IndexPack>> IndexPack::Start(StoreContext& context, Checks checks,
                                                    OnProgress on_progress,
                                                    std::stop_token cancelled) {
  std::unique_ptr<IndexPack> self(new IndexPack(
      context, context.incoming() + "/" + RandomName(context.random), std::move(on_progress)));
  QUORATE_TRY(context.files.CreateDirectories(self->objects() + "/pack"));
  std::vector<std::string> arguments = {"index-pack", "--stdin", "--fix-thin"};
  if (checks == Checks::kStrict) {
    arguments.insert(
        arguments.end(),
        {"-v", "--strict", "--max-input-size=" + std::to_string(context.options.pack_bytes_max)});
  }
  GitPlace place = self->Place();
  place.alternates = {context.objects()};
  if (checks == Checks::kStrict) {
    place.allocation_max = context.options.object_bytes_max;
  }
  self->child_ = QUORATE_TRY(context.children.Launch(GitChild(place, std::move(arguments))));
  self->child_->OnStderr([raw = self.get()](std::string_view said) { raw->TakeIn(said); });
  self->cancelled_ = std::move(cancelled);
  self->kill_.emplace(self->cancelled_, [child = self->child_.get()] { child->Kill(); });
  return self;
}

void IndexPack::EndChild() {
  kill_.reset();  // Waits for one that is being done.
  child_.reset();
}

GitPlace IndexPack::Place() const {
  return {context_.git_dir(), objects(), {}, 0};
}

Status IndexPack::Write(std::string_view bytes) {
  Status written = child_->Write(bytes);
  if (!written && written.error().code() == Code::kUnavailable) {
    // It gave up; its end says why. If it has read all it wants, there is more than a pack.
    QUORATE_TRY(Finish());
    return TrailingBytes();
  }
  if (head_.size() < kPackHeaderSize) {
    head_ += bytes.substr(0, kPackHeaderSize - head_.size());
  }
  written_ += bytes.size();
  return written;
}

Status IndexPack::Finish() {
  child_->CloseStdin();
  std::string answer;
  while (true) {
    const std::string bytes = QUORATE_TRY(child_->ReadStdout(4096));
    if (bytes.empty()) {
      break;
    }
    answer += bytes.substr(0, kMessageBytesMax);
  }
  const int status = QUORATE_TRY(child_->Wait());
  QUORATE_TRY(child_->ReadStderr(0));
  TakeIn("\n");
  EndChild();
  if (status != 0) {
    return Failure(status);
  }
  // "pack\t<hex>\n", and then what it read beyond the end of the pack.
  const std::size_t tab = answer.find('\t');
  const std::size_t end = tab + 1 + HexSize(context_.format);
  if (tab == std::string::npos || answer.size() <= end) {
    return Error(Code::kInternal, "git index-pack said: " + Printable(answer));
  }
  base_ = objects() + "/pack/pack-" + answer.substr(tab + 1, HexSize(context_.format));
  QUORATE_TRY(CheckEnd(std::string_view(answer).substr(end + 1)));
  reader_ = std::make_unique<ObjectReader>(no_loose_, NewPackedObjects(context_, Place()));
  return Ok();
}

// It does not mind bytes after the pack; we do. Some may have stayed in the pipe: then a pack to
// which it added no bases is smaller than what we wrote.
Status IndexPack::CheckEnd(std::string_view beyond) const {
  const std::string head = QUORATE_TRY(context_.files.ReadRange(pack_path(), 0, kPackHeaderSize));
  const std::uint64_t size = QUORATE_TRY(context_.files.FileSize(pack_path()));
  if (!beyond.empty() || (head == head_ && size != written_)) {
    return TrailingBytes();
  }
  return Ok();
}

// Progress lines end with CR or LF and have a percentage or a count; the rest are errors.
void IndexPack::TakeIn(std::string_view said) {
  for (const char c : said) {
    line_ += c;
    if (c != '\n' && c != '\r') {
      continue;
    }
    const bool is_progress = line_.find(" objects: ") != std::string::npos ||
                             line_.find(" deltas: ") != std::string::npos ||
                             line_.find("Checking") != std::string::npos;
    if (!is_progress && line_.size() > 1 && errors_.size() + line_.size() < kErrorBytesMax) {
      errors_ += line_;
    }
    if (is_progress && on_progress_) {
      on_progress_(line_);
    }
    line_.clear();
  }
  if (line_.size() > kErrorBytesMax) {
    line_.clear();
  }
}

Error IndexPack::Failure(int status) const {
  if (cancelled_.stop_requested()) {
    return {Code::kCancelled, "the push was given up"};
  }
  std::string message = Shorten(errors_);
  if (message.find("No space left on device") != std::string::npos ||
      message.find("Disk quota exceeded") != std::string::npos) {
    return {Code::kResourceExhausted, "the disk is full"};
  }
  if (message.find("attempting to allocate") != std::string::npos ||
      message.find("exceeding the allowed") != std::string::npos) {
    return {
        Code::kInvalidArgument,
        "an object is larger than " + std::to_string(context_.options.object_bytes_max) + " bytes"};
  }
  if (status > 128) {
    return {Code::kResourceExhausted,
            "git index-pack was ended by signal " + std::to_string(status - 128)};
  }
  return {
      Code::kInvalidArgument,
      message.empty() ? "git index-pack failed with status " + std::to_string(status) : message};
}

}  // namespace quorate::git::internal
