#pragma once

/// \file lamina/bars/bars_test_support.h
/// A store with bars and ticks, and what is stored as text. For tests only.

#include <string>
#include <vector>

#include "lamina/bars/make_bars.h"
#include "lamina/dataset/dataset_test_support.h"
#include "lamina/ticks/query_test_support.h"

namespace lamina::bars::test {

inline constexpr std::int64_t kMinute = 60'000'000'000;

class TestStore : public dataset::test::TestStore {
 public:
  ticks::TickStore& ticks() { return ticks_; }
  ticks::TickReader& reader() { return reader_; }
  dataset::Registry& registry() { return registry_; }

  /// Bars of `instrument` at these hours, stored as `timeframe`.
  void Save(const std::vector<std::int64_t>& hours, const std::string& instrument,
            bool complete = true, const std::string& timeframe = "1h") {
    auto options = dataset::test::Of(instrument, complete);
    options.prepare.constants[1].value = timeframe;
    EXPECT_THAT(datasets().Save("ohlcv", *dataset::test::Bars(hours), options), IsOk());
  }

  /// Durable trades of contract 7, one each minute since ticks::test::kStart, price 100, 101, …
  void Trade(std::int64_t count, double size = 2, std::int64_t first_minute = 0) {
    ticks::TickBatch batch;
    batch.kind = ticks::TickKind::kTrades;
    for (std::int64_t i = 0; i < count; ++i) {
      batch.contract_id.push_back(7);
      batch.type.push_back(ticks::TickType::kLast);
      batch.ts_ns.push_back(ticks::test::kStart + (first_minute + i) * kMinute);
      batch.recv_ns.push_back(batch.ts_ns.back());
      batch.writer.push_back(0);
      batch.seq.push_back(0);
      batch.values[0].push_back(100 + static_cast<double>(i));
      batch.values[1].push_back(size);
    }
    ticks::RecorderOptions options = ticks_.DefaultRecorder();
    options.log.background = false;
    options.archive_in_background = false;
    const auto recorder = ticks_.OpenRecorder(options);
    ASSERT_THAT(recorder, IsOk());
    ASSERT_THAT((*recorder)->writer().Append(ticks::test::OneKind(std::move(batch))), IsOk());
  }

  /// "0:o/h/l/c/v" of each bar: hour since `start`, `?` behind one that is not complete.
  std::string Text(const std::string& instrument, const std::string& timeframe,
                   std::int64_t start = dataset::test::kStart, const std::string& name = "ohlcv") {
    const auto rows =
        datasets().Load(name, {.keys = {{"instrument", {instrument}}, {"timeframe", {timeframe}}}});
    EXPECT_THAT(rows, IsOk());
    std::string text;
    for (std::int64_t row = 0; rows.ok() && row < (*rows)->num_rows(); ++row) {
      const auto cell = [&](const char* column) {
        return *(*rows)->GetColumnByName(column)->GetScalar(row);
      };
      const std::int64_t at =
          static_cast<const arrow::TimestampScalar&>(*cell("timestamp")).value - start;
      text += (text.empty() ? "" : " ") + std::to_string(at / dataset::test::kHour) + ":";
      for (const char* column : {"open", "high", "low", "close", "volume"}) {
        text += (column == std::string("open") ? "" : "/") + cell(column)->ToString();
      }
      if (cell("complete")->ToString() == "false") text += "?";
    }
    return text;
  }

 private:
  ticks::TickStore ticks_{catalog(), ticks::TickConfig{}};
  ticks::TickReader reader_{catalog(), {}};
  dataset::Registry registry_{catalog()};
};

}  // namespace lamina::bars::test
