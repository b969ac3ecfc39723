#include "git/object_check.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "git/testing/git_repo.h"
#include "git/testing/pack_builder.h"

namespace quorate::git {
namespace {

constexpr ObjectFormat kSha1 = ObjectFormat::kSha1;
constexpr std::string_view kIdentity = "A <a@b> 1 +0000";

struct Case {
  std::string_view msgid;  // Empty: well-formed.
  ObjectType type;
  std::string content;
};

// Both we and `git fsck --strict` judge each case. The objects that they refer to exist.
class ObjectCheckTest : public ::testing::TestWithParam<ObjectFormat> {
 protected:
  ObjectCheckTest() : repo_(GetParam()) {
    blob_ = repo_.WriteLiterally(ObjectType::kBlob, "blob");
    tree_ = repo_.WriteLiterally(ObjectType::kTree, "");
    commit_ = repo_.WriteLiterally(ObjectType::kCommit, Commit(kIdentity));
  }

  std::string Commit(std::string_view author) const {
    return "tree " + tree_.ToHex() + "\nauthor " + std::string(author) + "\ncommitter " +
           std::string(kIdentity) + "\n\nmessage\n";
  }
  Case BadAuthor(std::string_view msgid, std::string_view author) const {
    return {msgid, ObjectType::kCommit, Commit(author)};
  }
  Case File(std::string_view msgid, std::string name) const {
    return {msgid, ObjectType::kTree, TreeContent({{"100644", std::move(name), blob_}})};
  }
  Case Tree(std::string_view msgid, const std::vector<TreeItem>& items) const {
    return {msgid, ObjectType::kTree, TreeContent(items)};
  }

  void Judge(const std::vector<Case>& cases) {
    for (const Case& item : cases) {
      SCOPED_TRACE(testing::PrintToString(item.content));
      const ObjectId id = repo_.WriteLiterally(item.type, item.content);
      const Result<CheckedObject> checked = CheckObject(id, item.type, item.content);
      EXPECT_EQ(checked.has_value(), item.msgid.empty());
      const GitOutcome judged = repo_.Run({"fsck", "--strict", "--no-dangling", "--no-progress"});
      EXPECT_EQ(judged.status == 0, item.msgid.empty()) << judged.err;
      if (!checked) {
        const std::string start = "object " + id.ToHex() + ": " + std::string(item.msgid) + ": ";
        EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
        EXPECT_EQ(checked.error().message().substr(0, start.size()), start);
        // Some are too broken for git to get as far as its own checks.
        const bool same =
            judged.err.find(": " + std::string(item.msgid) + ": ") != std::string::npos;
        const bool unparsed = judged.err.find("could not be parsed") != std::string::npos;
        EXPECT_TRUE(same || unparsed) << judged.err;
        const std::string hex = id.ToHex();
        ASSERT_EQ(
            std::remove((repo_.objects() + "/" + hex.substr(0, 2) + "/" + hex.substr(2)).c_str()),
            0);
      }
    }
  }

