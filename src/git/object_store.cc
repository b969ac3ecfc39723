#include "git/object_store.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "git/internal/install.h"
#include "git/internal/quarantined.h"
#include "git/internal/receiver.h"
#include "git/internal/store_context.h"

namespace quorate::git {
namespace {

// A repository for our own children: they insist on one. It has no references and no objects.
Status WriteGitDirectory(internal::StoreContext& context) {
  env::FileSystem& files = context.files;
  QUORATE_TRY(files.CreateDirectories(context.git_dir() + "/refs"));
  QUORATE_TRY(files.WriteFile(context.git_dir() + "/HEAD", "ref: refs/heads/none\n"));
  const bool sha256 = context.format == ObjectFormat::kSha256;
  // What must be durable we sync ourselves, once.
  return files.WriteFile(context.git_dir() + "/config",
                         std::string("[core]\n\tbare = true\n\trepositoryformatversion = ") +
                             (sha256 ? "1" : "0") +
                             "\n\tfsync = none\n[pack]\n\twriteReverseIndex = false\n" +
                             (sha256 ? "[extensions]\n\tobjectFormat = sha256\n" : ""));
}

Status PrepareDirectories(internal::StoreContext& context) {
  env::FileSystem& files = context.files;
  QUORATE_TRY(files.RemoveAll(context.incoming()));
  QUORATE_TRY(files.CreateDirectories(context.incoming()));
  QUORATE_TRY(files.CreateDirectories(context.staged()));
  QUORATE_TRY(files.CreateDirectories(context.packs()));
  QUORATE_TRY(files.CreateDirectories(context.objects() + "/info"));
  return WriteGitDirectory(context);
}

}  // namespace

class ObjectStore::Impl : public internal::StoreContext {
 public:
  using StoreContext::StoreContext;
};

ObjectStore::ObjectStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}
ObjectStore::~ObjectStore() = default;

Result<std::unique_ptr<ObjectStore>> ObjectStore::Open(std::string root, ObjectFormat format,
                                                       env::FileSystem& files,
                                                       env::ChildLauncher& children,
                                                       env::Random& random,
                                                       ObjectStoreOptions options) {
  auto impl = std::make_unique<Impl>(std::move(root), format, files, children, random, options);
  Status prepared = PrepareDirectories(*impl);
  if (!prepared) {
    return std::move(prepared).error().Wrap("open object store " + impl->root);
  }
  return std::unique_ptr<ObjectStore>(new ObjectStore(std::move(impl)));
}

ObjectFormat ObjectStore::format() const {
  return impl_->format;
}

std::string ObjectStore::objects_directory() const {
  return impl_->objects();
}

std::unique_ptr<PackReceiver> ObjectStore::NewReceiver(std::stop_token cancelled) {
  return std::make_unique<internal::Receiver>(*impl_, std::move(cancelled));
}

Result<bool> ObjectStore::Contains(const ObjectId& id) {
  return QUORATE_TRY(impl_->reader.FindHead(id)).has_value();
}

Result<std::optional<Object>> ObjectStore::Find(const ObjectId& id, std::uint64_t size_max) {
  return impl_->reader.Find(id, size_max);
}

Result<Object> ObjectStore::Read(const ObjectId& id) {
  std::optional<Object> object = QUORATE_TRY(Find(id, std::numeric_limits<std::uint64_t>::max()));
  if (!object) {
    return Error(Code::kNotFound, "object " + id.ToHex() + " does not exist");
  }
  return *std::move(object);
}

Result<PackReceiver::Target> ObjectStore::Resolve(const ObjectId& id) {
  const internal::ObjectSource source{
      .find_head = [this](const ObjectId& at) { return impl_->reader.FindHead(at); },
      .find =
          [this](const ObjectId& at) {
            return impl_->reader.Find(at, std::numeric_limits<std::uint64_t>::max());
          }};
  const internal::ResolvedTarget target = QUORATE_TRY(internal::ResolveTarget(id, source));
  return PackReceiver::Target{target.type, target.peeled};
}

Status ObjectStore::Install(const PackRecord& record, std::unique_ptr<QuarantinedPack> local) {
  QUORATE_TRY(internal::InstallPack(*impl_, record, local.get()));
  if (auto* indexed = dynamic_cast<internal::IndexedPack*>(local.get()); indexed != nullptr) {
    indexed->OnInstalled();
  }
  impl_->staged_packs.Forget(record.digest);
  return Ok();
}

Status ObjectStore::DropStagedExcept(const std::vector<Sha256Digest>& named) {
  std::set<std::string> keep;
  for (const Sha256Digest& digest : named) {
    keep.insert(digest.ToHex());
  }
  for (const std::string& name : QUORATE_TRY(impl_->files.List(impl_->staged()))) {
    const std::string hex = name.substr(0, name.find('.'));
    const std::optional<std::string> raw = HexDecode(hex);
    Sha256Digest digest;
    if (raw && raw->size() == digest.bytes.size()) {
      std::ranges::copy(*raw, digest.bytes.begin());
      if (keep.contains(hex)) {
        impl_->staged_packs.Keep(digest);
      } else {
        impl_->staged_packs.Forget(digest);
      }
      if (impl_->staged_packs.IsNeeded(digest)) {
        continue;
      }
    }
    QUORATE_TRY(impl_->files.RemoveAll(impl_->staged() + "/" + name));
  }
  return Ok();
}

}  // namespace quorate::git
