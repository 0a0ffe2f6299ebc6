#include "lamina/ticks/tick_input.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/near_names.h"
#include "lamina/series/input_columns.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::ticks {
namespace {

using tick_log::TickBatch;
using tick_log::TickKind;
using tick_log::TickType;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr std::array kNames = {"ts_ns",      "timestamp", "recv_ns", "contract_id", "symbol",
                               "tick_type",  "price",     "size",    "bid_price",   "bid_size",
                               "ask_price",  "ask_size",  "flags",   "request_id",  "exchange",
                               "conditions", "source",    "extra",   "writer",      "seq"};
constexpr std::array kValues = {"price", "size", "bid_price", "bid_size", "ask_price", "ask_size"};

/// Words of a text column as numbers from 1; 0 is NULL or empty.
struct Words {
  std::vector<std::uint32_t> codes;
  std::vector<std::string> words;
};

class WordReader {
 public:
  Status Add(const arrow::Array& column, const std::string& name) {
    switch (column.type_id()) {
      case arrow::Type::NA:
        words_.codes.resize(words_.codes.size() + static_cast<std::size_t>(column.length()), 0);
        return Ok();
      case arrow::Type::STRING:
        return AddTexts(static_cast<const arrow::StringArray&>(column));
      case arrow::Type::LARGE_STRING:
        return AddTexts(static_cast<const arrow::LargeStringArray&>(column));
      case arrow::Type::STRING_VIEW:
        return AddTexts(static_cast<const arrow::StringViewArray&>(column));
      case arrow::Type::DICTIONARY:
        return AddDictionary(static_cast<const arrow::DictionaryArray&>(column), name);
      default:
        return InvalidArgument("column `" + name + "` is " + column.type()->ToString() +
                               ", not text");
    }
  }
  Words Take() { return std::move(words_); }

 private:
  template <class Texts>
  Status AddTexts(const Texts& texts) {
    std::string_view last;
    std::uint32_t last_code = 0;
    for (std::int64_t row = 0; row < texts.length(); ++row) {
      const std::string_view text = texts.IsNull(row) ? std::string_view() : texts.GetView(row);
      if (row == 0 || text != last) {
        last = text;
        last_code = Code(text);
      }
      words_.codes.push_back(last_code);
    }
    return Ok();
  }

  Status AddDictionary(const arrow::DictionaryArray& column, const std::string& name) {
    WordReader values;
    LAMINA_TRY(values.Add(*column.dictionary(), name));
    const Words inner = values.Take();
    std::vector<std::uint32_t> codes;
    for (const std::uint32_t code : inner.codes) {
      codes.push_back(code == 0 ? 0 : Code(inner.words[code - 1]));
    }
    const arrow::Array& indices = *column.indices();
    switch (indices.type_id()) {
      case arrow::Type::INT8:
        return AddIndices<std::int8_t>(indices, codes, name);
      case arrow::Type::UINT8:
        return AddIndices<std::uint8_t>(indices, codes, name);
      case arrow::Type::INT16:
        return AddIndices<std::int16_t>(indices, codes, name);
      case arrow::Type::UINT16:
        return AddIndices<std::uint16_t>(indices, codes, name);
      case arrow::Type::INT32:
        return AddIndices<std::int32_t>(indices, codes, name);
      case arrow::Type::UINT32:
        return AddIndices<std::uint32_t>(indices, codes, name);
      default:
        return AddIndices<std::int64_t>(indices, codes, name);
    }
  }

  template <class Index>
  Status AddIndices(const arrow::Array& indices, const std::vector<std::uint32_t>& codes,
                    const std::string& name) {
    const Index* const from = indices.data()->GetValues<Index>(1);
    const auto rows = static_cast<std::size_t>(indices.length());
    const bool nulls = indices.null_count() > 0;
    const std::size_t before = words_.codes.size();
    words_.codes.resize(before + rows);
    std::uint32_t* const to = words_.codes.data() + before;
    for (std::size_t row = 0; row < rows; ++row) {
      if (nulls && indices.IsNull(static_cast<std::int64_t>(row))) {
        to[row] = 0;
        continue;
      }
      const auto index = static_cast<std::size_t>(from[row]);
      if (index >= codes.size()) {
        return InvalidArgument("column `" + name + "` row " + std::to_string(before + row) +
                               " is outside its dictionary");
      }
      to[row] = codes[index];
    }
    return Ok();
  }