  GitRepo repo_;
  ObjectId blob_;
  ObjectId tree_;
  ObjectId commit_;
};

TEST_P(ObjectCheckTest, CommitsAreJudgedAsGitDoes) {
  const std::string tree = "tree " + tree_.ToHex() + "\n";
  const std::string author = "author " + std::string(kIdentity) + "\n";
  const std::string committer = "committer " + std::string(kIdentity) + "\n";
  const std::string parent = "parent " + commit_.ToHex() + "\n";
  const auto commit = [](std::string_view msgid, std::string content) {
    return Case{msgid, ObjectType::kCommit, std::move(content)};
  };
  Judge({
      commit("", tree + author + committer + "\nmessage"),
      commit("", tree + author + committer),  // No body.
      commit("", tree + parent + parent + author + committer + "gpgsig x\n y\n\n"),
      commit("", tree + author + committer + "encoding latin-1\n\n\xff\xfe"),
      commit("missingTree", author + committer + "\n"),
      commit("badTreeSha1", "tree 1234\n" + author + committer + "\n"),
      commit("badParentSha1", tree + "parent xyz\n" + author + committer + "\n"),
      commit("missingAuthor", tree + committer + "\n"),
      commit("multipleAuthors", tree + author + author + committer + "\n"),
      commit("missingCommitter", tree + author + "\n"),
      commit("unterminatedHeader", tree + author + "committer A <a@b> 1 +0000"),
      commit("nulInHeader", tree + author + std::string("commit\0ter x\n\n", 14)),
      commit("nulInCommit", tree + author + committer + std::string("\na\0b", 4)),
  });
}

TEST_P(ObjectCheckTest, IdentitiesAreJudgedAsGitDoes) {
  Judge({
      BadAuthor("", "A B C <> 0 -1234"),
      BadAuthor("", " <a@b> 1700000000 +0100"),
      BadAuthor("", "A <a@b> 9223372036854775807 +0000"),
      BadAuthor("missingNameBeforeEmail", "<a@b> 1 +0000"),
      BadAuthor("badName", "A> <a@b> 1 +0000"),
      BadAuthor("missingEmail", "A 1 +0000"),
      BadAuthor("missingSpaceBeforeEmail", "A<a@b> 1 +0000"),
      BadAuthor("badEmail", "A <a<b> 1 +0000"),
      BadAuthor("badEmail", "A <a 1 +0000"),
      BadAuthor("missingSpaceBeforeDate", "A <a@b>1 +0000"),
      BadAuthor("badDate", "A <a@b> x +0000"),
      BadAuthor("badDate", "A <a@b> 12"),
      BadAuthor("zeroPaddedDate", "A <a@b> 01 +0000"),
      BadAuthor("badDateOverflow", "A <a@b> 9223372036854775808 +0000"),
      BadAuthor("badDateOverflow", "A <a@b> 99999999999999999999 +0000"),
      BadAuthor("badTimezone", "A <a@b> 1 0000"),
      BadAuthor("badTimezone", "A <a@b> 1 +000"),
      BadAuthor("badTimezone", "A <a@b> 1 +00000"),
  });
}

TEST_P(ObjectCheckTest, TagsAreJudgedAsGitDoes) {
  const std::string object = "object " + commit_.ToHex() + "\n";
  const std::string tagger = "tagger " + std::string(kIdentity) + "\n";
  const auto tag = [](std::string_view msgid, std::string content) {
    return Case{msgid, ObjectType::kTag, std::move(content)};
  };
  Judge({
      tag("", object + "type commit\ntag v1\n" + tagger + "\nmessage\n"),
      tag("", object + "type commit\ntag v1\n\nan old one\n"),
      tag("missingObject", "type commit\ntag v1\n" + tagger + "\n"),
      tag("badObjectSha1", "object 12\ntype commit\ntag v1\n" + tagger + "\n"),
      tag("missingTypeEntry", object + "tag v1\n" + tagger + "\n"),
      tag("badType", object + "type thing\ntag v1\n" + tagger + "\n"),
      tag("missingTagEntry", object + "type commit\n" + tagger + "\n"),
      tag("badTimezone", object + "type commit\ntag v1\ntagger A <a@b> 1 x\n\n"),
      tag("unterminatedHeader", object + "type commit\ntag v1"),
  });
}

TEST_P(ObjectCheckTest, TreesAreJudgedAsGitDoes) {
  Judge({
      Tree("", {{"100644", "a", blob_}, {"100755", "b", blob_}, {"120000", "c", blob_}}),
      Tree("", {{"40000", "a", tree_}, {"160000", "b", commit_}}),
      Tree("", {{"100664", "a", blob_}}),
      Tree("", {{"100644", "a", blob_}, {"100644", "a-b", blob_}, {"40000", "a.d", tree_}}),
      Tree("", {{"100644", "a.b", blob_}, {"40000", "a", tree_}, {"100644", "a0", blob_}}),
      Tree("treeNotSorted", {{"100644", "b", blob_}, {"100644", "a", blob_}}),
      Tree("treeNotSorted", {{"40000", "a", tree_}, {"100644", "a.b", blob_}}),
      Tree("duplicateEntries", {{"100644", "a", blob_}, {"100644", "a", blob_}}),
      Tree("duplicateEntries", {{"100644", "a", blob_}, {"40000", "a", tree_}}),
      Tree("duplicateEntries",
           {{"100644", "a", blob_}, {"100644", "a-b", blob_}, {"40000", "a", tree_}}),
      Tree("duplicateEntries", {{"100644", "a", blob_},
                                {"100644", "a-b", blob_},
                                {"40000", "a-b", tree_},
                                {"100644", "a-c", blob_}}),
      Tree("zeroPaddedFilemode", {{"040000", "a", tree_}}),
      Tree("nullSha1", {{"160000", "a", ObjectId::Zero(GetParam())}}),
      {"badTree", ObjectType::kTree, "100644 a"},
      {"badTree", ObjectType::kTree, std::string("100644 a\0short", 14)},
      {"badTree", ObjectType::kTree, TreeContent({{"1x0644", "a", blob_}})},
      {"badTree", ObjectType::kTree, TreeContent({{"", "a", blob_}})},
  });
}

TEST_P(ObjectCheckTest, NamesThatAreNotToBeCheckedOutAreRefused) {
  Judge({
      File("", ".gitx"),
      File("", "git"),
      File("", ".gi"),
      File("", "a.git"),
      File("", ".git-x"),
      File("fullPathname", "a/b"),
      File("hasDot", "."),
      File("hasDotdot", ".."),
      File("hasDotgit", ".git"),
      File("hasDotgit", ".GiT"),
      File("hasDotgit", ".git. ."),
      File("hasDotgit", "git~1"),
      File("hasDotgit", "GIT~1 "),
      File("hasDotgit", ".git:stream"),
      File("hasDotgit", ".git\\x"),
      File("hasDotgit", "a\\.git"),
      File("hasDotgit", ".g\xe2\x80\x8cit"),
      File("hasDotgit", "\xef\xbb\xbf.gi\xe2\x81\xaft"),
  });
}

INSTANTIATE_TEST_SUITE_P(Formats, ObjectCheckTest,
                         ::testing::Values(ObjectFormat::kSha1, ObjectFormat::kSha256),
                         [](const auto& test) { return std::string(FormatName(test.param)); });

TEST(ObjectReferencesTest, AreDirectOnesInOrderWithoutSubmodules) {
  const ObjectId blob = IdOf(kSha1, ObjectType::kBlob, "x");
  const ObjectId tree = IdOf(kSha1, ObjectType::kTree, "");
  const ObjectId parent = IdOf(kSha1, ObjectType::kCommit, "not looked at");
  const auto references = [](ObjectType type, const std::string& content) {
    std::string all;
    const ObjectId id = IdOf(kSha1, type, content);
    const CheckedObject checked = CheckObject(id, type, content).value();
    for (const Reference& reference : checked.references) {
      all += std::string(TypeName(reference.type)) + " " + reference.id.ToHex().substr(0, 4) + "\n";
    }
    return all;
  };

  EXPECT_EQ(references(ObjectType::kBlob, "anything"), "");
  EXPECT_EQ(references(ObjectType::kCommit, CommitContent({.tree = tree, .parents = {parent}})),
            "tree " + tree.ToHex().substr(0, 4) + "\ncommit " + parent.ToHex().substr(0, 4) + "\n");
  EXPECT_EQ(references(ObjectType::kTree, TreeContent({{"100644", "a", blob},
                                                       {"160000", "b", parent},
                                                       {"40000", "c", tree},
                                                       {"120000", "d", blob}})),
            "blob " + blob.ToHex().substr(0, 4) + "\ntree " + tree.ToHex().substr(0, 4) +
                "\nblob " + blob.ToHex().substr(0, 4) + "\n");
  EXPECT_EQ(references(ObjectType::kTag, TagContent({.target = blob, .type = ObjectType::kBlob})),
            "blob " + blob.ToHex().substr(0, 4) + "\n");
}

TEST(ObjectReferencesTest, FilesWithAMeaningToGitAreNamed) {
  const ObjectId blob = IdOf(kSha1, ObjectType::kBlob, "x");
  const auto special = [&blob](const char* mode, const char* name) {
    const std::string content = TreeContent({{mode, name, blob}});
    return CheckObject(IdOf(kSha1, ObjectType::kTree, content), ObjectType::kTree, content).value();
  };
  for (const char* name :
       {".gitmodules", ".GITMODULES", ".gitattributes", "GITMOD~1", "gi7eba~1", "gi7d29~1",
        ".gitmodules . ", "x\\.gitmodules", ".git\xe2\x80\x8dmodules", "~1000000"}) {
    EXPECT_EQ(special("100644", name).special_files, std::vector<ObjectId>{blob}) << name;
    EXPECT_FALSE(special("100644", name).special_link) << name;
  }
  EXPECT_TRUE(special("120000", ".gitmodules").special_link);
  EXPECT_TRUE(special("100644", "README~").special_files.empty());
  EXPECT_TRUE(special("100644", "config.cc").special_files.empty());
  EXPECT_TRUE(special("100644", ".gitignore").special_files.empty());
}

}  // namespace
}  // namespace quorate::git
