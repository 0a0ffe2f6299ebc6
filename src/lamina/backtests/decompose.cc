#include "lamina/backtests/decompose.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <unordered_map>
#include <utility>

#include <arrow/api.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/record_codec.h"
#include "lamina/backtests/run_facts.h"
#include "lamina/backtests/run_parts.h"
#include "lamina/backtests/skeleton.h"
#include "lamina/catalog/catalog.h"

namespace lamina::backtests {

namespace {

using bundle::Document;
using bundle::Kind;
using bundle::Layout;
using bundle::Value;

constexpr std::size_t kSharedListBytes = 256;  ///< parameters and symbols from here on are chunks
/// Members of a backtest's metadata that hold the source of its strategy.
constexpr std::array<std::string_view, 5> kCodeKeys = {"code", "source", "source_code",
                                                       "strategy_code", "strategy_source"};
constexpr std::size_t kBlobChunkBytes = 1024;  ///< series from here on are chunks

constexpr std::array<std::string_view, kRecordTableCount> kRunKeys = {
    "portfolio_snapshots", "trades", "orders", "positions"};

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool AllSet(const std::vector<std::uint8_t>& valid) {
  return std::find(valid.begin(), valid.end(), 0) == valid.end();
}

/// Rows of metric_series to be.
struct SeriesRows {
  std::uint32_t series = 0;
  std::vector<std::int64_t> times;  ///< microseconds
  std::vector<double> values;
  std::vector<std::uint8_t> time_valid, value_valid;  ///< empty: all
};

Result<std::shared_ptr<arrow::Table>> MakeSeriesTable(std::vector<SeriesRows> all) {
  std::sort(all.begin(), all.end(), [](const SeriesRows& a, const SeriesRows& b) {
    return kSeriesNames[a.series] < kSeriesNames[b.series];
  });
  std::size_t rows = 0;
  for (const SeriesRows& series : all) rows += series.times.size();
  const auto wanted = WantedSeriesColumns();
  std::vector<ColumnBuilder> builders;
  for (const TableView::Wanted& column : wanted) builders.emplace_back(column.type, rows);
  std::size_t row = 0;
  for (const SeriesRows& series : all) {
    for (std::size_t i = 0; i < series.times.size(); ++i, ++row) {
      builders[0].SetText(row, kSeriesNames[series.series]);
      builders[1].SetInt(row, static_cast<std::int64_t>(i));
      if (series.time_valid.empty() || series.time_valid[i] != 0) {
        builders[2].SetInt(row, series.times[i]);
      }
      if (series.value_valid.empty() || series.value_valid[i] != 0) {
        builders[3].SetDouble(row, series.values[i]);
      }
    }
  }
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const ColumnBuilder& builder : builders) {
    LAMINA_ASSIGN(auto array, builder.Finish());
    arrays.push_back(std::move(array));
  }
  return MakeTable(wanted, arrays, rows);
}

class Decomposer {
 public:
  Decomposer(const Document& document, const Layout& layout, const DecomposeOptions& options)
      : document_(document), layout_(layout), options_(options) {}

  Result<DecomposedBacktest> Run() {
    result_.document_sha256 = Sha256(document_.bytes());
    result_.document_bytes = static_cast<std::int64_t>(document_.bytes().size());
    IndexBlobs();
    for (std::size_t slot = 0; slot < layout_.runs.size(); ++slot) {
      LAMINA_TRY_WITH(TakeRun(layout_.runs[slot], static_cast<std::uint32_t>(slot)),
                      "run " + std::to_string(slot));
    }
    LAMINA_TRY(TakeSharedParts());
    LAMINA_TRY(TakeLargeParts(document_.root(), /*is_root=*/true));
    LAMINA_TRY(FinishSkeleton());
    return std::move(result_);
  }

 private:
  struct Replacement {
    std::size_t offset = 0, length = 0;
    std::uint32_t part = 0;
  };

  // ------------------------------------------------------------ parts and chunks

