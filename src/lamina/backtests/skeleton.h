#pragma once

/// \file lamina/backtests/skeleton.h
/// The bytes that are left of a document when its parts are in tables and chunks: a list of part
/// descriptions and the document's body with a MessagePack extension where a part was taken out.
/// Byte tables: docs/format/backtest_skeleton.md. Values; pure functions.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lamina/backtests/record_schema.h"
#include "lamina/base/result.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/catalog/chunk_store.h"

namespace lamina::backtests {

/// Extension type of a taken-out part; the payload is the part's number, big-endian, shortest.
inline constexpr std::int8_t kPartExtension = 0x4c;
inline constexpr std::int64_t kSkeletonVersion = 1;

/// A skeleton holds a document's body one level deeper than the document does.
inline constexpr bundle::DocumentLimits kSkeletonLimits = {
    .max_bytes = std::size_t{1} << 32, .max_depth = 256, .max_nodes = std::size_t{1} << 28};

/// How one cell was spelt. Codecs give 1..15 their own meaning (CellForm); from kFirstRaw on:
/// entry `form - kFirstRaw` of the field's list of raw values.
namespace cell_form {
inline constexpr std::uint32_t kNil = 0;        ///< all codecs: nil, the cell is NULL
inline constexpr std::uint32_t kFloat = 1;      ///< double: float64
inline constexpr std::uint32_t kInteger = 2;    ///< double, text, id: an integer
inline constexpr std::uint32_t kMinusZero = 3;  ///< double: -0.0 (the cell is 0.0)
inline constexpr std::uint32_t kString = 1;     ///< text: string
inline constexpr std::uint32_t kBoolean = 1;    ///< bool
inline constexpr std::uint32_t kUuid = 1;       ///< id: the text of the uuid column
inline constexpr std::uint32_t kIdString = 3;   ///< id: the text of the second column
inline constexpr std::uint32_t kEmptyMap = 1;   ///< json: the cell is NULL
inline constexpr std::uint32_t kOrderReason =
    2;                                         ///< order metadata: {"order_reason": second column}
inline constexpr std::uint32_t kJsonText = 3;  ///< json, order metadata: what the cell's text says
inline constexpr std::uint32_t kReferences = 1;  ///< order references
/// time: kFirstTime + 3 * (separator is a space) + zone, or kDateOnly
inline constexpr std::uint32_t kFirstTime = 1;
inline constexpr std::uint32_t kDateOnly = 7;
inline constexpr std::uint32_t kFirstRaw = 16;
}  // namespace cell_form

/// Small numbers, one a record, as runs of equal ones.
class FormRuns {
 public:
  struct Run {
    std::uint32_t form = 0;
    std::uint32_t count = 0;
  };
  void Append(std::uint32_t form, std::uint32_t count = 1) {
    if (!runs_.empty() && runs_.back().form == form) {
      runs_.back().count += count;
    } else {
      runs_.push_back({form, count});
    }
    size_ += count;
  }
  /// Once more the last form (any, when there is none yet): for records whose cells do not count.
  void AppendAny() { Append(runs_.empty() ? 0 : runs_.back().form); }
  const std::vector<Run>& runs() const { return runs_; }
  std::uint64_t size() const { return size_; }

 private:
  std::vector<Run> runs_;
  std::uint64_t size_ = 0;
};

/// Walks a FormRuns from its start.
class FormCursor {
 public:
  explicit FormCursor(const FormRuns& forms) : run_(forms.runs().data()) {
    left_ = forms.runs().empty() ? 0 : run_->count;
  }
  /// REQUIRES fewer calls than size().
  std::uint32_t Next() {
    if (left_ == 0) left_ = (++run_)->count;
    --left_;
    return run_->form;
  }