  std::uint32_t Code(std::string_view text) {
    if (text.empty()) return 0;
    const auto [at, added] = known_.try_emplace(std::string(text), 0);
    if (added) {
      words_.words.emplace_back(text);
      at->second = static_cast<std::uint32_t>(words_.words.size());
    }
    return at->second;
  }

  Words words_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

std::string At(std::string_view column, std::size_t row) {
  return "column `" + std::string(column) + "` row " + std::to_string(row);
}

/// One table on its way into batches.
class Intake {
 public:
  Intake(const arrow::Table& table, const InputOptions& options)
      : table_(table), options_(options), rows_(static_cast<std::size_t>(table.num_rows())) {}

  Result<TickRows> Run() {
    LAMINA_TRY(CheckNames());
    TickRows out;
    out.rows = table_.num_rows();
    for (std::size_t kind = 0; kind < 3; ++kind) out.ticks[kind].kind = static_cast<TickKind>(kind);
    if (rows_ == 0) return out;
    LAMINA_TRY(ReadTypes());
    LAMINA_TRY(ReadTimes());
    LAMINA_TRY(ReadContracts());
    Split(out);
    for (std::size_t kind = 0; kind < 3; ++kind) {
      if (place_[kind].empty() && !(whole_ && static_cast<TickKind>(kind) == kind_)) continue;
      LAMINA_TRY(Fill(out.ticks[kind], place_[kind]));
    }
    LAMINA_TRY(CheckAbsent());
    return out;
  }

 private:
  ArrayPtr Column(const std::string& name) {
    const auto column = table_.GetColumnByName(name);
    if (column == nullptr) return nullptr;
    auto whole = table::CombineColumn(*column);
    return whole.ok() ? *whole : nullptr;
  }

  Status CheckNames() const {
    const std::vector<std::string> known(kNames.begin(), kNames.end());
    for (const std::string& name : table_.schema()->field_names()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return InvalidArgument("ticks have no column `" + name + "`" + DidYouMean(name, known));
      }
      if (table_.schema()->GetAllFieldIndices(name).size() > 1) {
        return InvalidArgument("two columns are named `" + name + "`");
      }
    }
    return Ok();
  }

  Result<Words> ReadWords(const std::string& name) {
    WordReader reader;
    const auto column = table_.GetColumnByName(name);
    if (column == nullptr) return reader.Take();
    for (const ArrayPtr& chunk : column->chunks()) LAMINA_TRY(reader.Add(*chunk, name));
    return reader.Take();
  }

  Status ReadTypes() {
    LAMINA_ASSIGN(const Words words, ReadWords("tick_type"));
    if (words.codes.empty()) {
      if (!options_.type) return InvalidArgument("there is no column `tick_type`");
      types_.assign(rows_, *options_.type);
      return Ok();
    }
    std::vector<TickType> of_code;
    for (const std::string& word : words.words) {
      LAMINA_ASSIGN(of_code.emplace_back(), tick_log::ParseTickType(word));
    }
    types_.resize(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::uint32_t code = words.codes[row];
      if (code == 0 && !options_.type) return InvalidArgument(At("tick_type", row) + " is NULL");
      types_[row] = code == 0 ? *options_.type : of_code[code - 1];
    }
    return Ok();
  }

