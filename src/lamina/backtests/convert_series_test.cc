#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/convert_internal.h"

namespace lamina::backtests {
namespace {

using bundle::Document;
using bundle::Writer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Document Parsed(std::string bytes) {
  auto document = Document::Parse(std::move(bytes));
  EXPECT_TRUE(document.ok());
  return *std::move(document);
}

/// One point: the encoded value and its time.
std::string List(const std::string& value, std::string_view time) {
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(1);
  writer.ArrayHeader(2);
  writer.Raw(value);
  writer.String(time);
  return out;
}

template <class Write>
std::string Encoded(Write write) {
  std::string out;
  Writer writer(out);
  write(writer);
  return out;
}

const std::string kOneAndHalf = Encoded([](Writer& w) { w.Double(1.5); });

TEST(SeriesMover, TakesAListOutAndPutsItBack) {
  const std::string list = List(kOneAndHalf, "2024-01-01T00:00:00+00:00");
  std::vector<std::string> warnings;
  SeriesMover out(std::nullopt, true, &warnings);
  const Document source = Parsed(list);
  const auto reference = out.Move("equity_curve", source.root(), "p/", std::nullopt);
  ASSERT_TRUE(reference.ok());
  const Document moved = Parsed(*reference);
  EXPECT_EQ(moved.root().Find("@blob")->AsString(), "p/equity_curve.parquet");
  const Document blobs = Parsed(out.blobs().Finish());
  SeriesMover back(blobs.root(), false, &warnings);
  const auto again = back.Move("equity_curve", moved.root(), "", std::nullopt);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, list);
  EXPECT_EQ(back.blobs_used(), 1U);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(SeriesMover, WarnsOfPointsThatABlobRounds) {
  const struct {
    const char* name;
    std::string list;
    bool warns;
  } cases[] = {
      {"microseconds", List(kOneAndHalf, "2024-01-01T00:00:00.123456+00:00"), true},
      {"milliseconds", List(kOneAndHalf, "2024-01-01T00:00:00.123+00:00"), false},
      {"small integer", List(Encoded([](Writer& w) { w.Int(1000); }), "2024-01-01"), false},
      {"large integer",
       List(Encoded([](Writer& w) { w.Int((std::int64_t{1} << 53) + 1); }), "2024-01-01"), true},
      {"nil", List("\xc0", "2024-01-01"), false},
  };
  for (const auto& test : cases) {
    std::vector<std::string> warnings;
    SeriesMover mover(std::nullopt, true, &warnings);
    const Document source = Parsed(test.list);
    ASSERT_TRUE(mover.Move("equity_curve", source.root(), "p/", std::nullopt).ok()) << test.name;
    EXPECT_EQ(!warnings.empty(), test.warns) << test.name;
    EXPECT_EQ(mover.blobs().pairs(), 1U) << test.name;
  }
}

TEST(SeriesMover, LeavesListsThatTheFrameworkLeaves) {
  for (const std::string& list : {std::string("\x90"), List(kOneAndHalf, "not a date")}) {
    std::vector<std::string> warnings;
    SeriesMover mover(std::nullopt, true, &warnings);
    const Document source = Parsed(list);
    const auto moved = mover.Move("equity_curve", source.root(), "p/", std::nullopt);
    ASSERT_TRUE(moved.ok());
    EXPECT_EQ(*moved, list);
    EXPECT_EQ(mover.blobs().pairs(), 0U);
  }
}

TEST(SeriesMover, SaysThatABlobIsMissingAndRefusesOneItCannotRead) {
  bundle::MapWriter reference;
  reference.Key("@blob").String("x");
  const Document source = Parsed(reference.Finish());
  std::vector<std::string> warnings;
  SeriesMover missing(std::nullopt, false, &warnings);
  const auto empty = missing.Move("equity_curve", source.root(), "", std::nullopt);
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(*empty, "\x90");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("lacks the blob x")));
  bundle::MapWriter blobs;
  blobs.Key("x").Binary("no Parquet");
  const Document held = Parsed(blobs.Finish());
  SeriesMover unreadable(held.root(), false, &warnings);
  const auto refused = unreadable.Move("equity_curve", source.root(), "", std::nullopt);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace lamina::backtests