 private:
  const FormRuns::Run* run_;
  std::uint32_t left_;
};

/// One key of the records' shape (or one position, when the records are arrays).
struct FieldPart {
  std::string key;  ///< encoded; empty in array records
  CellCodec codec = CellCodec::kRaw;
  std::uint32_t column = 0;  ///< in ColumnRules; meaningless for kRaw
  FormRuns forms;
  std::vector<std::string> raws;
};

/// Records of one shape that columns hold, and those that are kept as they are.
struct RecordsShape {
  std::uint32_t count = 0;
  bool arrays = false;  ///< records are arrays, not maps
  std::vector<FieldPart> fields;
  std::vector<std::pair<std::uint32_t, std::string>> whole;  ///< ascending positions
};

/// Part kinds; the variant's order is the number in the format.
struct RecordsPart {
  std::uint32_t slot = 0;
  RecordTable table = RecordTable::kSnapshots;
  RecordsShape shape;
};
/// A series as `[[value, time], …]`.
struct InlineSeriesPart {
  std::uint32_t slot = 0;
  std::uint32_t series = 0;  ///< in kSeriesNames
  std::uint32_t recipe = 0;  ///< 0 = rows of metric_series
  RecordsShape shape;
};
/// A series as binary holding a Parquet file.
struct BlobSeriesPart {
  std::uint32_t slot = 0;
  std::uint32_t series = 0;
  std::uint32_t recipe = 0;
  std::uint32_t writer = 0;  ///< in Skeleton::writers
};
/// A copy of a record of the run's trades.
struct TradeCopyPart {
  std::uint32_t slot = 0;
  std::uint32_t trade = 0;
};
/// An encoded value, or the payload of a binary, that is a chunk.
struct ChunkPart {
  catalog::ChunkId id;
  bool binary = false;
  std::uint32_t length = 0;
};
using Part = std::variant<RecordsPart, InlineSeriesPart, BlobSeriesPart, TradeCopyPart, ChunkPart>;

/// What made a Parquet blob, as far as its bytes tell.
struct BlobWriter {
  std::uint32_t layout = 1;  ///< of series_blob.h
  std::string created_by;
  std::vector<std::pair<std::string, std::string>> key_values;
  bool operator==(const BlobWriter&) const = default;
};

struct Skeleton {
  std::vector<BlobWriter> writers;
  std::vector<Part> parts;
  std::string body;
};

/// A skeleton's bytes, and the key lists that it shares with the skeletons of like documents.
struct EncodedSkeleton {
  std::string bytes;
  /// Content of a chunk of kind `schema` that `bytes` names; empty when it names none.
  std::string shapes;
};
/// RETURNS kCorruption when the body is no MessagePack.
Result<EncodedSkeleton> EncodeSkeleton(const Skeleton& skeleton);

using ChunkReader = std::function<Result<std::string>(const catalog::ChunkId& id)>;
/// RETURNS kCorruption (structure), kUnsupported (a newer version), and the reader's errors.
/// Nothing is checked against rows.
Result<Skeleton> DecodeSkeleton(ByteView bytes, const ChunkReader& chunks);
/// The chunks that a skeleton names, each once; its key lists first.
Result<std::vector<catalog::ChunkId>> NamedChunks(ByteView bytes);
/// A skeleton, as opposed to a document kept whole (whose top is a map).
bool IsSkeleton(ByteView bytes);

/// Where part `number` stands in the body, in order of place.
struct PartPlace {
  std::size_t offset = 0, length = 0;
  std::uint32_t part = 0;
};
/// RETURNS kCorruption when an extension is not a part's.
Result<std::vector<PartPlace>> FindParts(const bundle::Document& body);
/// The extension value that stands for a part.
void AppendPartReference(std::string& out, std::uint32_t part);

/// An extension whose payload is a number: 1 to 4 bytes, the highest first, none of them a needless
/// zero.
void AppendNumberExtension(std::string& out, std::int8_t type, std::uint32_t number);
/// The number of such an extension, absent when the payload is none.
std::optional<std::uint32_t> NumberOfExtension(const bundle::Value& extension);

}  // namespace lamina::backtests