  bool IsTaken(const Value& value) const { return taken_.contains(value.offset()); }

  void Replace(const Value& value, Part part) {
    taken_.insert(value.offset());
    replacements_.push_back(
        {value.offset(), value.raw().size(), static_cast<std::uint32_t>(skeleton_.parts.size())});
    skeleton_.parts.push_back(std::move(part));
  }

  Status ReplaceByChunk(const Value& value, catalog::ChunkKind kind) {
    if (IsTaken(value)) return Ok();
    const bool binary = value.kind() == Kind::kBinary && IsShortestBinary(value);
    const ByteView content = binary ? value.AsBinary() : value.raw();
    LAMINA_ASSIGN(catalog::PreparedChunk chunk, catalog::PrepareChunk(kind, content));
    ChunkPart part{chunk.id, binary, static_cast<std::uint32_t>(content.size())};
    if (chunk_ids_.insert(chunk.id).second) result_.chunks.push_back(std::move(chunk));
    Replace(value, part);
    return Ok();
  }

  static bool IsShortestBinary(const Value& value) {
    const std::size_t header = value.size() < 256 ? 2 : value.size() < 65536 ? 3 : 5;
    return value.raw().size() - value.size() == header;
  }

  // ------------------------------------------------------------ runs

  void IndexBlobs() {
    if (!layout_.blobs) return;
    for (const auto entry : layout_.blobs->entries()) {
      if (entry.key.is_string() && entry.value.kind() == Kind::kBinary) {
        blobs_.insert_or_assign(entry.key.AsString(), entry.value);
      }
    }
  }

  Status TakeRun(const bundle::RunPart& part, std::uint32_t slot) {
    DecomposedRun run;
    run.facts = ReadRunFacts(layout_, part);
    RunParts parts;
    // Trades name orders, copies name trades.
    for (const RecordTable table : {RecordTable::kOrders, RecordTable::kTrades,
                                    RecordTable::kPositions, RecordTable::kSnapshots}) {
      LAMINA_TRY_WITH(TakeTable(part.run, slot, table, parts), RecordTableName(table));
    }
    if (const auto metrics = part.run.Find("backtest_metrics"); metrics && metrics->is_map()) {
      LAMINA_TRY(TakeTradeCopies(part.run, *metrics, slot, parts));
      LAMINA_TRY(TakeAllSeries(*metrics, slot, parts, run.facts));
    } else {
      LAMINA_ASSIGN(parts.rows().series, MakeSeriesTable({}));
    }
    if (const auto symbols = part.run.Find("symbols");
        symbols && symbols->raw().size() >= kSharedListBytes) {
      LAMINA_TRY(ReplaceByChunk(*symbols, catalog::ChunkKind::kSymbols));
    }
    run.rows = parts.rows();
    LAMINA_ASSIGN(run.content_hash, HashRun(run.facts, run.rows));
    result_.runs.push_back(std::move(run));
    return Ok();
  }

  static std::shared_ptr<arrow::Table>& RowsOf(RunRows& rows, RecordTable table) {
    switch (table) {
      case RecordTable::kSnapshots:
        return rows.snapshots;
      case RecordTable::kTrades:
        return rows.trades;
      case RecordTable::kOrders:
        return rows.orders;
      case RecordTable::kPositions:
        break;
    }
    return rows.positions;
  }

