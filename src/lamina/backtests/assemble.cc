#include <map>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/run_parts.h"
#include "lamina/backtests/skeleton.h"

namespace lamina::backtests {

namespace {

using bundle::Document;

/// No document that Document::Parse accepted is larger.
constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 32;

class Assembler {
 public:
  Assembler(const Skeleton& skeleton, const PartSource& source)
      : skeleton_(skeleton), source_(source) {}

  Result<std::string> Run() {
    for (const Part& part : skeleton_.parts) {
      if (const auto* records = std::get_if<RecordsPart>(&part)) {
        shapes_[{records->slot, records->table}] = &records->shape;
      }
    }
    LAMINA_ASSIGN(const Document body, Document::Parse(skeleton_.body, kSkeletonLimits));
    LAMINA_ASSIGN(const std::vector<PartPlace> places, FindParts(body));
    std::string out;
    std::size_t position = 0;
    for (const PartPlace& place : places) {
      out += body.bytes().substr(position, place.offset - position);
      position = place.offset + place.length;
      if (place.part >= skeleton_.parts.size()) {
        return Corruption("backtest skeleton: its body names part " + std::to_string(place.part) +
                          " of " + std::to_string(skeleton_.parts.size()));
      }
      out_ = &out;
      LAMINA_TRY_WITH(std::visit(*this, skeleton_.parts[place.part]),
                      "backtest part " + std::to_string(place.part));
      if (out.size() > kMaxDocumentBytes) {
        return ResourceExhausted("backtest skeleton: the document grows beyond 4 GiB");
      }
    }
    out += body.bytes().substr(position);
    return out;
  }

  Status operator()(const RecordsPart& part) {
    LAMINA_ASSIGN(RunParts * run, RunOf(part.slot));
    // Two parts may not describe one table; the one that counts is the one that is found.
    if (shapes_[{part.slot, part.table}] != &part.shape) {
      return Corruption("two parts describe one table of a run");
    }
    return run->AppendRecords(part.table, *out_);
  }
  Status operator()(const InlineSeriesPart& part) {
    LAMINA_ASSIGN(RunParts * run, RunOf(part.slot));
    return run->AppendInlineSeries(part, *out_);
  }
  Status operator()(const BlobSeriesPart& part) {
    LAMINA_ASSIGN(RunParts * run, RunOf(part.slot));
    return run->AppendBlobSeries(part, skeleton_.writers[part.writer], encoder_, *out_);
  }
  Status operator()(const TradeCopyPart& part) {
    LAMINA_ASSIGN(RunParts * run, RunOf(part.slot));
    return run->AppendTrade(part.trade, *out_);
  }
  Status operator()(const ChunkPart& part) {
    LAMINA_ASSIGN(const std::string content, source_.chunk(part.id));
    if (content.size() != part.length) return Corruption("a chunk has another length");
    if (part.binary) {
      bundle::Writer(*out_).Binary(content);
    } else {
      *out_ += content;
    }
    return Ok();
  }

 private:
  Result<RunParts*> RunOf(std::uint32_t slot) {
    const auto found = runs_.find(slot);
    if (found != runs_.end()) return &found->second;
    LAMINA_ASSIGN(RunRows rows, source_.run(slot));
    RunParts& run = runs_.emplace(slot, RunParts(std::move(rows))).first->second;
    for (std::size_t table = 0; table < kRecordTableCount; ++table) {
      const auto shape = shapes_.find({slot, static_cast<RecordTable>(table)});
      if (shape != shapes_.end()) run.SetShape(shape->first.second, shape->second);
    }
    return &run;
  }

  const Skeleton& skeleton_;
  const PartSource& source_;
  std::map<std::pair<std::uint32_t, RecordTable>, const RecordsShape*> shapes_;
  std::map<std::uint32_t, RunParts> runs_;
  BlobEncoder encoder_;
  std::string* out_ = nullptr;
};

}  // namespace

Result<std::string> Assemble(ByteView skeleton, const PartSource& source) {
  if (!IsSkeleton(skeleton)) {
    // Kept whole: the document's top is a map, a skeleton's an array.
    LAMINA_ASSIGN(const Document document, Document::Parse(std::string(skeleton), kSkeletonLimits));
    if (!document.root().is_map()) return Corruption("neither a backtest skeleton nor a document");
    return std::string(skeleton);
  }
  LAMINA_ASSIGN(const Skeleton decoded, DecodeSkeleton(skeleton, source.chunk));
  return Assembler(decoded, source).Run();
}

Result<std::vector<catalog::ChunkId>> ChunksOfSkeleton(ByteView skeleton) {
  if (!IsSkeleton(skeleton)) return std::vector<catalog::ChunkId>();
  return NamedChunks(skeleton);
}

}  // namespace lamina::backtests
