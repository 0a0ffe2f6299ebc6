#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "lamina/base/hash.h"
#include "lamina/base/hash_internal.h"

namespace lamina {
namespace {

std::string RandomBytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// RFC 3720 (iSCSI) B.4, and the check value of the CRC catalogue.
TEST(Crc32c, KnownVectors) {
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  const std::string falling(rising.rbegin(), rising.rend());
  const struct {
    std::string data;
    std::uint32_t crc;
  } cases[] = {
      {"", 0},
      {"123456789", 0xe3069283},
      {std::string(32, '\0'), 0x8a9136aa},
      {std::string(32, '\xff'), 0x62a8ab43},
      {rising, 0x46dd794e},
      {falling, 0x113fdb5c},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Crc32c(c.data), c.crc);
    EXPECT_EQ(internal::Crc32cPortable(c.data, 0), c.crc);
  }
}

TEST(Crc32c, InstructionsAndTablesAgree) {
  const std::string data = RandomBytes(40'000, 1);
  const ByteView view = data;
  std::mt19937 random(2);
  for (std::size_t size = 0; size < 1700; ++size) {
    const std::size_t offset = random() % 16;
    const std::uint32_t seed = random();
    ASSERT_EQ(Crc32c(view.substr(offset, size), seed),
              internal::Crc32cPortable(view.substr(offset, size), seed))
        << size;
  }
  for (int round = 0; round < 200; ++round) {
    const std::size_t offset = random() % 16;
    const std::size_t size = random() % (data.size() - 16);
    ASSERT_EQ(Crc32c(view.substr(offset, size)),
              internal::Crc32cPortable(view.substr(offset, size), 0))
        << size;
  }
}

TEST(Crc32c, GoesOnWhereItStopped) {
  const std::string data = RandomBytes(30'000, 3);
  const ByteView view = data;
  const std::uint32_t whole = Crc32c(view);
  for (const std::size_t cut : {0, 1, 7, 8, 767, 768, 12'288, 29'999, 30'000}) {
    EXPECT_EQ(Crc32c(view.substr(cut), Crc32c(view.substr(0, cut))), whole) << cut;
  }
}

TEST(Crc32c, SeesEveryFlippedBit) {
  std::string data = RandomBytes(300, 4);
  const std::uint32_t whole = Crc32c(data);
  for (std::size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_NE(Crc32c(data), whole) << bit;
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << (bit % 8)));
  }
}

}  // namespace
}  // namespace lamina