  Status TakeTable(const Value& run, std::uint32_t slot, RecordTable table, RunParts& parts) {
    const auto array = run.Find(kRunKeys[static_cast<std::size_t>(table)]);
    const bool has_any = array && array->is_array() && array->size() > 0;
    RecordPositions orders;
    if (table == RecordTable::kTrades && has_any && has_orders_) {
      orders = PositionsOf(*run.Find("orders"));
    }
    if (table == RecordTable::kOrders) has_orders_ = false;
    if (table == RecordTable::kTrades) has_trades_ = false;
    LAMINA_ASSIGN(TakenRecords taken, TakeRecords(table, has_any ? *array : NoValue(run), orders));
    RowsOf(parts.rows(), table) = taken.rows;
    if (!has_any || IsTaken(*array)) return Ok();

    auto& shape = shapes_.emplace_back(std::make_unique<RecordsShape>(std::move(taken.shape)));
    if (!Reproduces(*array, table, *shape, parts)) {
      if (!KeepOddRecords(*array, table, *shape, parts)) {
        parts.SetShape(table, nullptr);
        return Ok();
      }
    }
    if (table == RecordTable::kOrders) has_orders_ = true;
    if (table == RecordTable::kTrades) has_trades_ = true;
    Replace(*array, RecordsPart{slot, table, *shape});
    return Ok();
  }

  /// A value that is no array, for runs that lack a table.
  static Value NoValue(const Value& run) { return run; }

  static bool Reproduces(const Value& array, RecordTable table, const RecordsShape& shape,
                         RunParts& parts) {
    parts.SetShape(table, &shape);
    std::string bytes;
    return parts.AppendRecords(table, bytes).ok() && bytes == array.raw();
  }

  /// Keep whole the records that came out differently.
  static bool KeepOddRecords(const Value& array, RecordTable table, RecordsShape& shape,
                             RunParts& parts) {
    const auto records = parts.Records(table);
    if (!records.ok() || (*records)->size() != array.size()) return false;
    std::vector<std::pair<std::uint32_t, std::string>> whole;
    std::uint32_t row = 0;
    for (const Value record : array.items()) {
      if ((*records)->Record(row) != record.raw()) whole.emplace_back(row, record.raw());
      ++row;
    }
    whole.insert(whole.end(), shape.whole.begin(), shape.whole.end());
    std::sort(whole.begin(), whole.end());
    shape.whole = std::move(whole);
    parts.Forget(table);
    return Reproduces(array, table, shape, parts);
  }

  Status TakeTradeCopies(const Value& run, const Value& metrics, std::uint32_t slot,
                         RunParts& parts) {
    if (!has_trades_) return Ok();
    const RecordPositions trades = PositionsOf(*run.Find("trades"));
    for (const std::string_view key : {"best_trade", "worst_trade"}) {
      const auto copy = metrics.Find(key);
      if (!copy || !copy->is_map() || IsTaken(*copy)) continue;
      const auto found = trades.find(copy->raw());
      if (found == trades.end()) continue;
      const auto trade = static_cast<std::uint32_t>(found->second);
      std::string bytes;
      if (parts.AppendTrade(trade, bytes).ok() && bytes == copy->raw()) {
        Replace(*copy, TradeCopyPart{slot, trade});
      }
    }
    return Ok();
  }

  // ------------------------------------------------------------ series

  struct PendingSeries {
    Value value;  ///< what it replaces
    Part part;
  };

  Status TakeAllSeries(const Value& metrics, std::uint32_t slot, RunParts& parts, RunFacts& facts) {
    std::vector<SeriesRows> rows;
    std::vector<PendingSeries> pending;
    for (std::uint32_t series = 0; series < kSeriesNames.size(); ++series) {
      const auto value = metrics.Find(kSeriesNames[series]);
      if (!value) continue;
      std::uint32_t recipe = 0;
      if (value->is_array()) {
        LAMINA_ASSIGN(recipe, TakeInlineSeries(*value, slot, series, parts, rows, pending));
      } else if (const auto blob = FindBlob(*value)) {
        LAMINA_ASSIGN(recipe, TakeBlobSeries(*blob, slot, series, parts, rows, pending));
      }
      if (recipe != 0) facts.derived_series_mask |= 1U << series;
      if (recipe == 2) facts.derived_series_mask |= 256U << series;
    }
    LAMINA_ASSIGN(parts.rows().series, MakeSeriesTable(std::move(rows)));
    for (PendingSeries& series : pending) {
      if (IsTaken(series.value)) continue;
      std::string bytes;
      if (AppendSeries(series.part, parts, bytes).ok() && bytes == series.value.raw()) {
        Replace(series.value, std::move(series.part));
      } else if (series.value.raw().size() >= kBlobChunkBytes) {
        LAMINA_TRY(ReplaceByChunk(series.value, catalog::ChunkKind::kSeries));
      }
    }
    return Ok();
  }

