#include "git/small_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "git/object_check.h"
#include "git/pack_reader.h"
#include "git/pkt_line.h"
#include "git/testing/git_repo.h"
#include "git/testing/pack_builder.h"

namespace quorate::git {
namespace {

constexpr ObjectFormat kFormat = ObjectFormat::kSha1;
const ObjectId kUnknown = *ObjectId::FromHex(kFormat, std::string(40, '7'));

// What a directory holds: files' contents by path, "file" or "directory/file".
using Files = std::map<std::string, std::string>;

// Objects in memory: as a store, and as a pack for git to judge by.
class Objects {
 public:
  ObjectId Add(ObjectType type, const std::string& content) {
    const ObjectId id = IdOf(kFormat, type, content);
    if (objects_.emplace(id, Object{type, content}).second) {
      builder_.Add(type, content);
    }
    return id;
  }
  ObjectId Tree(const Files& files) {
    std::map<std::string, Files> directories;
    std::vector<TreeItem> items;
    for (const auto& [path, content] : files) {
      const std::size_t slash = path.find('/');
      if (slash != std::string::npos) {
        directories[path.substr(0, slash)][path.substr(slash + 1)] = content;
      } else if (content == "submodule") {
        items.push_back({"160000", path, kUnknown});
      } else {
        items.push_back({"100644", path, Add(ObjectType::kBlob, content)});
      }
    }
    for (const auto& [name, below] : directories) {
      items.push_back({"40000", name, Tree(below)});
    }
    std::ranges::sort(items, {}, &TreeItem::name);
    return Add(ObjectType::kTree, TreeContent(items));
  }
  ObjectId Commit(const Files& files, const std::vector<ObjectId>& parents, int date) {
    return Add(ObjectType::kCommit,
               CommitContent({.tree = Tree(files),
                              .parents = parents,
                              .message = "commit " + std::to_string(commits_++) + "\n",
                              .identity = "A <a@example.com> " + std::to_string(date) + " +0000"}));
  }
  ObjectId Tag(const ObjectId& target, ObjectType type, const std::string& name) {
    return Add(ObjectType::kTag, TagContent({.target = target, .type = type, .name = name}));
  }

  const Object& At(const ObjectId& id) const { return objects_.at(id); }
  std::string Pack() const { return builder_.Finish(); }

  // How often an object was looked up, by who this returns.
  int look_ups = 0;
  FindObject Finder() {
    return [this](const ObjectId& id, std::uint64_t size_max) -> Result<std::optional<Object>> {
      look_ups += 1;
      const auto at = objects_.find(id);
      if (at == objects_.end()) {
        return std::optional<Object>();
      }
      if (at->second.content.size() > size_max) {
        return Error(Code::kResourceExhausted, "too large");
      }
      return std::optional<Object>(at->second);
    };
  }

  // These and everything behind them.
  std::set<ObjectId> Closure(std::vector<ObjectId> open) const {
    std::set<ObjectId> closure;
    while (!open.empty()) {
      const ObjectId id = open.back();
      open.pop_back();
      const auto at = objects_.find(id);
      if (at == objects_.end() || !closure.insert(id).second) {
        continue;
      }
      const CheckedObject checked = CheckObject(id, at->second.type, at->second.content).value();
      for (const Reference& reference : checked.references) {
        open.push_back(reference.id);
      }
    }
    return closure;
  }
  std::set<ObjectId> CommitsOf(const std::set<ObjectId>& ids) const {
    std::set<ObjectId> commits;
    for (const ObjectId& id : ids) {
      if (At(id).type == ObjectType::kCommit) {
        commits.insert(id);
      }
    }
    return commits;
  }

