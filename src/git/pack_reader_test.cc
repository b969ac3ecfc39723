#include "git/pack_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/prng.h"
#include "git/internal/delta.h"
#include "git/internal/pack_format.h"
#include "git/internal/zlib.h"
#include "git/testing/git_repo.h"
#include "git/testing/pack_builder.h"

namespace quorate::git {
namespace {

using Objects = std::vector<UnpackedObject>;

// Objects outside the pack.
class Outside {
 public:
  explicit Outside(ObjectFormat format) : format_(format) {}

  void Add(ObjectType type, const std::string& content) {
    objects_.insert_or_assign(IdOf(format_, type, content), Object{type, content});
  }
  FindBase finder() {
    return [this](const ObjectId& id, std::size_t size_max) -> Result<Object> {
      const auto found = objects_.find(id);
      if (found == objects_.end()) {
        return Error(Code::kNotFound, "no such object");
      }
      if (found->second.content.size() > size_max) {
        return Error(Code::kResourceExhausted, "base is too large");
      }
      return found->second;
    };
  }

 private:
  const ObjectFormat format_;
  std::map<ObjectId, Object> objects_;
};

class PackReaderTest : public ::testing::TestWithParam<ObjectFormat> {
 protected:
  Result<Objects> Read(std::string_view pack) {
    return ReadPack(GetParam(), pack, limits_, outside_.finder());
  }
  std::string Refusal(std::string_view pack) {
    const Result<Objects> objects = Read(pack);
    return objects
               ? "none"
               : std::string(CodeName(objects.error().code())) + ": " + objects.error().message();
  }
  std::string Sealed(std::uint32_t count, std::string_view entries) {
    return SealPack(GetParam(), count, entries);
  }
  ObjectId Blob(std::string_view content) { return IdOf(GetParam(), ObjectType::kBlob, content); }
  std::string ReferenceDeltaEntry(const ObjectId& base, std::string_view delta) {
    return EntryHead(internal::kReferenceDelta, delta.size()) + std::string(base.raw()) +
           internal::Deflate(delta, 1);
  }

  PackReadLimits limits_;
  Outside outside_{GetParam()};
};

std::string Contents(const Objects& objects) {
  std::string all;
  for (const UnpackedObject& object : objects) {
    all += object.content + "|";
  }
  return all;
}

bool Same(const Objects& a, const Objects& b) {
  return std::ranges::equal(a, b, [](const UnpackedObject& x, const UnpackedObject& y) {
    return x.id == y.id && x.type == y.type && x.content == y.content;
  });
}

TEST_P(PackReaderTest, WholeObjectsComeInOrder) {
  const SmallPush push = MakeSmallPush(GetParam(), "hello\n");
  const Objects objects = Read(push.pack).value();
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0].id, push.blob);
  EXPECT_EQ(objects[0].content, "hello\n");
  EXPECT_EQ(objects[1].id, push.tree);
  EXPECT_EQ(objects[2].id, push.commit);
  EXPECT_EQ(objects[2].type, ObjectType::kCommit);
}

TEST_P(PackReaderTest, EmptyPackIsSound) {
  EXPECT_TRUE(Read(Sealed(0, "")).value().empty());
}

TEST_P(PackReaderTest, DeltasOfBothKindsInAnyOrderAreResolved) {
  PackBuilder builder(GetParam());
  // The first needs the second, which needs the last.
  builder.ReferenceDelta(ObjectType::kBlob, "base text, second", "base text, third");
  builder.ReferenceDelta(ObjectType::kBlob, "base text", "base text, second");
  const ObjectId base = builder.Blob("base text");
  const ObjectId fourth = builder.OffsetDelta(base, "a base text");
  builder.OffsetDelta(fourth, "not a base text");

  EXPECT_EQ(Contents(Read(builder.Finish()).value()),
            "base text, third|base text, second|base text|a base text|not a base text|");
}

TEST_P(PackReaderTest, DeepChainsAreResolved) {
  limits_.objects_max = 5000;
  PackBuilder builder(GetParam());
  ObjectId last = builder.Blob("0");
  for (int i = 1; i < 5000; ++i) {
    last = builder.OffsetDelta(last, std::to_string(i));
  }
  const Objects objects = Read(builder.Finish()).value();
  EXPECT_EQ(objects.back().content, "4999");
  EXPECT_EQ(objects.back().id, last);
}

