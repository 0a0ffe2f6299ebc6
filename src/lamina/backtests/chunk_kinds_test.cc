#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using catalog::ChunkId;
using catalog::ChunkKind;
using test::TestStore;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr ChunkKind kKinds[] = {ChunkKind::kOhlcv,   ChunkKind::kCode,   ChunkKind::kParams,
                                ChunkKind::kSymbols, ChunkKind::kSchema, ChunkKind::kSeries,
                                ChunkKind::kDocument};
const std::string kPrices = "any bytes: only their hash counts";

void Text(bundle::Writer& writer, std::string_view key, std::string_view value) {
  writer.String(key);
  writer.String(value);
}

/// A document of version 2 that carries every kind of chunk; `tag` makes another one of it.
std::string FullDocument(const std::string& tag) {
  std::string out;
  bundle::Writer writer(out);
  writer.MapHeader(10);
  test::WritePrices(writer, {"ohlcv", {{"BTC/EUR:1h", Sha256(kPrices).Hex() + ".parquet"}}});
  writer.String("format_version");
  writer.Int(2);
  Text(writer, "engine_type", "vector");
  Text(writer, "algorithm_id", "full");
  writer.String("metadata");
  writer.MapHeader(1);
  Text(writer, "source_code", "def run(): pass\n" + std::string(500, '#'));
  writer.String("parameters");
  writer.MapHeader(1);
  Text(writer, "long", std::string(300, 'p'));
  Text(writer, "tag", tag);
  writer.String("vector_runs");
  writer.ArrayHeader(1);
  writer.MapHeader(3);
  Text(writer, "backtest_start_date", "2024-01-01 00:00:00");
  writer.String("symbols");
  writer.ArrayHeader(100);
  for (int i = 0; i < 100; ++i) writer.String("SYM" + std::to_string(i));
  writer.String("backtest_metrics");
  writer.MapHeader(20);  // names enough for a chunk
  for (int i = 0; i < 20; ++i) {
    writer.String("metric_of_some_program_" + std::to_string(i));
    writer.Double(0.1 * i);
  }
  writer.String("vector_metrics");
  writer.MapHeader(0);
  writer.String("blobs");
  writer.MapHeader(1);
  writer.String("runs/0/metrics/of_another_program.parquet");
  writer.Binary(std::string(2000, 'b'));
  return out;
}

std::string FullBundle(const std::string& tag) {
  auto file = bundle::WriteBundle(2, FullDocument(tag), 3);
  EXPECT_THAT(file, IsOk());
  return *std::move(file);
}

void ImportFull(TestStore& store, const std::string& name) {
  const std::string in = store.File("in_" + name);
  test::WriteTo(in + "/" + name + ".iafbt", FullBundle(name));
  test::WriteTo(in + "/ohlcv/" + Sha256(kPrices).Hex() + ".parquet", kPrices);
  auto sources = FindBundles(io::PosixEnv(), {in});
  ASSERT_THAT(sources, IsOk());
  const auto report = ImportBundles(*store, *sources);
  ASSERT_THAT(report, IsOk());
  ASSERT_TRUE(report->failed.empty()) << report->failed[0].message;
  ASSERT_EQ(report->imported, 1);
}

std::int64_t CountOf(TestStore& store, ChunkKind kind) {
  return store.Ask("SELECT count(*) FROM chunk WHERE end_snapshot IS NULL AND kind = " +
                   std::to_string(static_cast<int>(kind)));
}

/// Flip one bit of every stored chunk of the kind; flipping again repairs.
void Flip(TestStore& store, ChunkKind kind) {
  auto database = catalog::Database::Open(io::JoinPath(store.root(), "objects.sqlite"),
                                          catalog::OpenMode::kReadWrite);
  ASSERT_THAT(database, IsOk());
  std::vector<std::pair<std::int64_t, std::string>> rows;
  {
    auto read = (*database)->Prepare("SELECT object_id, stored FROM object WHERE kind = ?1");
    ASSERT_THAT(read, IsOk());
    read->Bind(1, static_cast<std::int64_t>(kind));
    for (auto row = read->Step(); row.ok() && *row; row = read->Step()) {
      rows.emplace_back(read->Int(0), std::string(read->Blob(1)));
    }
  }
  ASSERT_FALSE(rows.empty());
  for (auto& [id, stored] : rows) {
    stored[stored.size() / 2] = static_cast<char>(stored[stored.size() / 2] ^ 0x10);
    auto write = (*database)->Prepare("UPDATE object SET stored = ?2 WHERE object_id = ?1");
    ASSERT_THAT(write, IsOk());
    ASSERT_THAT(write->Bind(1, id).BindBlob(2, stored).Run(), IsOk());
  }
}

Result<std::string> ReadAll(TestStore& store, const std::string& handle) {
  LAMINA_ASSIGN(const auto record, store->Find(handle));
  LAMINA_ASSIGN(const auto prices, store.catalog().ReadChunk({ChunkKind::kOhlcv, Sha256(kPrices)}));
  if (prices != kPrices) return Internal("other prices");
  return store->ReadDocument(record);
}

TEST(ChunkKinds, EachIsStoredAsItsOwnAndOnce) {
  TestStore store;
  ImportFull(store, "one");
  for (const ChunkKind kind : kKinds) {
    EXPECT_EQ(CountOf(store, kind), 1) << catalog::ChunkKindName(kind);
  }
  ImportFull(store, "two");
  for (const ChunkKind kind : kKinds) {
    EXPECT_EQ(CountOf(store, kind), kind == ChunkKind::kDocument ? 2 : 1)
        << catalog::ChunkKindName(kind);
  }
  EXPECT_EQ(store.DocumentOf("one"), FullDocument("one"));
  EXPECT_EQ(store.DocumentOf("two"), FullDocument("two"));
}

TEST(ChunkKinds, AFlippedBitOfEachIsNamedOnReading) {
  TestStore store;
  ImportFull(store, "one");
  ASSERT_THAT(ReadAll(store, "one"), IsOk());
  for (const ChunkKind kind : kKinds) {
    const std::string name(catalog::ChunkKindName(kind));
    SCOPED_TRACE(name);
    Flip(store, kind);
    EXPECT_THAT(ReadAll(store, "one"), IsError(ErrorCode::kCorruption, HasSubstr(name + "/")));
    Flip(store, kind);
    EXPECT_THAT(ReadAll(store, "one"), IsOk());
  }
}

/// A chunk that is there already is read before it is used: damage is never built upon.
TEST(ChunkKinds, AFlippedBitOfEachIsRepairedOnWriting) {
  for (const ChunkKind kind : kKinds) {
    const std::string name(catalog::ChunkKindName(kind));
    SCOPED_TRACE(name);
    TestStore store;
    ImportFull(store, "one");
    Flip(store, kind);
    ImportFull(store, "two");
    EXPECT_THAT(ReadAll(store, "two"), IsOk());
    // The skeleton of "one" is not that of "two".
    EXPECT_EQ(ReadAll(store, "one").ok(), kind != ChunkKind::kDocument);
  }
}

}  // namespace
}  // namespace lamina::backtests
