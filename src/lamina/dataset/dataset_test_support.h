#pragma once

/// \file lamina/dataset/dataset_test_support.h
/// A store with datasets in a temporary folder, and bars to put into it, for this module's tests.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/dataset/datasets.h"

namespace lamina::dataset::test {

inline constexpr std::int64_t kHour = 3'600'000'000;
/// 2022-01-01T00:00:00Z
inline constexpr std::int64_t kStart = 1'640'995'200'000'000;

template <class Builder, class Value>
std::shared_ptr<arrow::Array> Column(Builder&& builder, const std::vector<Value>& values) {
  for (const Value& value : values) EXPECT_TRUE(builder.Append(value).ok());
  return builder.Finish().ValueOrDie();
}

inline std::shared_ptr<arrow::Array> Times(const std::vector<std::int64_t>& micros,
                                           const std::string& zone = "UTC",
                                           arrow::TimeUnit::type unit = arrow::TimeUnit::MICRO) {
  return Column(arrow::TimestampBuilder(arrow::timestamp(unit, zone), arrow::default_memory_pool()),
                micros);
}

inline std::shared_ptr<arrow::Array> Doubles(const std::vector<double>& values) {
  return Column(arrow::DoubleBuilder(), values);
}

inline std::shared_ptr<arrow::Table> MakeTable(
    const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

/// Bars at hours `hours` since kStart; close = `close` + hour.
inline std::shared_ptr<arrow::Table> Bars(const std::vector<std::int64_t>& hours,
                                          double close = 1.0) {
  std::vector<std::int64_t> times;
  std::vector<double> open, high, low, closes;
  for (const std::int64_t hour : hours) {
    times.push_back(kStart + hour * kHour);
    closes.push_back(close + static_cast<double>(hour));
    open.push_back(closes.back());
    high.push_back(closes.back() + 0.5);
    low.push_back(closes.back() - 0.5);
  }
  return MakeTable({{"timestamp", Times(times)},
                    {"open", Doubles(open)},
                    {"high", Doubles(high)},
                    {"low", Doubles(low)},
                    {"close", Doubles(closes)}});
}

inline SaveOptions Of(const std::string& instrument, bool complete = true,
                      WriteMode mode = WriteMode::kMerge) {
  SaveOptions options;
  options.mode = mode;
  options.prepare.constants = {
      {"instrument", instrument}, {"timeframe", std::string("1h")}, {"complete", complete}};
  return options;
}

inline Micros At(std::int64_t hour) { return Micros{kStart + hour * kHour}; }

class TestStore {
 public:
  TestStore() {
    const auto id = *Uuid::Parse("018f0000-0000-7000-8000-000000000001");
    EXPECT_THAT(catalog::Catalog::Create(io::PosixEnv(), folder_.path(), id), IsOk());
    catalog_ = Open();
    datasets_ = std::make_unique<Datasets>(*catalog_);
    EXPECT_THAT(datasets_->Create(OhlcvDefinition()), IsOk());
  }
  std::unique_ptr<catalog::Catalog> Open() const {
    auto opened = catalog::Catalog::Open(io::PosixEnv(), folder_.path());
    EXPECT_THAT(opened, IsOk());
    return *std::move(opened);
  }
  Datasets& datasets() { return *datasets_; }
  catalog::Catalog& catalog() { return *catalog_; }
  const std::string& root() const { return folder_.path(); }

  /// "EUR 0:1.5 1:2.5" for every bar: instrument, hour, close.
  std::string Text(const LoadRequest& request = {}) {
    auto rows = datasets_->Load("ohlcv", request);
    EXPECT_THAT(rows, IsOk());
    if (!rows.ok()) return "error";
    std::string text, last;
    for (std::int64_t row = 0; row < (*rows)->num_rows(); ++row) {
      const auto cell = [&](const char* name) {
        return *(*rows)->GetColumnByName(name)->GetScalar(row);
      };
      const std::string instrument = cell("instrument")->ToString();
      if (instrument != last) text += (text.empty() ? "" : " ") + instrument;
      last = instrument;
      const std::int64_t at =
          static_cast<const arrow::TimestampScalar&>(*cell("timestamp")).value - kStart;
      text += " " + std::to_string(at / kHour) + ":" + cell("close")->ToString();
    }
    return text;
  }

 private:
  catalog::test::TempFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Datasets> datasets_;
};

}  // namespace lamina::dataset::test