TEST_P(PackReaderTest, ThinPackTakesItsBasesFromOutside) {
  outside_.Add(ObjectType::kBlob, "outside");
  PackBuilder builder(GetParam());
  builder.ReferenceDelta(ObjectType::kBlob, "outside", "outside, changed");
  builder.ReferenceDelta(ObjectType::kBlob, "outside, changed", "outside, changed twice");
  EXPECT_EQ(Contents(Read(builder.Finish()).value()), "outside, changed|outside, changed twice|");
}

TEST_P(PackReaderTest, BaseThatOnlyAThinDeltaMakesIsFound) {
  outside_.Add(ObjectType::kBlob, "outside");
  // Whichever of the two bases is looked up first, both get resolved.
  for (const char* middle : {"outside 1", "outside 2", "outside 3", "outside 4"}) {
    PackBuilder builder(GetParam());
    builder.ReferenceDelta(ObjectType::kBlob, middle, std::string(middle) + "+");
    builder.ReferenceDelta(ObjectType::kBlob, "outside", middle);
    EXPECT_EQ(Contents(Read(builder.Finish()).value()), std::string(middle) + "+|" + middle + "|");
  }
}

TEST_P(PackReaderTest, PacksOfGitAreReadAsGitReadsThem) {
  GitRepo repo(GetParam());
  std::string names;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "line " + std::to_string(i * i) + " of a text that is worth a delta\n";
    names += repo.WriteLiterally(ObjectType::kBlob, text).ToHex() + "\n";
  }
  for (const char* option : {"--delta-base-offset", "--no-reuse-delta"}) {
    const GitOutcome packed =
        repo.Run({"pack-objects", "--stdout", "-q", "--depth=40", "--window=40", option}, names);
    ASSERT_EQ(packed.status, 0);
    ASSERT_LT(packed.out.size(), text.size() * 3);  // Deltas, not whole objects.

    const Objects objects = Read(packed.out).value();

    ASSERT_EQ(objects.size(), 40U);
    for (const UnpackedObject& object : objects) {
      EXPECT_NE(names.find(object.id.ToHex()), std::string::npos);
    }
  }
}

TEST_P(PackReaderTest, EveryCutIsRefused) {
  const std::string pack = MakeSmallPush(GetParam(), "hello\n").pack;
  for (std::size_t size = 0; size < pack.size(); ++size) {
    EXPECT_FALSE(Read(pack.substr(0, size))) << size;
  }
}

// A flipped bit is refused, with or without a checksum that matches, unless it means the same.
TEST_P(PackReaderTest, EveryFlippedBitIsRefusedOrHarmless) {
  outside_.Add(ObjectType::kBlob, "outside");
  PackBuilder builder(GetParam());
  const ObjectId base = builder.Blob("some base text");
  builder.OffsetDelta(base, "some other base text");
  builder.ReferenceDelta(ObjectType::kBlob, "outside", "outside in");
  const std::string pack = builder.Finish();
  const Objects sound = Read(pack).value();
  for (std::size_t at = 0; at < pack.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = pack;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const Result<Objects> objects = Read(flipped);
      // Nothing that the checksum covers may change.
      EXPECT_FALSE(objects.has_value()) << at << " bit " << bit;
      if (at < 12 || at >= pack.size() - RawSize(GetParam())) {
        continue;
      }
      const Result<Objects> sealed = Read(Sealed(
          3, std::string_view(flipped).substr(12, flipped.size() - 12 - RawSize(GetParam()))));
      // With a checksum made for it, it is another pack: its objects have other names, or are the
      // same. Never a name with a wrong content.
      for (const UnpackedObject& object : sealed ? *sealed : Objects{}) {
        EXPECT_EQ(object.id, IdOf(GetParam(), object.type, object.content));
      }
    }
  }
  EXPECT_TRUE(Same(Read(pack).value(), sound));
}