 private:
  std::map<ObjectId, Object> objects_;
  PackBuilder builder_;
  int commits_ = 0;
};

std::set<ObjectId> Without(const std::set<ObjectId>& all, const std::set<ObjectId>& some) {
  std::set<ObjectId> rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
  return rest;
}

// An answer: what comes before the pack, and the objects in it.
struct Answer {
  std::string head;  // Its packets up to "packfile", or all.
  std::set<ObjectId> sent;
};

Answer Parse(std::string_view body, const FindObject& find = nullptr) {
  Answer answer;
  std::string pack;
  bool in_pack = false;
  while (!body.empty()) {
    const std::string_view before = body;
    const Packet packet = *TakePacket(body).value();
    if (in_pack && packet.kind == Packet::Kind::kData) {
      pack += packet.payload.front() == '\1' ? packet.payload.substr(1) : "";
    } else {
      answer.head += before.substr(0, before.size() - body.size());
    }
    in_pack = in_pack || packet.payload == "packfile\n";
  }
  if (in_pack) {
    const FindBase find_base = [&find](const ObjectId& id, std::size_t size_max) -> Result<Object> {
      return *find(id, size_max).value();
    };
    const PackReadLimits limits{.objects_max = 100'000, .memory_bytes_max = 64 << 20};
    const auto objects = ReadPack(kFormat, pack, limits, find_base);
    for (const UnpackedObject& object : objects.value()) {
      answer.sent.insert(object.id);
    }
  }
  return answer;
}

class SmallFetchTest : public testing::Test {
 protected:
  Result<std::string> Fetch(const FetchArguments& arguments) {
    const ListTags list_tags = [this]() -> Result<std::vector<AnnotatedTag>> { return tags_; };
    return AnswerSmallFetch(kFormat, arguments, objects_.Finder(), list_tags, limits_);
  }
  // What is sent to who wants and has these, and says that it is done.
  std::set<ObjectId> Sent(std::vector<ObjectId> wants, std::vector<ObjectId> haves) {
    return Parse(
               Fetch({.wants = std::move(wants), .haves = std::move(haves), .done = true}).value())
        .sent;
  }
  std::string Refusal(const FetchArguments& arguments) {
    const Result<std::string> answer = Fetch(arguments);
    return answer ? "answered" : std::string(CodeName(answer.error().code()));
  }

  Objects objects_;
  std::vector<AnnotatedTag> tags_;
  SmallFetchLimits limits_{
      .objects_max = 100'000, .clone_objects_max = 100'000, .bytes_max = 64 << 20};
};

using testing::UnorderedElementsAre;

TEST_F(SmallFetchTest, OneNewCommitBringsWhatChangedAndReadsNothingBesides) {
  const Files old{{"a/b", "1"}, {"c/d", "2"}, {"e", "3"}, {"module", "submodule"}};
  Files changed = old;
  changed["a/b"] = "4";
  const ObjectId before = objects_.Commit(old, {}, 1);
  const ObjectId after = objects_.Commit(changed, {before}, 2);

  const std::set<ObjectId> sent = Sent({after}, {before});

  EXPECT_THAT(sent, UnorderedElementsAre(after, objects_.Tree(changed), objects_.Tree({{"b", "4"}}),
                                         objects_.Add(ObjectType::kBlob, "4")));
  EXPECT_EQ(objects_.look_ups, 2 + 4 + 1);  // Commits, trees now and before, the file.
}

TEST_F(SmallFetchTest, NothingIsSentToWhoHasItAll) {
  const ObjectId before = objects_.Commit({{"a", "1"}}, {}, 1);
  const ObjectId after = objects_.Commit({{"a", "2"}}, {before}, 2);

  EXPECT_THAT(Sent({after}, {after}), UnorderedElementsAre());
  EXPECT_THAT(Sent({before}, {after}), UnorderedElementsAre());
}

TEST_F(SmallFetchTest, ACommitWithTheSameFilesIsAlone) {
  const ObjectId before = objects_.Commit({{"a/b", "1"}}, {}, 1);
  const ObjectId after = objects_.Commit({{"a/b", "1"}}, {before}, 2);

  EXPECT_THAT(Sent({after}, {before}), UnorderedElementsAre(after));
}

TEST_F(SmallFetchTest, AWantedTagIsSentWithItsChainAndWhatIsMissingBehind) {
  const ObjectId before = objects_.Commit({{"a", "1"}}, {}, 1);
  const ObjectId after = objects_.Commit({}, {before}, 2);
  const ObjectId inner = objects_.Tag(after, ObjectType::kCommit, "inner");
  const ObjectId outer = objects_.Tag(inner, ObjectType::kTag, "outer");

  EXPECT_THAT(Sent({outer}, {after}), UnorderedElementsAre(outer, inner));
  EXPECT_THAT(Sent({outer}, {before}),
              UnorderedElementsAre(outer, inner, after, objects_.Tree({})));
}

TEST_F(SmallFetchTest, TagsOfWhatIsSentComeAlongIfTheyAreAskedFor) {
  const ObjectId before = objects_.Commit({}, {}, 1);
  const ObjectId after = objects_.Commit({}, {before}, 2);
  const ObjectId inner = objects_.Tag(after, ObjectType::kCommit, "inner");
  const ObjectId outer = objects_.Tag(inner, ObjectType::kTag, "outer");
  const ObjectId old = objects_.Tag(before, ObjectType::kCommit, "old");
  tags_ = {{old, before}, {outer, after}};
  FetchArguments arguments{.wants = {after}, .haves = {before}, .done = true};

  EXPECT_THAT(Parse(Fetch(arguments).value()).sent, UnorderedElementsAre(after));
  arguments.include_tag = true;
  EXPECT_THAT(Parse(Fetch(arguments).value()).sent, UnorderedElementsAre(after, inner, outer));
}

TEST_F(SmallFetchTest, AParentThatClaimsToBeNewerIsNotReliedOn) {
  // The file comes with a commit that is dated after its children.
  const ObjectId base = objects_.Commit({}, {}, 5);
  const ObjectId late = objects_.Commit({{"a", "1"}}, {base}, 900);
  const ObjectId next = objects_.Commit({{"a", "1"}, {"b", "2"}}, {late}, 7);
  const ObjectId last = objects_.Commit({{"a", "1"}, {"b", "2"}, {"c", "3"}}, {next}, 800);

  const std::set<ObjectId> lacking = Without(objects_.Closure({last}), objects_.Closure({base}));
  EXPECT_EQ(Without(lacking, Sent({last}, {base})), std::set<ObjectId>());
}

TEST_F(SmallFetchTest, WhatIsNeitherACommitNorATagOfOneIsForGit) {
  const ObjectId blob = objects_.Add(ObjectType::kBlob, "x");
  const ObjectId commit = objects_.Commit({}, {}, 1);

  EXPECT_EQ(Refusal({.wants = {blob}, .done = true}), "invalid_argument");
  EXPECT_EQ(Refusal({.wants = {objects_.Tag(blob, ObjectType::kBlob, "t")}, .done = true}),
            "invalid_argument");
  EXPECT_EQ(Refusal({.wants = {commit}, .haves = {blob}, .done = true}), "invalid_argument");
  EXPECT_EQ(Refusal({.wants = {}, .done = true}), "invalid_argument");
  EXPECT_EQ(Refusal({.wants = {kUnknown}, .done = true}), "not_found");
}

TEST_F(SmallFetchTest, GivingUpCostsNoMoreThanTheLimits) {
  std::vector<ObjectId> commits{objects_.Commit({}, {}, 1)};
  for (int i = 0; i < 100; ++i) {
    commits.push_back(objects_.Commit({{"a", std::to_string(i)}}, {commits.back()}, i));
  }
  limits_ = {.objects_max = 50, .clone_objects_max = 10, .bytes_max = 1 << 20};

  EXPECT_EQ(Refusal({.wants = {commits[100]}, .haves = {commits[1]}}), "resource_exhausted");
  EXPECT_EQ(std::exchange(objects_.look_ups, 0), 50);
  EXPECT_EQ(Refusal({.wants = {commits[100]}, .haves = {kUnknown}, .done = true}),
            "resource_exhausted");
  EXPECT_EQ(std::exchange(objects_.look_ups, 0), 2 + 10);
  EXPECT_EQ(Refusal({.wants = {commits[100]}, .haves = {commits[90]}, .done = true}), "answered");
  limits_.bytes_max = 1000;
  EXPECT_EQ(Refusal({.wants = {commits[100]}, .haves = {commits[90]}, .done = true}),
            "resource_exhausted");
}

TEST_F(SmallFetchTest, ProgressIsToldUnlessItIsNotWanted) {
  FetchArguments arguments{.wants = {objects_.Commit({}, {}, 1)}, .done = true};

  EXPECT_THAT(Fetch(arguments).value(), testing::HasSubstr("\2Enumerating objects: 2, done.\n"));
  arguments.no_progress = true;
  EXPECT_THAT(Fetch(arguments).value(), testing::Not(testing::HasSubstr("Enumerating")));
}

// A random history of commits that change some files of their first parent's, and of merges that
// take each file from either.
struct History {
  struct Shape {
    bool merges = true;
    bool deletes = true;
    bool skewed = false;  // Dates are arbitrary; else some are equal, but none runs back.
  };

  History(Objects& objects, std::mt19937& random, Shape shape, std::size_t count) {
    const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const auto new_content = [&] { return "content " + std::to_string(unique++) + "\n"; };
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::size_t> parents;
      Files changed;
      if (i > 0) {
        parents.push_back(i - 1 - below(std::min<std::size_t>(i, 4)));
        changed = files[parents[0]];
      }
      if (shape.merges && i > 1 && below(3) == 0) {
        const std::size_t other = i - 1 - below(std::min<std::size_t>(i, 8));
        if (other != parents[0]) {
          parents.push_back(other);
        }
      }
      if (parents.size() == 2) {
        for (const auto& [path, content] : files[parents[1]]) {
          if (below(2) == 0 || !changed.contains(path)) {
            changed[path] = content;
          }
        }
      }
      for (std::size_t changes = below(4); changes > 0; --changes) {
        const std::string path = std::string(below(4) == 0   ? ""
                                             : below(2) == 0 ? "x/"
                                                             : "y/") +
                                 "file" + std::to_string(below(5));
        if (shape.deletes && below(4) == 0) {
          changed.erase(path);
        } else {
          changed[path] = below(10) == 0 && path.front() == 'f' ? "submodule" : new_content();
        }
      }
      std::vector<ObjectId> parent_ids;
      for (const std::size_t parent : parents) {
        parent_ids.push_back(commits[parent]);
      }
      const int date = 1000 + static_cast<int>(shape.skewed ? below(50) : i / 3);
      commits.push_back(objects.Commit(changed, parent_ids, date));
      files.push_back(std::move(changed));
    }
  }

  std::vector<ObjectId> Some(std::mt19937& random, std::size_t count) const {
    std::vector<ObjectId> some;
    for (std::size_t i = 0; i < count; ++i) {
      some.push_back(commits[random() % commits.size()]);
    }
    return some;
  }

  int unique = 0;
  std::vector<ObjectId> commits;
  std::vector<Files> files;
};

class RandomHistoryTest : public testing::TestWithParam<unsigned> {
 protected:
  std::mt19937 random_{GetParam()};
  Objects objects_;