  Status AppendSeries(const Part& part, RunParts& parts, std::string& out) {
    if (const auto* inline_series = std::get_if<InlineSeriesPart>(&part)) {
      return parts.AppendInlineSeries(*inline_series, out);
    }
    const auto& blob = std::get<BlobSeriesPart>(part);
    return parts.AppendBlobSeries(blob, skeleton_.writers[blob.writer], encoder_, out);
  }

  std::optional<Value> FindBlob(const Value& reference) const {
    const auto key = reference.Find("@blob");
    if (!key || !key->is_string()) return std::nullopt;
    const auto found = blobs_.find(key->AsString());
    return found == blobs_.end() ? std::nullopt : std::optional(found->second);
  }

  /// RETURNS the recipe by which the series follows from the snapshots, or 0.
  Result<std::uint32_t> TakeInlineSeries(const Value& array, std::uint32_t slot,
                                         std::uint32_t series, RunParts& parts,
                                         std::vector<SeriesRows>& rows,
                                         std::vector<PendingSeries>& pending) {
    TakenPoints points = TakePoints(array);
    std::uint32_t recipe = 0;
    if (AllSet(points.time_valid) && AllSet(points.value_valid)) {
      LAMINA_ASSIGN(recipe, FindRecipe(series, parts, [&](const SeriesPoints& cooked) {
                      if (cooked.times != points.times) return false;
                      for (std::size_t i = 0; i < points.values.size(); ++i) {
                        if (!SameBits(PlainCell(cooked.values[i]), points.values[i])) return false;
                      }
                      return true;
                    }));
    }
    if (recipe == 0 && array.size() > 0) {
      rows.push_back({series, std::move(points.times), std::move(points.values),
                      std::move(points.time_valid), std::move(points.value_valid)});
    }
    if (array.size() > 0) {
      pending.push_back(
          {array, Part(InlineSeriesPart{slot, series, recipe, std::move(points.shape)})});
    }
    return recipe;
  }

  template <class Matches>
  Result<std::uint32_t> FindRecipe(std::uint32_t series, RunParts& parts, const Matches& matches) {
    for (const std::uint32_t recipe : RecipesOf(series)) {
      LAMINA_ASSIGN(const SeriesPoints* cooked, parts.Cooked(series, recipe));
      if (cooked != nullptr && matches(*cooked)) return recipe;
    }
    return 0U;
  }

  Result<std::uint32_t> TakeBlobSeries(const Value& blob, std::uint32_t slot, std::uint32_t series,
                                       RunParts& parts, std::vector<SeriesRows>& rows,
                                       std::vector<PendingSeries>& pending) {
    // Most often it is what the first recipe and the writer of the blob before give.
    if (!skeleton_.writers.empty() && !RecipesOf(series).empty() && !IsTaken(blob)) {
      const std::uint32_t recipe = RecipesOf(series)[0];
      const BlobSeriesPart part{slot, series, recipe, last_writer_};
      std::string bytes;
      if (parts.AppendBlobSeries(part, skeleton_.writers[last_writer_], encoder_, bytes).ok() &&
          bytes == blob.raw()) {
        Replace(blob, part);
        return recipe;
      }
    }
    Result<DecodedBlob> decoded = DecodeBlob(blob.AsBinary());
    if (!decoded.ok()) {
      result_.warnings.push_back("series " + std::string(kSeriesNames[series]) + " of run " +
                                 std::to_string(slot) +
                                 " is kept as it is: " + std::string(decoded.error().message()));
      return 0U;
    }
    BlobPoints& points = decoded->points;
    std::uint32_t recipe = 0;
    if (points.time_valid.empty() && points.value_valid.empty()) {
      LAMINA_ASSIGN(recipe, FindRecipe(series, parts, [&](const SeriesPoints& cooked) {
                      if (cooked.times.size() != points.times.size()) return false;
                      for (std::size_t i = 0; i < points.times.size(); ++i) {
                        if (cooked.times[i] / 1000 != points.times[i] ||
                            !SameBits(cooked.values[i], points.values[i])) {
                          return false;
                        }
                      }
                      return true;
                    }));
    }
    if (recipe == 0) AddRows(series, std::move(points), rows);
    pending.push_back(
        {blob, Part(BlobSeriesPart{slot, series, recipe, WriterIndex(decoded->writer)})});
    return recipe;
  }