TEST_P(PackReaderTest, DamageIsNamed) {
  const std::string blob = WholeEntry(ObjectType::kBlob, "x");
  const std::string pack = Sealed(1, blob);
  const std::string bad = "invalid_argument: bad pack: ";
  EXPECT_EQ(Refusal(""), bad + "it is cut off");
  EXPECT_EQ(Refusal("JACK" + pack.substr(4)), bad + "it does not begin as a pack does");
  EXPECT_EQ(Refusal(std::string("PACK\0\0\0\4", 8) + pack.substr(8)), bad + "version 4 is unknown");
  EXPECT_EQ(Refusal(pack + "x"), bad + "there are bytes after its last object");
  EXPECT_EQ(Refusal(Sealed(1, blob + "x")), bad + "there are bytes after its last object");
  EXPECT_EQ(Refusal(Sealed(2, blob)),
            bad + "object at offset " + std::to_string(12 + blob.size()) + ": it is cut off");
  std::string wrong = pack;
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  EXPECT_EQ(Refusal(wrong), bad + "its checksum does not match");
  EXPECT_EQ(Refusal(Sealed(2, blob + blob)),
            bad + "the object " + Blob("x").ToHex() + " appears twice");
  EXPECT_EQ(Refusal(Sealed(1, EntryHead(5, 1) + internal::Deflate("x", 1))),
            bad + "object at offset 12: unknown type 5");
  EXPECT_EQ(Refusal(Sealed(1, EntryHead(3, 2) + internal::Deflate("x", 1))),
            bad + "object at offset 12: data does not have its declared size");
  EXPECT_EQ(Refusal(Sealed(1, EntryHead(3, 2) + internal::Deflate("xyz", 1))),
            bad + "object at offset 12: data does not have its declared size");
  EXPECT_EQ(Refusal(Sealed(1, EntryHead(3, 2) + "no zlib here")),
            bad + "object at offset 12: data is not a valid zlib stream");
  EXPECT_EQ(Refusal(Sealed(1, std::string("\xbf") + std::string(12, '\xff') + "\x01")),
            bad + "object at offset 12: its size is not a number");
}

TEST_P(PackReaderTest, BadDeltasAreRefused) {
  const std::string base = "0123456789";
  const std::string base_entry = WholeEntry(ObjectType::kBlob, base);
  const auto refusal = [&](std::string_view delta) {
    const std::string message =
        Refusal(Sealed(2, base_entry + ReferenceDeltaEntry(Blob(base), delta)));
    return message == "none" ? message : message.substr(message.rfind(": ") + 2);
  };
  EXPECT_EQ(refusal(std::string("\x0a\x02\x02hi", 5)), "none");
  EXPECT_EQ(refusal(std::string("\x0a\x02\x90\x02", 4)), "none");
  EXPECT_EQ(refusal(""), "its sizes are cut off");
  EXPECT_EQ(refusal("\x0a"), "its sizes are cut off");
  EXPECT_EQ(refusal(std::string(12, '\xff')), "its sizes are cut off");
  EXPECT_EQ(refusal("\x0b\x02\x02hi"), "it is for a base of another size");
  EXPECT_EQ(refusal("\x0a\x03\x02hi"), "its result is smaller than declared");
  EXPECT_EQ(refusal("\x0a\x01\x02hi"), "its result is larger than declared");
  EXPECT_EQ(refusal("\x0a\x05\x05hi"), "it is cut off");
  EXPECT_EQ(refusal(std::string("\x0a\x02\0hi", 5)), "it has a reserved instruction");
  EXPECT_EQ(refusal("\x0a\x02\x91\x09\x02"), "it copies from outside its base");
  EXPECT_EQ(refusal("\x0a\x02\x91\x0b\x02"), "it copies from outside its base");
  EXPECT_EQ(refusal("\x0a\x02\x9f\xff\xff\xff\xff\x02"), "it copies from outside its base");
  EXPECT_EQ(refusal("\x0a\x02\x91"), "it copies from outside its base");
}