  std::set<ObjectId> Sent(const std::vector<ObjectId>& wants, const std::vector<ObjectId>& haves) {
    const SmallFetchLimits limits{100'000, 100'000, 64 << 20};
    return Parse(AnswerSmallFetch(kFormat, {.wants = wants, .haves = haves, .done = true},
                                  objects_.Finder(), nullptr, limits)
                     .value())
        .sent;
  }
};

TEST_P(RandomHistoryTest, NothingThatAClientLacksIsLeftOut) {
  const History history(objects_, random_, {.skewed = GetParam() % 2 == 1}, 40);
  for (int i = 0; i < 8; ++i) {
    const std::vector<ObjectId> wants = history.Some(random_, 1 + random_() % 3);
    const std::vector<ObjectId> haves = history.Some(random_, random_() % 4);
    const std::set<ObjectId> all = objects_.Closure(wants);
    const std::set<ObjectId> lacking = Without(all, objects_.Closure(haves));

    const std::set<ObjectId> sent = Sent(wants, haves);

    EXPECT_EQ(Without(lacking, sent), std::set<ObjectId>());
    EXPECT_EQ(Without(sent, all), std::set<ObjectId>());
  }
}

TEST_P(RandomHistoryTest, WithoutSkewNoCommitIsSentInVain) {
  const History history(objects_, random_, {}, 40);
  for (int i = 0; i < 8; ++i) {
    const std::vector<ObjectId> wants = history.Some(random_, 1 + random_() % 3);
    const std::vector<ObjectId> haves = history.Some(random_, 1 + random_() % 3);

    EXPECT_EQ(objects_.CommitsOf(Sent(wants, haves)),
              objects_.CommitsOf(Without(objects_.Closure(wants), objects_.Closure(haves))));
  }
}

TEST_P(RandomHistoryTest, WhereFilesAreNeverTheSameAgainNothingIsSentInVain) {
  const History history(objects_, random_, {.merges = false, .deletes = false}, 40);
  for (int i = 0; i < 8; ++i) {
    const std::vector<ObjectId> wants = history.Some(random_, 1);
    const std::vector<ObjectId> haves = history.Some(random_, 2);

    EXPECT_EQ(Sent(wants, haves), Without(objects_.Closure(wants), objects_.Closure(haves)));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistoryTest, testing::Range(1U, 13U));

// The same requests, answered by git.
class SmallFetchJudgedByGitTest : public testing::TestWithParam<unsigned> {
 protected:
  std::string Git(const FetchArguments& arguments) {
    std::string body;
    AppendPacket(body, "command=fetch");
    AppendPacket(body, "object-format=sha1");
    AppendDelimiter(body);
    for (const ObjectId& id : arguments.wants) {
      AppendPacket(body, "want " + id.ToHex());
    }
    for (const ObjectId& id : arguments.haves) {
      AppendPacket(body, "have " + id.ToHex());
    }
    AppendPacket(body, "no-progress");
    if (arguments.done) {
      AppendPacket(body, "done");
    }
    AppendFlush(body);
    return repo_.Output(
        {"-c", "uploadpack.allowAnySHA1InWant=true", "-c",
         "alias.serve=!GIT_PROTOCOL=version=2 git upload-pack --stateless-rpc .", "serve"},
        body);
  }

  std::mt19937 random_{GetParam()};
  Objects objects_;
  GitRepo repo_;
};

TEST_P(SmallFetchJudgedByGitTest, NegotiationIsTheSameByteByByteAndNoCommitIsMissing) {
  const History history(objects_, random_, {.skewed = GetParam() % 2 == 1}, 40);
  const ObjectId tag = objects_.Tag(history.commits[20], ObjectType::kCommit, "v1");
  repo_.Output({"index-pack", "--stdin", "--strict"}, objects_.Pack());
  const FindObject find = objects_.Finder();
  for (int i = 0; i < 12; ++i) {
    FetchArguments arguments{.no_progress = true};
    arguments.wants = history.Some(random_, 1 + random_() % 2);
    if (random_() % 3 == 0) {
      arguments.wants.push_back(tag);
    }
    arguments.haves = history.Some(random_, random_() % 4);
    if (random_() % 3 == 0) {
      arguments.haves.insert(arguments.haves.begin(), kUnknown);
    }
    arguments.done = random_() % 4 == 0;

    const std::string ours =
        AnswerSmallFetch(kFormat, arguments, find, nullptr, {100'000, 100'000, 64 << 20}).value();
    const std::string theirs = Git(arguments);

    const Answer answer = Parse(ours);
    const Answer judge = Parse(theirs, find);
    EXPECT_EQ(answer.head, judge.head);
    if (GetParam() % 2 == 0) {  // Without skew.
      EXPECT_EQ(objects_.CommitsOf(answer.sent), objects_.CommitsOf(judge.sent));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SmallFetchJudgedByGitTest, testing::Range(1U, 5U));

}  // namespace
}  // namespace quorate::git