  Status ReadTimes() {
    const char* name = table_.GetColumnByName("ts_ns") != nullptr ? "ts_ns" : "timestamp";
    const ArrayPtr column = Column(name);
    if (column == nullptr) return InvalidArgument("there is no column `ts_ns` (or `timestamp`)");
    LAMINA_ASSIGN(ts_, series::ReadStamps(column, name));
    const ArrayPtr recv = Column("recv_ns");
    if (recv == nullptr || recv->null_count() == recv->length()) return Ok();
    if (recv->null_count() == 0) {
      LAMINA_ASSIGN(recv_, series::ReadStamps(recv, "recv_ns"));
      return Ok();
    }
    if (recv->type_id() != arrow::Type::INT64) {
      return InvalidArgument("column `recv_ns` with NULL must be int64");
    }
    const auto& typed = static_cast<const arrow::Int64Array&>(*recv);
    for (std::int64_t row = 0; row < typed.length(); ++row) {
      recv_.own.push_back(typed.IsNull(row) ? options_.now.value : typed.Value(row));
    }
    recv_.view = recv_.own;
    return Ok();
  }

  Status ReadContracts() {
    if (const ArrayPtr column = Column("contract_id")) {
      LAMINA_ASSIGN(contracts_, series::ReadIntegers(column, "contract_id"));
      return Ok();
    }
    LAMINA_ASSIGN(const Words words, ReadWords("symbol"));
    std::vector<std::int64_t> ids;
    for (const std::string& word : words.words) {
      if (!options_.resolve) return InvalidArgument("symbols are not known here: give contract_id");
      LAMINA_ASSIGN(ids.emplace_back(), options_.resolve(word));
    }
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::uint32_t code = words.codes.empty() ? 0 : words.codes[row];
      if (code == 0 && !options_.contract_id) {
        return words.codes.empty()
                   ? InvalidArgument("there is no column `contract_id` (or `symbol`)")
                   : InvalidArgument(At("symbol", row) + " is NULL");
      }
      contracts_.own.push_back(code == 0 ? *options_.contract_id : ids[code - 1]);
    }
    contracts_.view = contracts_.own;
    return Ok();
  }

  /// Which rows are of which kind.
  void Split(TickRows& out) {
    kind_ = tick_log::KindOf(types_.front());
    whole_ = std::all_of(types_.begin(), types_.end(),
                         [&](TickType type) { return tick_log::KindOf(type) == kind_; });
    if (whole_) return;
    out.order.reserve(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      const TickKind kind = tick_log::KindOf(types_[row]);
      auto& rows = place_[static_cast<std::size_t>(kind)];
      out.order.push_back({kind, static_cast<std::uint32_t>(rows.size())});
      rows.push_back(static_cast<std::uint32_t>(row));
    }
  }

  template <class Value>
  void Pick(std::span<const Value> from, const std::vector<std::uint32_t>& rows,
            std::vector<Value>& into) const {
    if (whole_) {
      into.assign(from.begin(), from.end());
      return;
    }
    into.reserve(rows.size());
    for (const std::uint32_t row : rows) into.push_back(from[row]);
  }

