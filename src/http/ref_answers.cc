#include "http/internal/ref_answers.h"

#include <functional>
#include <optional>
#include <utility>

#include "git/advertisement.h"
#include "git/view.h"

namespace quorate::http {
namespace {

// The value of a reference as Git shows it: symbolic ones followed, up to Git's own depth.
Result<git::AdvertisedRef> Resolve(const RepositoryView& view, std::string_view name,
                                   const txn::RefValue& value) {
  constexpr int kSymrefDepthMax = 5;
  git::AdvertisedRef ref{.name = name,
                         .id = git::ObjectId::Zero(view.info.format),
                         .peeled = std::nullopt,
                         .symref_target = value.symref};
  txn::RefValue at = value;
  for (int depth = 0; !at.symref.empty(); ++depth) {
    if (depth == kSymrefDepthMax) {
      return ref;  // As good as dangling.
    }
    auto next = QUORATE_TRY(view.snapshot.FindRef(view.info.id, at.symref));
    if (!next.has_value()) {
      return ref;
    }
    at = std::move(*next);
  }
  ref.id = at.id;
  ref.peeled = at.peeled;
  return ref;
}

// Feeds every reference that begins with `prefix` to `add`.
Status AddRefs(const RepositoryView& view, std::string_view prefix,
               const std::function<Status(const git::AdvertisedRef&)>& add) {
  Status added = Ok();
  const Status walked = view.snapshot.ForEachRef(view.info.id, prefix, [&](const txn::Ref& ref) {
    Result<git::AdvertisedRef> resolved = Resolve(view, ref.name, ref.value);
    added = resolved ? add(*resolved) : Status(std::move(resolved).error());
    return added.has_value();
  });
  QUORATE_TRY(Status(walked));
  return added;
}

// An earlier repository of the same partition and number has the same keys, and lower LSNs.
std::string CacheKey(const cluster::Repository& repository, std::string_view kind) {
  return std::to_string(repository.partition().value) + "/" +
         std::to_string(repository.id().value) + "/" + std::string(kind);
}

RefCache::Version VersionOf(const RepositoryView& view) {
  return {.changed = view.info.ref_version, .read_at = view.snapshot.lsn()};
}

std::string AdvertisementKey(const cluster::Repository& repository, git::Service service,
                             git::ProtocolVersion version) {
  const std::string kind =
      std::string(git::ServiceName(service)) + " " + std::string(git::ProtocolVersionKey(version));
  return CacheKey(repository, kind);
}

std::string LsRefsKey(const cluster::Repository& repository, const git::LsRefsRequest& request) {
  std::string kind = "ls-refs ";
  kind += request.peel ? 'p' : '-';
  kind += request.symrefs ? 's' : '-';
  kind += request.unborn ? 'u' : '-';
  for (const std::string& prefix : request.prefixes) {
    kind += std::to_string(prefix.size()) + ":";  // A prefix may hold any byte.
    kind += prefix;
  }
  return CacheKey(repository, kind);
}

RefCache::Answer FindKnown(const Services& services, cluster::Repository& repository,
                           const std::string& key) {
  const std::optional<Lsn> current = repository.transactions().CurrentLsn();
  return current ? services.refs.FindCurrent(key, *current) : nullptr;
}

git::AdvertisementOptions OptionsOf(git::ObjectFormat format, git::Service service,
                                    git::ProtocolVersion version) {
  git::AdvertisementOptions options;
  options.service = service;
  options.version = version;
  options.format = format;
  options.agent = std::string(kAgent);
  return options;
}

}  // namespace

Result<RefCache::Answer> RenderAdvertisement(const Services& services,
                                             const cluster::Repository& repository,
                                             const RepositoryView& view, git::Service service,
                                             git::ProtocolVersion version) {
  const auto render = [&]() -> Result<std::string> {
    git::AdvertisementOptions options = OptionsOf(view.info.format, service, version);
    const git::AdvertisedRef head = QUORATE_TRY(Resolve(view, "HEAD", view.info.head));
    if (!head.id.IsZero()) {
      options.head_symref_target = view.info.head.symref;
    }
    std::string text;
    git::AdvertisementWriter writer(options, text);
    if (service == git::Service::kUploadPack) {
      writer.Add(head);
    }
    QUORATE_TRY(AddRefs(view, "", [&writer](const git::AdvertisedRef& ref) {
      writer.Add(ref);
      return Ok();
    }));
    writer.Finish();
    return text;
  };
  return services.refs.GetOrRender(AdvertisementKey(repository, service, version), VersionOf(view),
                                   render);
}

std::string RenderEmptyAdvertisement(git::ObjectFormat format, git::ProtocolVersion version) {
  std::string text;
  git::AdvertisementWriter writer(OptionsOf(format, git::Service::kReceivePack, version), text);
  writer.Finish();
  return text;
}

Result<RefCache::Answer> RenderLsRefs(const Services& services,
                                      const cluster::Repository& repository,
                                      const RepositoryView& view,
                                      const git::LsRefsRequest& request) {
  const auto render = [&]() -> Result<std::string> {
    std::string text;
    git::LsRefsWriter writer(request, text);
    const git::AdvertisedRef head = QUORATE_TRY(Resolve(view, "HEAD", view.info.head));
    writer.Add(head);
    for (const std::string& prefix : git::MergedPrefixes(request)) {
      QUORATE_TRY(AddRefs(view, prefix, [&writer](const git::AdvertisedRef& ref) {
        writer.Add(ref);
        return Ok();
      }));
    }
    writer.Finish();
    return text;
  };
  return services.refs.GetOrRender(LsRefsKey(repository, request), VersionOf(view), render);
}

RefCache::Answer FindAdvertisement(const Services& services, cluster::Repository& repository,
                                   git::Service service, git::ProtocolVersion version) {
  return FindKnown(services, repository, AdvertisementKey(repository, service, version));
}

RefCache::Answer FindLsRefs(const Services& services, cluster::Repository& repository,
                            const git::LsRefsRequest& request) {
  return FindKnown(services, repository, LsRefsKey(repository, request));
}

Result<std::shared_ptr<const ViewCache::View>> RenderView(const Services& services,
                                                          cluster::Repository& repository,
                                                          const RepositoryView& view) {
  const auto render = [&](const std::string& path) -> Status {
    const git::AdvertisedRef head = QUORATE_TRY(Resolve(view, "HEAD", view.info.head));
    git::ViewOptions options{.path = path,
                             .objects_directory = repository.objects().objects_directory(),
                             .format = view.info.format,
                             .head_symref_target = view.info.head.symref,
                             .head_id = head.id};
    QUORATE_TRY(
        view.snapshot.ForEachConfig(view.info.id, "", [&options](const git::ConfigEntry& entry) {
          options.config.push_back(entry);
          return true;
        }));
    auto writer = QUORATE_TRY(git::ViewWriter::Create(services.deps.files, std::move(options)));
    QUORATE_TRY(
        AddRefs(view, "", [&writer](const git::AdvertisedRef& ref) { return writer->Add(ref); }));
    return writer->Finish();
  };
  return services.views.Get({repository.partition(), repository.id(), view.info.ref_version},
                            render);
}

}  // namespace quorate::http
