// Makes the objects of committed packs readable: loose files, or a pack in its place.
#pragma once

#include <memory>

#include "git/internal/store_context.h"
#include "git/pack_installer.h"

namespace quorate::git::internal {

// As PackInstaller::Install().
Status InstallPack(StoreContext& context, const PackRecord& record, const QuarantinedPack* local);

}  // namespace quorate::git::internal