  Status Fill(TickBatch& batch, const std::vector<std::uint32_t>& rows) {
    Pick<std::int64_t>(contracts_.view, rows, batch.contract_id);
    Pick<TickType>(types_, rows, batch.type);
    Pick<std::int64_t>(ts_.view, rows, batch.ts_ns);
    if (!recv_.view.empty()) Pick<std::int64_t>(recv_.view, rows, batch.recv_ns);
    const std::vector<std::string> names = tick_log::ValueNames(batch.kind);
    for (std::size_t i = 0; i < names.size(); ++i) {
      LAMINA_TRY(FillValue(batch, names[i], rows, batch.values[i]));
    }
    LAMINA_TRY(FillOptional(batch, rows));
    const std::array columns = {&batch.exchange, &batch.conditions, &batch.source, &batch.extra};
    constexpr std::array kTexts = {"exchange", "conditions", "source", "extra"};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      LAMINA_ASSIGN(Words words, ReadWords(kTexts[i]));
      if (words.words.empty()) continue;
      Pick<std::uint32_t>(words.codes, rows, columns[i]->codes);
      columns[i]->values = std::move(words.words);
    }
    return Ok();
  }

  Status FillValue(const TickBatch& batch, const std::string& name,
                   const std::vector<std::uint32_t>& rows, std::vector<double>& into) {
    const ArrayPtr column = Column(name);
    const std::string type(tick_log::TickTypeName(batch.type.front()));
    if (column == nullptr) {
      return InvalidArgument("there is no column `" + name + "`, which " + type + " ticks need");
    }
    if (column->null_count() > 0) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        const std::size_t row = whole_ ? i : rows[i];
        if (column->IsNull(static_cast<std::int64_t>(row))) {
          return InvalidArgument(At(name, row) + " is NULL, and " + type + " ticks need it");
        }
      }
    }
    LAMINA_ASSIGN(const series::Numbers numbers, series::ReadNumbers(column, name));
    Pick<double>(numbers.view, rows, into);
    return Ok();
  }

  Status FillOptional(TickBatch& batch, const std::vector<std::uint32_t>& rows) {
    if (const ArrayPtr column = Column("flags");
        column && column->null_count() < column->length()) {
      LAMINA_ASSIGN(const series::Numbers flags, series::ReadNumbers(column, "flags"));
      std::vector<double> picked;
      Pick<double>(flags.view, rows, picked);
      for (std::size_t i = 0; i < picked.size(); ++i) {
        const double flag = std::isnan(picked[i]) ? 0 : picked[i];
        if (flag < 0 || flag > 4'294'967'295.0 || flag != std::floor(flag)) {
          return InvalidArgument(At("flags", whole_ ? i : rows[i]) + " is not a number of flags");
        }
        batch.flags.push_back(static_cast<std::uint32_t>(flag));
      }
    }
    const ArrayPtr column = Column("request_id");
    if (column == nullptr || column->null_count() == column->length()) return Ok();
    LAMINA_ARROW_ASSIGN(const ArrayPtr filled, FillNulls(column), "reading request_id");
    LAMINA_ASSIGN(const series::Stamps ids, series::ReadIntegers(filled, "request_id"));
    Pick<std::int64_t>(ids.view, rows, batch.request_id);
    return Ok();
  }

  static arrow::Result<ArrayPtr> FillNulls(const ArrayPtr& column) {
    if (column->null_count() == 0 || column->type_id() != arrow::Type::INT64) return column;
    const auto& typed = static_cast<const arrow::Int64Array&>(*column);
    arrow::Int64Builder builder;
    for (std::int64_t row = 0; row < typed.length(); ++row) {
      ARROW_RETURN_NOT_OK(
          builder.Append(typed.IsNull(row) ? TickBatch::kNoRequest : typed.Value(row)));
    }
    return builder.Finish();
  }

  /// A value that the row's type does not have is not dropped but refused.
  Status CheckAbsent() {
    for (const char* name : kValues) {
      const ArrayPtr column = Column(name);
      if (column == nullptr || column->null_count() == column->length()) continue;
      std::array<bool, 3> has{};
      for (std::size_t kind = 0; kind < 3; ++kind) {
        const auto names = tick_log::ValueNames(static_cast<TickKind>(kind));
        has[kind] = std::find(names.begin(), names.end(), name) != names.end();
      }
      if (whole_ && has[static_cast<std::size_t>(kind_)]) continue;
      for (std::size_t row = 0; row < rows_; ++row) {
        if (has[static_cast<std::size_t>(tick_log::KindOf(types_[row]))]) continue;
        if (column->IsNull(static_cast<std::int64_t>(row))) continue;
        return InvalidArgument(At(name, row) + " has a value, and " +
                               std::string(tick_log::TickTypeName(types_[row])) +
                               " ticks have no " + name);
      }
    }
    return Ok();
  }

  const arrow::Table& table_;
  const InputOptions& options_;
  std::size_t rows_;
  std::vector<TickType> types_;
  series::Stamps ts_, recv_, contracts_;
  TickKind kind_ = TickKind::kTrades;
  bool whole_ = false;  ///< all rows are of kind_
  std::array<std::vector<std::uint32_t>, 3> place_;
};

}  // namespace

Result<TickRows> TicksOfArrow(const arrow::Table& table, const InputOptions& options) {
  return Intake(table, options).Run();
}

}  // namespace lamina::ticks
