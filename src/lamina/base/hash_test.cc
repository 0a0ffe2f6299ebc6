#include "lamina/base/hash.h"

#include <thread>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

struct ShaCase {
  std::string data;
  std::string_view hex;
};

// FIPS 180-4 examples and the NIST vector of a million "a".
std::vector<ShaCase> ShaCases() {
  return {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
}

TEST(Sha256, KnownVectors) {
  for (const ShaCase& c : ShaCases()) EXPECT_EQ(Sha256(c.data).Hex(), c.hex);
}

TEST(Sha256, StreamGivesTheSameInAnyPieces) {
  for (const ShaCase& c : ShaCases()) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{63}, std::size_t{64},
                                    std::size_t{4097}, std::size_t{2'000'000}}) {
      if (c.data.size() > 1000 && piece == 1) continue;
      Sha256Stream stream;
      const ByteView data = c.data;
      for (std::size_t at = 0; at < data.size(); at += piece) {
        stream.Update(data.substr(at, piece));
      }
      EXPECT_EQ(stream.Finish().Hex(), c.hex);
    }
  }
}

TEST(Sha256, StreamsMoveAndMixWithOneShots) {
  Sha256Stream first;
  first.Update("a");
  EXPECT_EQ(Sha256("abc").Hex().substr(0, 8), "ba7816bf");
  Sha256Stream second = std::move(first);
  second.Update("bc");
  EXPECT_EQ(second.Finish(), Sha256("abc"));
}

TEST(Sha256, Threads) {
  const std::string expected = Sha256("abc").Hex();
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) wrong += Sha256("abc").Hex() != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Sha256Digest, HexRoundTrip) {
  const Sha256Digest digest = Sha256("x");
  EXPECT_EQ(*Sha256Digest::FromHex(digest.Hex()), digest);
  std::string upper = digest.Hex();
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(*Sha256Digest::FromHex(upper), digest);
  EXPECT_EQ(*Sha256Digest::FromBytes(digest.View()), digest);
}

TEST(Sha256Digest, RefusesOtherText) {
  const std::string good = Sha256("x").Hex();
  std::string bad = good;
  bad[13] = 'g';
  EXPECT_THAT(Sha256Digest::FromHex(bad),
              IsError(ErrorCode::kInvalidArgument, testing::HasSubstr("digit 13")));
  for (const std::string& text : {std::string(), good.substr(1), good + "0", "0x" + good}) {
    EXPECT_THAT(Sha256Digest::FromHex(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
  for (const std::size_t size : {0, 31, 33}) {
    EXPECT_THAT(Sha256Digest::FromBytes(std::string(size, 'x')),
                IsError(ErrorCode::kInvalidArgument));
  }
}

TEST(Sha256Digest, OrdersAndHashesByItsBytes) {
  const auto with_first = [](std::uint8_t byte) {
    Sha256Digest digest;
    digest.bytes[0] = byte;
    return digest;
  };
  EXPECT_LT(with_first(0x7f), with_first(0x80));
  std::unordered_set<Sha256Digest> set = {with_first(1), with_first(2), with_first(1)};
  EXPECT_EQ(set.size(), 2U);
}

}  // namespace
}  // namespace lamina
