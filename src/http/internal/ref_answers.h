// Renders what clients are told about references: info/refs in every version, and v2's ls-refs; and
// the view that `git upload-pack` reads. All from one snapshot, all through the caches.
//
// Render...() block (they read the snapshot). Any thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "git/fetch_request.h"
#include "git/protocol.h"
#include "http/internal/services.h"

namespace quorate::http {

// A v0 or v1 advertisement.
Result<RefCache::Answer> RenderAdvertisement(const Services& services,
                                             const cluster::Repository& repository,
                                             const RepositoryView& view, git::Service service,
                                             git::ProtocolVersion version);

// What a receive-pack client is told of a repository that its push will create.
std::string RenderEmptyAdvertisement(git::ObjectFormat format, git::ProtocolVersion version);

Result<RefCache::Answer> RenderLsRefs(const Services& services,
                                      const cluster::Repository& repository,
                                      const RepositoryView& view,
                                      const git::LsRefsRequest& request);

// The same answers from memory, at once, if they are known to be current; else null. Do not block.
RefCache::Answer FindAdvertisement(const Services& services, cluster::Repository& repository,
                                   git::Service service, git::ProtocolVersion version);
RefCache::Answer FindLsRefs(const Services& services, cluster::Repository& repository,
                            const git::LsRefsRequest& request);

Result<std::shared_ptr<const ViewCache::View>> RenderView(const Services& services,
                                                          cluster::Repository& repository,
                                                          const RepositoryView& view);

}  // namespace quorate::http
