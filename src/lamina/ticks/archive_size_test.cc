// What a tick of the real sets takes in the archive. Bytes, not time: the same on every machine.
#include <array>
#include <string>

#include <arrow/array.h>
#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/table/columns.h"
#include "lamina/table/parquet_file.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/storage_report.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

struct Set {
  const char* name;
  TickKind kind;
  std::array<const char*, 4> values;
  double bytes_max;  // for each tick
};

template <class T, class ArrayType>
std::vector<T> Values(const arrow::Table& rows, const char* name) {
  auto column = table::ColumnNamed(rows, name);
  EXPECT_THAT(column, IsOk()) << name;
  const auto array = *table::CombineColumn(**column);
  const T* values = static_cast<const ArrayType&>(*array).raw_values();
  return {values, values + array->length()};
}

TEST(ArchiveSize, OfRealFutures) {
  const Set sets[] = {
      {"binance_usdm_btcusdt_20240808_quotes",
       TickKind::kQuotes,
       {"bid", "bid_size", "ask", "ask_size"},
       9.3},
      {"binance_usdm_btcusdt_20240808_trades", TickKind::kTrades, {"price", "size", "", ""}, 5.5},
  };
  for (const Set& set : sets) {
    std::string path = LAMINA_SHARED_DIR;
    path.append("/data/ticks/").append(set.name).append(".parquet");
    auto rows = table::ReadParquet(io::PosixEnv(), path);
    ASSERT_THAT(rows, IsOk());
    TickBatch ticks;
    ticks.kind = set.kind;
    ticks.ts_ns = Values<std::int64_t, arrow::Int64Array>(**rows, "ts_event");
    ticks.recv_ns = Values<std::int64_t, arrow::Int64Array>(**rows, "ts_recv");
    for (std::size_t i = 0; i < ValueCount(set.kind); ++i)
      ticks.values[i] = Values<double, arrow::DoubleArray>(**rows, set.values[i]);
    const std::size_t count = ticks.size();
    ticks.contract_id.assign(count, 270'639);
    ticks.type.assign(count, set.kind == TickKind::kQuotes ? TickType::kBidAsk : TickType::kLast);
    ticks.writer.assign(count, 1);
    for (std::size_t i = 0; i < count; ++i) ticks.seq.push_back(static_cast<std::int64_t>(i));
    test::TestCatalog store;
    auto report = ArchiveTicks(*store, test::OneKind(std::move(ticks)), std::nullopt);
    ASSERT_THAT(report, IsOk());
    const double each = static_cast<double>(report->bytes) / static_cast<double>(count);
    EXPECT_LE(each, set.bytes_max) << set.name;
    tick_log::LogReader logs(io::PosixEnv(), store.root(), store->store_id());
    const auto storage = ReadStorage(*store, logs);
    ASSERT_THAT(storage, IsOk());
    const double json = static_cast<double>(storage->json_bytes) / static_cast<double>(count);
    std::printf("%s: %.2f bytes a tick in the archive, %.0f as JSON\n", set.name, each, json);
    EXPECT_LT(json, 1000);
    EXPECT_LT(each, 0.1 * json) << "less than a tenth of the recorders' JSON";
  }
}

}  // namespace
}  // namespace lamina::ticks
