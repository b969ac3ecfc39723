#include "git/repository_config.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::git {
namespace {

std::string Canonical(std::string_view name) {
  return CanonicalConfigName(name).value_or("(none)");
}

TEST(RepositoryConfigTest, ANameHasOneSpelling) {
  EXPECT_EQ(Canonical("core.compression"), "core.compression");
  EXPECT_EQ(Canonical("Core.bigFileThreshold"), "core.bigfilethreshold");
  EXPECT_EQ(Canonical("Branch.Main.Merge"), "branch.Main.merge");
  EXPECT_EQ(Canonical("url.https://a.b/C.insteadOf"), "url.https://a.b/C.insteadof");
  EXPECT_EQ(Canonical("a..b"), "a..b");  // An empty subsection.
}

TEST(RepositoryConfigTest, WhatIsNotANameIsRefused) {
  for (const std::string& name :
       {std::string(), std::string("core"), std::string(".a"), std::string("core."),
        std::string("co re.a"), std::string("core.a b"), std::string("core.1a"),
        std::string("core.a\nb.c"), std::string("core.a\0b.c", 10), std::string("core]\n[a.b"),
        "core." + std::string(kConfigNameBytesMax, 'a')}) {
    EXPECT_EQ(Canonical(name), "(none)") << name;
  }
}

TEST(RepositoryConfigTest, HarmlessNamesAreRenderedWithValuesOfTheirType) {
  EXPECT_EQ(RenderConfigEntries({{"core.compression", {"9"}},
                                 {"pack.windowmemory", {"64m"}},
                                 {"uploadpackfilter.allow", {"false", "true"}},
                                 {"uploadpackfilter.tree.maxdepth", {"3"}}}),
            "[core]\n\tcompression = 9\n"
            "[pack]\n\twindowmemory = 64m\n"
            "[uploadpackfilter]\n\tallow = false\n"
            "[uploadpackfilter]\n\tallow = true\n"
            "[uploadpackfilter \"tree\"]\n\tmaxdepth = 3\n");
}

TEST(RepositoryConfigTest, NothingThatRunsAProgramOrOpensAPathIsRendered) {
  for (const char* name : {"core.sshcommand",
                           "uploadpack.packobjectshook",
                           "core.fsmonitor",
                           "include.path",
                           "includeif.gitdir:/.path",
                           "alias.upload-pack",
                           "alias.pack-objects",
                           "core.hookspath",
                           "core.gitproxy",
                           "core.pager",
                           "core.editor",
                           "core.askpass",
                           "core.attributesfile",
                           "core.excludesfile",
                           "core.worktree",
                           "core.alternaterefscommand",
                           "core.alternaterefsprefixes",
                           "credential.helper",
                           "diff.external",
                           "diff.x.command",
                           "diff.x.textconv",
                           "filter.x.clean",
                           "filter.x.smudge",
                           "filter.x.process",
                           "extensions.partialclone",
                           "extensions.objectformat",
                           "extensions.worktreeconfig",
                           "remote.origin.url",
                           "remote.origin.uploadpack",
                           "remote.origin.promisor",
                           "url.ext::sh.insteadof",
                           "protocol.ext.allow",
                           "gpg.program",
                           "trace2.normaltarget",
                           "trace2.eventtarget",
                           "uploadpack.hiderefs",
                           "transfer.hiderefs",
                           "safe.directory",
                           "core.bare",
                           "core.repositoryformatversion",
                           "uploadpack.allowanysha1inwant",
                           "uploadpackfilter.sparse:oid.allow",
                           "pager.upload-pack",
                           "gc.recentobjectshook"}) {
    for (const char* value : {"true", "1", "/bin/sh", ""}) {
      EXPECT_FALSE(MayBeRendered(name, value)) << name;
      EXPECT_EQ(RenderConfigEntries({{name, {value}}}), "") << name;
    }
  }
}

TEST(RepositoryConfigTest, NoValueBreaksOutOfItsLine) {
  for (const char* value :
       {"9\n[core]\n\tsshCommand = /bin/sh", "9\n", "9 # ", "true\n", "\"true\"", "9\\\n", "-2",
        "--1", "9mm", "m", "", "12345678901", "yes ", "TRUE; touch /tmp/x"}) {
    for (const char* name : {"core.compression", "uploadpackfilter.allow"}) {
      EXPECT_FALSE(MayBeRendered(name, value)) << name << " = " << value;
    }
  }
}

}  // namespace
}  // namespace quorate::git
