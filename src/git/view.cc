#include "git/view.h"

#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::git {

namespace {

constexpr std::size_t kPendingBytesMax = 1 << 20;

constexpr std::string_view kPackedRefsHeader = "# pack-refs with: peeled fully-peeled sorted \n";

// Any object may be asked for by its id: a client that saw an older or newer version of the
// references on another node (or in an earlier request) must be able to go on.
constexpr std::string_view kConfigBody =
    "\tbare = true\n"
    "\tlogAllRefUpdates = false\n"
    "\thooksPath = /dev/null\n"
    "[uploadpack]\n"
    "\tallowFilter = true\n"
    "\tallowAnySHA1InWant = true\n"
    "\tallowRefInWant = true\n"
    "[transfer]\n"
    "\tadvertiseObjectInfo = true\n"
    "[gc]\n"
    "\tauto = 0\n"
    "[maintenance]\n"
    "\tauto = false\n"
    "[receive]\n"
    "\tautogc = false\n";

// The repository's own comes first, so that nothing in it can overrule what is fixed.
std::string RenderConfig(ObjectFormat format, const std::vector<ConfigEntry>& entries) {
  std::string config = RenderConfigEntries(entries);
  config += "[core]\n\trepositoryFormatVersion = ";
  config += format == ObjectFormat::kSha1 ? "0\n" : "1\n";
  config += kConfigBody;
  if (format != ObjectFormat::kSha1) {
    config.append("[extensions]\n\tobjectFormat = ").append(FormatName(format)).append("\n");
  }
  return config;
}

bool IsPlainPath(std::string_view path) {
  return path.starts_with('/') && path.find('\n') == std::string_view::npos &&
         path.find('\0') == std::string_view::npos;
}

// Git takes a directory for a repository only if HEAD reads like this.
Result<std::string> RenderHead(const ViewOptions& options) {
  if (options.head_symref_target.empty()) {
    if (options.head_id.IsZero() || options.head_id.format() != options.format) {
      return Error(Code::kInvalidArgument, "HEAD of a view is neither symbolic nor an object");
    }
    return options.head_id.ToHex() + "\n";
  }
  if (!options.head_symref_target.starts_with("refs/") ||
      options.head_symref_target.find('\n') != std::string::npos) {
    return Error(Code::kInvalidArgument,
                 "HEAD of a view points at '" + Printable(options.head_symref_target) + "'");
  }
  return "ref: " + options.head_symref_target + "\n";
}

}  // namespace

Result<std::unique_ptr<ViewWriter>> ViewWriter::Create(env::FileSystem& files,
                                                       ViewOptions options) {
  if (!IsPlainPath(options.path) || !IsPlainPath(options.objects_directory)) {
    return Error(Code::kInvalidArgument, "a view's paths must be absolute, without newlines");
  }
  std::unique_ptr<ViewWriter> writer(new ViewWriter(files, std::move(options)));
  QUORATE_TRY(writer->Begin());
  return writer;
}

ViewWriter::ViewWriter(env::FileSystem& files, ViewOptions options)
    : files_(files), options_(std::move(options)), temporary_(options_.path + ".tmp") {
}

ViewWriter::~ViewWriter() {
  if (!finished_) {
    packed_refs_.reset();
    // What cannot be removed now is wiped with all views at the next start.
    const Status removed = files_.RemoveAll(temporary_);
    static_cast<void>(removed);
  }
}

Status ViewWriter::Begin() {
  const std::string head = QUORATE_TRY(RenderHead(options_));
  QUORATE_TRY(files_.RemoveAll(temporary_));
  QUORATE_TRY(files_.CreateDirectories(temporary_ + "/refs"));
  QUORATE_TRY(files_.CreateDirectories(temporary_ + "/objects/info"));
  QUORATE_TRY(files_.WriteFile(temporary_ + "/HEAD", head));
  QUORATE_TRY(
      files_.WriteFile(temporary_ + "/config", RenderConfig(options_.format, options_.config)));
  QUORATE_TRY(
      files_.WriteFile(temporary_ + "/objects/info/alternates", options_.objects_directory + "\n"));
  packed_refs_ = QUORATE_TRY(files_.NewFile(temporary_ + "/packed-refs"));
  pending_ = kPackedRefsHeader;
  return Ok();
}

Status ViewWriter::Add(const AdvertisedRef& ref) {
  QUORATE_CHECK(!finished_);
  QUORATE_CHECK(last_name_ < ref.name);  // packed-refs says "sorted", and Git searches it so.
  last_name_ = ref.name;
  if (!ref.symref_target.empty()) {
    return AddSymref(ref);
  }
  AppendHex(pending_, ref.id);
  pending_.push_back(' ');
  pending_.append(ref.name);
  pending_.push_back('\n');
  if (ref.peeled) {
    pending_.push_back('^');
    AppendHex(pending_, *ref.peeled);
    pending_.push_back('\n');
  }
  return pending_.size() < kPendingBytesMax ? Ok() : FlushPackedRefs();
}

// packed-refs knows no symbolic references; they are few and become files.
Status ViewWriter::AddSymref(const AdvertisedRef& ref) {
  const std::string path = temporary_ + "/" + std::string(ref.name);
  QUORATE_TRY(files_.CreateDirectories(path.substr(0, path.rfind('/'))));
  return files_.WriteFile(path, "ref: " + std::string(ref.symref_target) + "\n");
}

Status ViewWriter::FlushPackedRefs() {
  Status written = packed_refs_->Append(pending_);
  pending_.clear();
  return written;
}

Status ViewWriter::Finish() {
  QUORATE_CHECK(!finished_);
  QUORATE_TRY(FlushPackedRefs());
  QUORATE_TRY(packed_refs_->Close());
  QUORATE_TRY(files_.Rename(temporary_, options_.path));
  finished_ = true;
  return Ok();
}

CommandLine UploadPackCommand(const UploadPackOptions& options) {
  CommandLine command;
  command.argv = {"git", "-c", "safe.directory=*", "-c",
                  "pack.threads=" + std::to_string(options.pack_threads)};
  if (!options.pack_objects_hook.empty()) {
    // Git takes this one from the command line only, not from the view's config.
    command.argv.insert(command.argv.end(),
                        {"-c", "uploadpack.packObjectsHook=" + options.pack_objects_hook});
  }
  command.argv.insert(command.argv.end(), {"upload-pack", "--strict"});
  if (options.stateless) {
    command.argv.emplace_back("--stateless-rpc");
  }
  if (options.advertise) {
    command.argv.emplace_back("--advertise-refs");
  }
  command.argv.push_back(options.view);

  command.environment = {
      "PATH=" + options.path_variable,
      "HOME=/nonexistent",
      "XDG_CONFIG_HOME=/nonexistent",
      "LC_ALL=C",
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=/dev/null",
      "GIT_ATTR_NOSYSTEM=1",
      "GIT_TERMINAL_PROMPT=0",
      "GIT_OPTIONAL_LOCKS=0",
      "GIT_NO_LAZY_FETCH=1",
      // Straight to the objects, instead of through the view's alternates: one directory less to
      // look into for every object.
      "GIT_OBJECT_DIRECTORY=" + options.objects_directory,
      "GIT_PROTOCOL=" + std::string(ProtocolVersionKey(options.version)),
  };
  command.environment.insert(command.environment.end(), options.extra_environment.begin(),
                             options.extra_environment.end());
  return command;
}

}  // namespace quorate::git
