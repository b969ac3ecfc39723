// What a script stages in its transactions, and reads through them.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "txn/testing/scenario.h"
#include "txn/testing/script_words.h"
#include "txn/testing/world.h"

namespace quorate::txn {

// ref T NAME OLD->NEW [repo=N]
void Scenario::Reference(const Words& words) {
  const auto [before, after] = ParseMove(Word(words, 3));
  RefUpdate update{.repository = RepositoryOf(words),
                   .name = FullName(Word(words, 2)),
                   .expected = {},
                   .value = ParseValue(after)};
  if (before) {
    update.expected.emplace();
    update.expected->value = ParseValue(*before);
  }
  SayUnlessOk(transaction(Word(words, 1)).StageRef(std::move(update)));
}

// head T VALUE | OLD->NEW [repo=N]
void Scenario::Head(const Words& words) {
  std::string value = Word(words, 2);
  std::optional<RefValue> expected;
  if (value.find("->") != std::string::npos) {
    const auto [before, after] = ParseMove(value);
    value = after;
    expected = before ? ParseValue(*before) : std::nullopt;
  }
  SayUnlessOk(transaction(Word(words, 1))
                  .StageHead(RepositoryOf(words), ParseValue(value).value(), std::move(expected)));
}

// verify T NAME VALUE [repo=N]
void Scenario::Verify(const Words& words) {
  const std::string& name = Word(words, 2);
  SayUnlessOk(transaction(Word(words, 1))
                  .VerifyRef(RepositoryOf(words), name == "HEAD" ? name : FullName(name),
                             ParseValue(Word(words, 3))));
}

// key T KEY OLD->NEW
void Scenario::Key(const Words& words) {
  const auto [before, after] = ParseMove(Word(words, 3));
  std::optional<std::optional<std::string>> expected;
  if (before) {
    expected = KeyValue(*before);
  }
  SayUnlessOk(
      transaction(Word(words, 1)).StageKey(Word(words, 2), std::move(expected), KeyValue(after)));
}

// config T NAME OLD->NEW [repo=N]: values with commas between them.
void Scenario::Config(const Words& words) {
  const auto [before, after] = ParseMove(Word(words, 3));
  const auto values = [](const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in(text == "none" ? "" : text);
    for (std::string value; std::getline(in, value, ',');) {
      all.push_back(value);
    }
    return all;
  };
  SayUnlessOk(transaction(Word(words, 1))
                  .StageConfig(RepositoryOf(words), Word(words, 2),
                               before ? std::optional(values(*before)) : std::nullopt,
                               values(after)));
}

// find T ref NAME|HEAD | config NAME | key KEY [repo=N]: what T sees, itself included; declares the
// read.
void Scenario::Find(const Words& words) {
  Transaction& reader = transaction(Word(words, 1));
  const std::string& name = Word(words, 3);
  if (Word(words, 2) == "key") {
    const auto found = reader.FindKey(name);
    Say(found ? found->value_or("none") : Told(found.error()));
    return;
  }
  if (Word(words, 2) == "config") {
    const auto values = reader.FindConfig(RepositoryOf(words), name);
    Say(!values           ? Told(values.error())
        : values->empty() ? "none"
                          : fmt::format("{}", fmt::join(*values, ",")));
    return;
  }
  const auto found = name == "HEAD" ? reader.FindHead(RepositoryOf(words))
                                    : reader.FindRef(RepositoryOf(words), FullName(name));
  Say(found ? ValueText(*found) : Told(found.error()));
}

// each T ref|config|key [PREFIX] [repo=N] [first=N]: likewise, of all whose name begins with
// PREFIX, or of the first N.
void Scenario::Each(const Words& words) {
  Transaction& reader = transaction(Word(words, 1));
  const bool prefixed = words.size() > 3 && words[3].find('=') == std::string::npos;
  std::uint64_t left = std::stoull(Option(words, "first").value_or("1000"));
  if (Word(words, 2) == "key") {
    SayUnlessOk(reader.ForEachKey(prefixed ? words[3] : "",
                                  [&](std::string_view key, std::string_view value) {
                                    Say(fmt::format("{} = {}", key, value));
                                    return --left > 0;
                                  }));
    return;
  }
  if (Word(words, 2) == "config") {
    SayUnlessOk(reader.ForEachConfig(
        RepositoryOf(words), prefixed ? words[3] : "", [&](const git::ConfigEntry& entry) {
          Say(fmt::format("{} = {}", entry.name, fmt::join(entry.values, ",")));
          return --left > 0;
        }));
    return;
  }
  SayUnlessOk(reader.ForEachRef(RepositoryOf(words), prefixed ? FullName(words[3]) : "",
                                [&](const Ref& ref) {
                                  Say(ref.name + " " + ValueText(ref.value));
                                  return --left > 0;
                                }));
}

// pack T inline|side BYTES [repo=N]
void Scenario::Pack(const Words& words) {
  OpenTransaction& open = opened(Word(words, 1));
  packs_.Came(Word(words, 3), *open.home);
  auto pack = Word(words, 2) == "inline" ? open.home->packs.NewInline(Word(words, 3))
                                         : open.home->packs.NewSideStored(Word(words, 3));
  SayUnlessOk(pack->Persist());
  SayUnlessOk(open.transaction.StagePack(RepositoryOf(words), std::move(pack)));
}

// repo T create|delete N
void Scenario::Repository(const Words& words) {
  const RepositoryId id{std::stoull(Word(words, 3))};
  SayUnlessOk(Word(words, 2) == "create"
                  ? transaction(Word(words, 1))
                        .StageRepositoryCreate(id, git::ObjectFormat::kSha1, "refs/heads/main")
                  : transaction(Word(words, 1)).StageRepositoryDelete(id));
}

// reads T ref NAME | prefix NAME | key KEY
void Scenario::DeclareRead(const Words& words) {
  Transaction& reader = transaction(Word(words, 1));
  const std::string& what = Word(words, 2);
  if (what == "ref") {
    SayUnlessOk(reader.DeclareRefRead(
        RepositoryOf(words), Word(words, 3) == "HEAD" ? "HEAD" : FullName(Word(words, 3))));
  } else if (what == "keys") {
    SayUnlessOk(reader.DeclareKeyPrefixRead(Word(words, 3)));
  } else if (what == "prefix") {
    SayUnlessOk(reader.DeclareRefPrefixRead(RepositoryOf(words), FullName(Word(words, 3))));
  } else {
    SayUnlessOk(reader.DeclareKeyRead(Word(words, 3)));
  }
}

}  // namespace quorate::txn