  static void AddRows(std::uint32_t series, BlobPoints points, std::vector<SeriesRows>& rows) {
    SeriesRows added{series, std::move(points.times), std::move(points.values),
                     std::move(points.time_valid), std::move(points.value_valid)};
    for (std::size_t i = 0; i < added.times.size(); ++i) {
      added.values[i] = PlainCell(added.values[i]);
      // Milliseconds beyond what microseconds hold: no time that a table can say.
      if (__builtin_mul_overflow(added.times[i], std::int64_t{1000}, &added.times[i])) {
        added.times[i] = 0;
        if (added.time_valid.empty()) added.time_valid.assign(added.times.size(), 1);
        added.time_valid[i] = 0;
      }
    }
    rows.push_back(std::move(added));
  }

  std::uint32_t WriterIndex(const BlobWriter& writer) {
    const auto found = std::find(skeleton_.writers.begin(), skeleton_.writers.end(), writer);
    last_writer_ = static_cast<std::uint32_t>(found - skeleton_.writers.begin());
    if (found == skeleton_.writers.end()) skeleton_.writers.push_back(writer);
    return last_writer_;
  }

  // ------------------------------------------------------------ the rest

  Status TakeCode() {
    if (!layout_.metadata || !layout_.metadata->is_map()) return Ok();
    for (const auto entry : layout_.metadata->entries()) {
      if (!entry.key.is_string() || !entry.value.is_string()) continue;
      if (entry.value.raw().size() < kSharedListBytes) continue;
      if (std::find(kCodeKeys.begin(), kCodeKeys.end(), entry.key.AsString()) != kCodeKeys.end()) {
        LAMINA_TRY(ReplaceByChunk(entry.value, catalog::ChunkKind::kCode));
      }
    }
    return Ok();
  }

  Status TakeSharedParts() {
    LAMINA_TRY(TakeCode());
    if (layout_.parameters && layout_.parameters->raw().size() >= kSharedListBytes) {
      LAMINA_TRY(ReplaceByChunk(*layout_.parameters, catalog::ChunkKind::kParams));
    }
    for (const auto& [key, blob] : blobs_) {
      if (blob.size() >= kBlobChunkBytes) {
        LAMINA_TRY(ReplaceByChunk(blob, catalog::ChunkKind::kSeries));
      }
    }
    std::sort(replacements_.begin(), replacements_.end(),
              [](const Replacement& a, const Replacement& b) { return a.offset < b.offset; });
    return Ok();
  }

  bool HoldsTaken(const Value& value) const {
    const auto next = taken_.lower_bound(value.offset());
    return next != taken_.end() && *next < value.offset() + value.raw().size();
  }

  /// Whatever is long and still in the body becomes a chunk, as large a piece as there is.
  Status TakeLargeParts(const Value& value, bool is_root) {
    if (value.raw().size() < options_.chunk_threshold_bytes || IsTaken(value)) return Ok();
    if (!is_root && !HoldsTaken(value)) {
      return ReplaceByChunk(value, catalog::ChunkKind::kSeries);
    }
    for (const Value item : value.items()) LAMINA_TRY(TakeLargeParts(item, false));
    for (const auto entry : value.entries()) LAMINA_TRY(TakeLargeParts(entry.value, false));
    return Ok();
  }

