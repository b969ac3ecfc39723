// The conflict matrix: for every pair of kinds of change, whether B may commit if A was committed
// after B's snapshot was taken; on the same target and on different ones, in every mode of the log.
//
// docs/conflicts.md shows the table and gives the reasons.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "log_modes.h"
#include "txn/testing/node.h"
#include "txn/testing/stage.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

// Rows: B, which commits second. Columns: A, which was committed meanwhile. The first letter of a
// cell is what happens here, the second what happens in Gitaly.
//   .  both commit                          r  B read what A wrote
//   v  B expects another value              g  B's repository is gone   x  exists already
//   V  F  N  X  K   Gitaly: unexpected old value, file conflict, not found, exists, key read
//   -- cannot happen                        ?  Gitaly has no such kind
constexpr std::string_view kTable = R"(
B \ A  RC  RU  NOP RD  HD  SYM VER OB  CR  DE  DC  CF  KW  KR  KP  RO
RC     vV  vV  .V  .V  ..  v?  .?  ..  --  gN  g?  ..  ..  ..  ..  ..
RU     vV  vV  .F  vV  ..  v?  .?  ..  --  gN  g?  ..  ..  ..  ..  ..
NOP    vV  vV  .F  vV  ..  v?  .?  ..  --  gN  g?  ..  ..  ..  ..  ..
RD     vV  vV  .F  vV  ..  v?  .?  ..  --  gN  g?  ..  ..  ..  ..  ..
HD     ..  ..  ..  ..  vV  .?  .?  ..  --  gN  g?  ..  ..  ..  ..  ..
SYM    v?  v?  .?  v?  .?  v?  .?  .?  --  g?  g?  .?  .?  .?  .?  .?
VER    v?  v?  .?  v?  .?  v?  .?  .?  --  g?  g?  .?  .?  .?  .?  .?
OB     ..  ..  ..  ..  ..  .?  .?  .F  --  gN  g?  ..  ..  ..  ..  ..
CR     --  --  --  --  --  --  --  --  xX  --  --  --  ..  ..  ..  ..
DE     .F  .F  .F  .F  .F  .?  .?  .F  --  gN  g?  .F  ..  ..  ..  ..
DC     .?  .?  .?  .?  .?  .?  .?  .?  --  g?  g?  .?  .?  .?  .?  .?
CF     ..  ..  ..  ..  ..  .?  .?  ..  --  gN  g?  vF  ..  ..  ..  ..
KW     ..  ..  ..  ..  ..  .?  .?  ..  ..  ..  .?  ..  v.  ..  ..  ..
KR     ..  ..  ..  ..  ..  .?  .?  ..  ..  ..  .?  ..  rK  ..  ..  ..
KP     ..  ..  ..  ..  ..  .?  .?  ..  ..  ..  .?  ..  rK  ..  ..  ..
RO     ..  ..  ..  ..  ..  .?  .?  ..  ..  ..  .?  ..  ..  ..  ..  ..
)";

// What a pair is about. `main` exists in its repositories unless a kind creates it.
struct Target {
  RepositoryId repository;
  RepositoryId replaced;  // Created or deleted.
  std::string ref;
  bool ref_exists = true;
  RepositoryId head;  // Whose HEAD.
  std::string key;
  std::string config;
  std::string pack;
};

// Who acts: A or B, who write different values.
struct Actor {
  Node& home;
  Transaction& transaction;
  char letter;
};

RefUpdate Move(const Target& target, std::optional<RefValue> after) {
  RefUpdate update{.repository = target.repository,
                   .name = target.ref,
                   .expected = {},
                   .value = std::move(after)};
  update.expected.emplace();
  if (target.ref_exists) {
    update.expected->value = ValueOf('O');
  }
  return update;
}

RefValue Symbolic(std::string name) {
  RefValue value;
  value.symref = std::move(name);
  return value;
}

Status ReadKey(Actor& actor, const Target& target) {
  return actor.transaction.FindKey(target.key) ? Ok() : Error(Code::kInternal, "cannot read");
}

Status WriteResult(Actor& actor, const Target& target) {
  return actor.transaction.StageKey("result of " + std::string(1, actor.letter) + " " + target.key,
                                    std::nullopt, "1");
}

using Kind = std::function<Status(Actor&, const Target&)>;

Status Create(Actor& actor, const Target& target) {
  return actor.transaction.StageRepositoryCreate(target.replaced, git::ObjectFormat::kSha1,
                                                 "refs/heads/main");
}

Status AddPack(Actor& actor, const Target& target) {
  auto pack = actor.home.packs.NewInline(target.pack);
  QUORATE_TRY(pack->Persist());
  return actor.transaction.StagePack(target.repository, std::move(pack));
}