TEST_P(PackReaderTest, DeltasWithoutABaseAreRefused) {
  const ObjectId nowhere = Blob("nowhere");
  EXPECT_EQ(
      Refusal(Sealed(1, ReferenceDeltaEntry(nowhere, "\x01\x01\x01x"))),
      "invalid_argument: bad pack: unresolved delta: its base " + nowhere.ToHex() + " is missing");

  // Offsets: to itself, before the pack, and between two objects.
  const auto offset_delta = [](std::string_view distance) {
    return EntryHead(internal::kOffsetDelta, 4) + std::string(distance) +
           internal::Deflate("\x01\x01\x01x", 1);
  };
  const std::string blob = WholeEntry(ObjectType::kBlob, "b");
  EXPECT_NE(Refusal(Sealed(1, offset_delta(std::string(1, '\0')))).find("lies outside"),
            std::string::npos);
  EXPECT_NE(Refusal(Sealed(1, offset_delta("\x20"))).find("lies outside"), std::string::npos);
  EXPECT_NE(Refusal(Sealed(1, offset_delta("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")))
                .find("lies outside"),
            std::string::npos);
  EXPECT_NE(Refusal(Sealed(2, blob + offset_delta("\x01"))).find("not an object of the pack"),
            std::string::npos);
}

TEST_P(PackReaderTest, DeltasUponEachOtherAreRefused) {
  // Two deltas whose bases would be each other's result.
  const std::string one = MakeDelta("bb", "aa");
  const std::string other = MakeDelta("aa", "bb");
  EXPECT_NE(Refusal(Sealed(2, ReferenceDeltaEntry(Blob("bb"), one) +
                                  ReferenceDeltaEntry(Blob("aa"), other)))
                .find("unresolved delta"),
            std::string::npos);
}

TEST_P(PackReaderTest, LimitsAreNotRefusals) {
  PackBuilder builder(GetParam());
  const ObjectId base = builder.Blob(std::string(600, 'x'));
  builder.OffsetDelta(base, std::string(600, 'x') + "y");
  limits_ = {.objects_max = 2, .memory_bytes_max = 1300};
  EXPECT_EQ(Refusal(builder.Finish()), "none");
  limits_ = {.objects_max = 1, .memory_bytes_max = 1300};
  EXPECT_EQ(Read(builder.Finish()).error().code(), Code::kResourceExhausted);
  limits_ = {.objects_max = 2, .memory_bytes_max = 1200};
  EXPECT_EQ(Read(builder.Finish()).error().code(), Code::kResourceExhausted);
}

TEST_P(PackReaderTest, DeclaredSizesAllocateNothingByThemselves) {
  limits_.memory_bytes_max = std::size_t{1} << 60;
  const std::string huge = EntryHead(3, std::uint64_t{1} << 50) + internal::Deflate("x", 1);
  EXPECT_EQ(Refusal(Sealed(1, huge)),
            "invalid_argument: bad pack: object at offset 12: data ends before its declared size");
}

TEST_P(PackReaderTest, RandomPacksRoundTrip) {
  const std::uint64_t seed = 20231;
  Prng prng(seed);
  for (int round = 0; round < 60; ++round) {
    PackBuilder builder(GetParam());
    std::vector<std::string> texts = {"start " + std::to_string(round)};
    std::vector<ObjectId> ids = {builder.Blob(texts[0])};
    for (int i = 0; i < 20; ++i) {
      const std::size_t from = prng.Below(texts.size());
      std::string text = texts[from];
      text.insert(prng.Below(text.size() + 1),
                  std::string(1 + prng.Below(300), static_cast<char>('a' + i)));
      text += std::to_string(i);
      const bool by_offset = prng.OneIn(2);
      ids.push_back(by_offset ? builder.OffsetDelta(ids[from], text)
                              : builder.ReferenceDelta(ObjectType::kBlob, texts[from], text));
      texts.push_back(text);
    }
    const Objects objects = Read(builder.Finish()).value();
    ASSERT_EQ(objects.size(), texts.size());
    for (std::size_t i = 0; i < objects.size(); ++i) {
      EXPECT_EQ(objects[i].content, texts[i]);
      EXPECT_EQ(objects[i].id, ids[i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PackReaderTest,
                         ::testing::Values(ObjectFormat::kSha1, ObjectFormat::kSha256),
                         [](const auto& test) { return std::string(FormatName(test.param)); });

}  // namespace
}  // namespace quorate::git
