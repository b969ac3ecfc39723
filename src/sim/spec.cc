#include "sim/spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace quorate::sim {
namespace {

std::string Shown(const Value& value) {
  return value.value_or("none");
}

std::string Move(const std::optional<Value>& expected, const Value& value) {
  return (expected ? Shown(*expected) : "?") + "->" + Shown(value);
}

std::string_view NameOf(ConsumerWrite::What what) {
  switch (what) {
    case ConsumerWrite::What::kCreate:
      return "created";
    case ConsumerWrite::What::kAcknowledge:
      return "acknowledges";
    case ConsumerWrite::What::kRemove:
      return "removed";
  }
  return {};
}

}  // namespace

std::string RefKey(RepositoryId repository, std::string_view name) {
  return fmt::format("ref {} {}", repository.value, name);
}
std::string HeadKey(RepositoryId repository) {
  return fmt::format("head {}", repository.value);
}
std::string RepositoryKey(RepositoryId repository) {
  return fmt::format("repo {}", repository.value);
}
std::string ConfigKey(RepositoryId repository, std::string_view name) {
  return fmt::format("config {} {}", repository.value, name);
}
std::string ConsumerKey(RepositoryId repository, std::string_view name) {
  return fmt::format("consumer {} {}", repository.value, name);
}
std::string UserKey(std::string_view key) {
  return fmt::format("key {}", key);
}

// The name itself, filled up: so a trace and a dump show it.
git::ObjectId ObjectOf(std::string_view name) {
  std::string raw(name);
  raw.resize(20, '.');
  return *git::ObjectId::FromRaw(git::ObjectFormat::kSha1, raw);
}

txn::RefValue RefValueOf(const std::string& text) {
  txn::RefValue value;
  if (text.starts_with('@')) {
    value.symref = text.substr(1);
  } else {
    value.id = ObjectOf(text);
  }
  return value;
}

std::string TextOf(const txn::RefValue& value) {
  if (!value.symref.empty()) {
    return "@" + value.symref;
  }
  const std::string_view raw = value.id.raw();
  return std::string(raw.substr(0, raw.find('.')));
}

std::string TextOf(const std::optional<txn::RefValue>& value) {
  return value ? TextOf(*value) : "none";
}

std::vector<std::string> ConfigValuesOf(const Value& text) {
  std::vector<std::string> values;
  for (std::string_view rest = text ? std::string_view(*text) : ""; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    values.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return values;
}

Value TextOf(const std::vector<std::string>& config_values) {
  return config_values.empty() ? Value() : fmt::format("{}", fmt::join(config_values, "|"));
}

std::string TextOf(const txn::Consumer& consumer) {
  return fmt::format("{} {} {} {}", consumer.acknowledged.value, consumer.created.value,
                     consumer.lost_first.value, consumer.lost_last.value);
}

std::string Read::Key() const {
  switch (kind) {
    case Kind::kRef:
    case Kind::kRefs:
      return RefKey(repository, name);
    case Kind::kHead:
      return HeadKey(repository);
    case Kind::kConfig:
    case Kind::kConfigs:
      return ConfigKey(repository, name);
    case Kind::kKey:
    case Kind::kKeys:
      return UserKey(name);
  }
  return {};
}

std::string Read::ToString() const {
  return Key() + (is_range() ? "*" : "");
}

std::string Assertion::Key() const {
  return name == "HEAD" ? HeadKey(repository) : RefKey(repository, name);
}

std::string Spec::ToString() const {
  std::string text = serializable ? "serializable" : "snapshot";
  text += atomic ? "" : ", partial";
  for (const Read& read : reads) {
    text += (reads_itself ? "; finds " : "; reads ") + read.ToString();
  }
  for (const RepositoryWrite& write : repositories) {
    text += "; ";
    text += write.erase ? (write.create ? "replaces " : "deletes ") : "creates ";
    text += RepositoryKey(write.repository);
  }
  for (const RefWrite& write : refs) {
    text += "; " + RefKey(write.repository, write.name) + " " + Move(write.expected, write.value);
  }
  for (const HeadWrite& write : heads) {
    text +=
        "; " + HeadKey(write.repository) + " " + write.expected.value_or("?") + "->" + write.value;
  }
  for (const ConfigWrite& write : configs) {
    text +=
        "; " + ConfigKey(write.repository, write.name) + " " + Move(write.expected, write.value);
  }
  for (const KeyWrite& write : keys) {
    text += "; " + UserKey(write.key) + " " + Move(write.expected, write.value);
  }
  for (const ConsumerWrite& write : consumers) {
    text += fmt::format("; {} {}", ConsumerKey(write.repository, write.name), NameOf(write.what));
    if (write.what == ConsumerWrite::What::kAcknowledge) {
      text += fmt::format(" {}", write.acknowledged.value);
    }
  }
  for (const Assertion& assertion : assertions) {
    text += "; asserts " + assertion.Key() + " is " + Shown(assertion.expected);
  }
  for (const PackWrite& pack : packs) {
    text += "; pack " + pack.Bytes() + (pack.beside_the_log ? " beside the log" : "");
  }
  return text;
}

bool Spec::MayWrite(std::string_view key) const {
  const auto any = [key](const auto& writes, auto key_of) {
    return std::ranges::any_of(writes, [&](const auto& write) { return key_of(write) == key; });
  };
  return any(repositories, [](const auto& w) { return RepositoryKey(w.repository); }) ||
         any(repositories, [](const auto& w) { return HeadKey(w.repository); }) ||
         any(refs, [](const auto& w) { return RefKey(w.repository, w.name); }) ||
         any(heads, [](const auto& w) { return HeadKey(w.repository); }) ||
         any(configs, [](const auto& w) { return ConfigKey(w.repository, w.name); }) ||
         any(keys, [](const auto& w) { return UserKey(w.key); }) ||
         any(consumers, [](const auto& w) { return ConsumerKey(w.repository, w.name); });
}

std::optional<Value> Spec::ExpectationOf(std::string_view key) const {
  std::optional<Value> expected;
  const auto look = [&](const auto& writes, auto key_of) {
    for (const auto& write : writes) {
      if (!expected && key_of(write) == key && write.expected) {
        expected = Value(*write.expected);
      }
    }
  };
  for (const Assertion& assertion : assertions) {
    if (assertion.Key() == key) {
      expected = assertion.expected;
    }
  }
  look(refs, [](const auto& w) { return RefKey(w.repository, w.name); });
  look(heads, [](const auto& w) { return HeadKey(w.repository); });
  look(configs, [](const auto& w) { return ConfigKey(w.repository, w.name); });
  look(keys, [](const auto& w) { return UserKey(w.key); });
  return expected;
}

bool Spec::Creates(RepositoryId repository) const {
  return std::ranges::any_of(repositories, [repository](const RepositoryWrite& write) {
    return write.repository == repository && write.create;
  });
}

}  // namespace quorate::sim