  Status FinishSkeleton() {
    std::sort(replacements_.begin(), replacements_.end(),
              [](const Replacement& a, const Replacement& b) { return a.offset < b.offset; });
    const ByteView bytes = document_.bytes();
    std::size_t position = 0;
    for (const Replacement& replacement : replacements_) {
      skeleton_.body += bytes.substr(position, replacement.offset - position);
      AppendPartReference(skeleton_.body, replacement.part);
      position = replacement.offset + replacement.length;
    }
    skeleton_.body += bytes.substr(position);
    Result<EncodedSkeleton> encoded = EncodeSkeleton(skeleton_);
    const Status checked = encoded.ok() ? Check(*encoded) : std::move(encoded).error();
    if (checked.ok()) {
      result_.skeleton = std::move(encoded->bytes);
      if (encoded->shapes.empty()) return Ok();
      LAMINA_ASSIGN(catalog::PreparedChunk chunk,
                    catalog::PrepareChunk(catalog::ChunkKind::kSchema, encoded->shapes));
      result_.chunks.insert(result_.chunks.begin(), std::move(chunk));
      return Ok();
    }
    result_.warnings.push_back("the document is kept whole: " +
                               std::string(checked.error().message()));
    result_.skeleton = std::string(bytes);
    result_.whole_document = true;
    result_.chunks.clear();
    return Ok();
  }

  /// Every part was written again from its rows and compared when it was taken out. What is left to
  /// check is that the skeleton's bytes say just that, and put each part where it was.
  Status Check(const EncodedSkeleton& encoded) const {
    const ChunkReader shapes = [&](const catalog::ChunkId& id) -> Result<std::string> {
      if (id.sha256 != Sha256(encoded.shapes)) return Internal("the skeleton names another chunk");
      return encoded.shapes;
    };
    LAMINA_ASSIGN(const Skeleton decoded, DecodeSkeleton(encoded.bytes, shapes));
    LAMINA_ASSIGN(const EncodedSkeleton again, EncodeSkeleton(decoded));
    if (again.bytes != encoded.bytes || again.shapes != encoded.shapes) {
      return Internal("the skeleton reads differently");
    }
    LAMINA_ASSIGN(const Document body, Document::Parse(decoded.body, kSkeletonLimits));
    LAMINA_ASSIGN(const std::vector<PartPlace> places, FindParts(body));
    if (places.size() != replacements_.size()) return Internal("it holds MessagePack extensions");
    const ByteView original = document_.bytes();
    std::size_t from = 0, to = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::size_t verbatim = places[i].offset - from;
      if (places[i].part != replacements_[i].part || to + verbatim != replacements_[i].offset ||
          body.bytes().substr(from, verbatim) != original.substr(to, verbatim)) {
        return Internal("a part is in the wrong place");
      }
      from = places[i].offset + places[i].length;
      to = replacements_[i].offset + replacements_[i].length;
    }
    if (body.bytes().substr(from) != original.substr(to)) return Internal("its end differs");
    return Ok();
  }

  const Document& document_;
  const Layout& layout_;
  const DecomposeOptions& options_;
  DecomposedBacktest result_;
  Skeleton skeleton_;
  std::vector<Replacement> replacements_;
  std::set<std::size_t> taken_;  ///< offsets of replaced values
  std::set<catalog::ChunkId> chunk_ids_;
  std::unordered_map<ByteView, Value> blobs_;
  std::vector<std::unique_ptr<RecordsShape>> shapes_;
  BlobEncoder encoder_;
  std::uint32_t last_writer_ = 0;
  bool has_orders_ = false, has_trades_ = false;
};

}  // namespace

Result<DecomposedBacktest> Decompose(const Document& document, const Layout& layout,
                                     const DecomposeOptions& options) {
  return Decomposer(document, layout, options).Run();
}

}  // namespace lamina::backtests
