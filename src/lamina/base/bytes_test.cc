#include "lamina/base/bytes.h"

#include <limits>

#include <gtest/gtest.h>

namespace lamina {
namespace {

TEST(Bytes, ByteSwap) {
  EXPECT_EQ(ByteSwap<std::uint8_t>(0x12), 0x12);
  EXPECT_EQ(ByteSwap<std::uint16_t>(0x1234), 0x3412);
  EXPECT_EQ(ByteSwap<std::uint32_t>(0x12345678), 0x78563412U);
  EXPECT_EQ(ByteSwap<std::uint64_t>(0x0123456789abcdef), 0xefcdab8967452301U);
}

template <class T>
class BytesOf : public testing::Test {};
using Integers = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                                std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>;
TYPED_TEST_SUITE(BytesOf, Integers);

TYPED_TEST(BytesOf, ReadsBackAtAnyPlace) {
  using Limits = std::numeric_limits<TypeParam>;
  const TypeParam values[] = {0, 1, Limits::min(), Limits::max(), static_cast<TypeParam>(-2)};
  for (const TypeParam value : values) {
    for (std::size_t offset = 0; offset < 8; ++offset) {
      std::string little(offset, 'x');
      AppendLittleEndian(little, value);
      EXPECT_EQ(little.size(), offset + sizeof(TypeParam));
      EXPECT_EQ(LoadLittleEndian<TypeParam>(little.data() + offset), value);
      std::string big(offset, 'x');
      AppendBigEndian(big, value);
      EXPECT_EQ(LoadBigEndian<TypeParam>(big.data() + offset), value);
      EXPECT_EQ(LoadLittleEndian<TypeParam>(big.data() + offset), ByteSwap(value));
    }
  }
}

TEST(Bytes, Order) {
  std::string out;
  AppendLittleEndian<std::uint32_t>(out, 0x01020304);
  AppendBigEndian<std::uint16_t>(out, 0xfffe);
  EXPECT_EQ(ToHex(out), "04030201fffe");
}

TEST(Bytes, ToHex) {
  using namespace std::string_view_literals;
  EXPECT_EQ(ToHex(""), "");
  EXPECT_EQ(ToHex("\x00\x7f\x80\xff"sv), "007f80ff");
}

}  // namespace
}  // namespace lamina