Status ReadEverything(Actor& actor, const Target& target) {
  const auto any = [](const auto&) { return true; };
  QUORATE_TRY(actor.transaction.FindHead(target.repository));
  QUORATE_TRY(actor.transaction.ForEachRef(target.repository, "", any));
  QUORATE_TRY(actor.transaction.ForEachConfig(target.repository, "", any));
  return actor.transaction.ForEachKey("", [](std::string_view, std::string_view) { return true; });
}

const std::map<std::string, Kind>& Kinds() {
  static const std::map<std::string, Kind> kinds = {
      {"RC", [](Actor& a,
                const Target& t) { return a.transaction.StageRef(Move(t, ValueOf(a.letter))); }},
      {"RU", [](Actor& a,
                const Target& t) { return a.transaction.StageRef(Move(t, ValueOf(a.letter))); }},
      {"NOP",
       [](Actor& a, const Target& t) {
         return a.transaction.StageRef(
             Move(t, t.ref_exists ? std::optional(ValueOf('O')) : std::nullopt));
       }},
      {"RD",
       [](Actor& a, const Target& t) { return a.transaction.StageRef(Move(t, std::nullopt)); }},
      {"HD",
       [](Actor& a, const Target& t) {
         return a.transaction.StageHead(t.head, Symbolic(std::string("refs/heads/") + a.letter));
       }},
      {"SYM",
       [](Actor& a, const Target& t) {
         return a.transaction.StageRef(Move(t, Symbolic(std::string("refs/heads/") + a.letter)));
       }},
      {"VER",
       [](Actor& a, const Target& t) {
         return a.transaction.VerifyRef(t.repository, t.ref,
                                        t.ref_exists ? std::optional(ValueOf('O')) : std::nullopt);
       }},
      {"OB", AddPack},
      {"CR", Create},
      {"DE",
       [](Actor& a, const Target& t) { return a.transaction.StageRepositoryDelete(t.replaced); }},
      {"DC",
       [](Actor& a, const Target& t) -> Status {
         QUORATE_TRY(a.transaction.StageRepositoryDelete(t.replaced));
         return Create(a, t);
       }},
      {"CF",
       [](Actor& a, const Target& t) {
         return a.transaction.StageConfig(t.repository, t.config, std::nullopt,
                                          {std::string(1, a.letter)});
       }},
      {"KW",
       [](Actor& a, const Target& t) {
         return a.transaction.StageKey(t.key, std::nullopt, std::string(1, a.letter));
       }},
      {"KR",
       [](Actor& a, const Target& t) -> Status {
         QUORATE_TRY(ReadKey(a, t));
         return WriteResult(a, t);
       }},
      {"KP",
       [](Actor& a, const Target& t) -> Status {
         QUORATE_TRY(a.transaction.ForEachKey(
             t.key, [](std::string_view, std::string_view) { return true; }));
         return WriteResult(a, t);
       }},
      {"RO", ReadEverything},
  };
  return kinds;
}

struct Cell {
  std::string b;
  std::string a;
  char expected;
};

std::vector<Cell> Cells() {
  std::istringstream in{std::string(kTable)};
  std::string line;
  std::getline(in, line);
  std::getline(in, line);
  std::istringstream header(line.substr(6));
  const std::vector<std::string> columns{std::istream_iterator<std::string>(header), {}};
  std::vector<Cell> cells;
  while (std::getline(in, line)) {
    std::istringstream row(line);
    std::string b;
    row >> b;
    for (const std::string& a : columns) {
      std::string cell;
      row >> cell;
      cells.push_back({.b = b, .a = a, .expected = cell.at(0)});
    }
  }
  return cells;
}

char LetterOf(const Result<CommitOutcome>& outcome) {
  if (outcome) {
    return '.';
  }
  const Conflicts* conflicts = ConflictOf(outcome.error());
  if (conflicts == nullptr) {
    return '!';
  }
  switch (conflicts->all.front().kind) {
    case Conflict::Kind::kValueChanged:
      return 'v';
    case Conflict::Kind::kNameConflict:
      return 'n';
    case Conflict::Kind::kReadChanged:
      return 'r';
    case Conflict::Kind::kRepositoryGone:
      return 'g';
    case Conflict::Kind::kRepositoryExists:
      return 'x';
  }
  return '!';
}

class ConflictMatrixTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(stage_->Open());
    stage_->Run();
    home_ = &stage_->ChooseHome(false);
  }
  void TearDown() override { stage_->Stop(); }

  Transaction Begin() {
    return home_->manager()
        .Begin({.isolation = Isolation::kSerializable, .actor = "", .push_options = {}, .id = {}})
        .value();
  }
  Result<CommitOutcome> Commit(Transaction transaction) {
    std::optional<Result<CommitOutcome>> told;
    stage_->Engage(*home_);
    home_->manager().Commit(std::move(transaction), [&told](Result<CommitOutcome> outcome) {
      told.emplace(std::move(outcome));
    });
    stage_->Run();
    return *std::move(told);
  }

  // Things of this cell alone. `second`: what is not touched by whoever acts on the first.
  Target NewTarget(const Cell& cell, bool second) {
    Target target;
    const auto ends_one = [](const std::string& kind) { return kind == "DE" || kind == "DC"; };
    const bool elsewhere = second && (ends_one(cell.a) || ends_one(cell.b));
    target.repository = RepositoryId{number_ * 10 + (elsewhere ? 2 : 1)};
    const bool creates = cell.a == "CR" && cell.b == "CR";
    const bool apart = creates || cell.a == "CR" || cell.b == "CR";
    target.replaced = RepositoryId{number_ * 10 + (apart ? 5 : 1) + (second ? 1 : 0)};
    target.head = RepositoryId{number_ * 10 + (second ? 2 : 1)};
    const std::string name = std::to_string(number_) + (second ? "second" : "first");
    target.ref = "refs/heads/" + name;
    target.ref_exists = cell.a != "RC" && cell.b != "RC";
    target.key = name + "/key";
    target.config = "x" + name + ".y";
    target.pack = "pack " + name;
    return target;
  }

  void SetUpTargets(const std::vector<Target>& targets) {
    Transaction base = Begin();
    for (const std::uint64_t repository : {number_ * 10 + 1, number_ * 10 + 2}) {
      ASSERT_TRUE(base.StageRepositoryCreate(RepositoryId{repository}, git::ObjectFormat::kSha1,
                                             "refs/heads/main"));
    }
    for (const Target& target : targets) {
      ASSERT_TRUE(base.StageKey(target.key, std::nullopt, "0"));
      ASSERT_TRUE(base.StageConfig(target.repository, target.config, std::nullopt, {"0"}));
      if (target.ref_exists) {
        ASSERT_TRUE(base.StageRef({.repository = target.repository,
                                   .name = target.ref,
                                   .expected = {},
                                   .value = ValueOf('O')}));
      }
    }
    ASSERT_TRUE(Commit(std::move(base)));
  }

  // What B is told.
  char Play(const Cell& cell, bool same) {
    ++number_;
    const Target first = NewTarget(cell, false);
    const Target second = NewTarget(cell, true);
    SetUpTargets({first, second});
    Transaction a = Begin();
    Transaction b = Begin();
    Actor actor_a{.home = *home_, .transaction = a, .letter = 'A'};
    Actor actor_b{.home = *home_, .transaction = b, .letter = 'B'};
    const Status staged_a = Kinds().at(cell.a)(actor_a, first);
    const Status staged_b = Kinds().at(cell.b)(actor_b, same ? first : second);
    EXPECT_TRUE(staged_a && staged_b);
    EXPECT_TRUE(Commit(std::move(a)));
    return LetterOf(Commit(std::move(b)));
  }

  const std::unique_ptr<Stage> stage_ = Modes().at(GetParam()).make(0, WithoutTail());
  Node* home_ = nullptr;
  std::uint64_t number_ = 0;
};

TEST_P(ConflictMatrixTest, EveryCellOnTheSameTargetIsAsTheTableSays) {
  for (const Cell& cell : Cells()) {
    if (cell.expected != '-') {
      EXPECT_EQ(std::string(1, Play(cell, true)), std::string(1, cell.expected))
          << cell.b << " after " << cell.a;
    }
  }
}

TEST_P(ConflictMatrixTest, WhateverTouchesDifferentThingsCommits) {
  for (const Cell& cell : Cells()) {
    if (cell.expected != '-') {
      EXPECT_EQ(std::string(1, Play(cell, false)), ".") << cell.b << " after " << cell.a;
    }
  }
}

TEST(ConflictMatrixDocumentTest, TheDocumentShowsTheTable) {
  std::ifstream in(QUORATE_CONFLICTS_DOCUMENT);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};

  EXPECT_NE(text.find(kTable), std::string::npos);
}

std::vector<std::string> ModeNames() {
  std::vector<std::string> names;
  for (const auto& [name, mode] : Modes()) {
    names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Modes, ConflictMatrixTest, ::testing::ValuesIn(ModeNames()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace quorate::txn
