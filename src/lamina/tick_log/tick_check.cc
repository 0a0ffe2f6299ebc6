#include "lamina/tick_log/tick_check.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lamina/base/fine_time.h"
#include "lamina/base/json.h"

namespace lamina::tick_log {
namespace {

constexpr std::array<const char*, 3> kKindNames = {"trades", "quotes", "midpoints"};
constexpr std::size_t kTextBytesMax = std::size_t{16} << 20;

bool IsSize(TickKind kind, std::size_t value) {
  return kind == TickKind::kTrades ? value == 1
                                   : kind == TickKind::kQuotes && (value == 1 || value == 3);
}

template <class T, class Bad>
std::optional<std::size_t> FindBad(const std::vector<T>& column, Bad bad) {
  // A look at all without a branch for each, since nearly all batches are good.
  bool any = false;
  for (const T value : column) any |= bad(value);
  if (!any) return {};
  return static_cast<std::size_t>(std::find_if(column.begin(), column.end(), bad) - column.begin());
}

std::optional<Refusal> FindBadStamp(const std::vector<std::int64_t>& stamps, const char* name) {
  const auto row = FindBad(stamps, [](std::int64_t stamp) {
    return static_cast<std::uint64_t>(stamp) - static_cast<std::uint64_t>(kFirstStampNs) >=
           static_cast<std::uint64_t>(kEndStampNs - kFirstStampNs);
  });
  if (!row) return {};
  return Refusal{*row, name,
                 std::string(name) + " " + std::to_string(stamps[*row]) +
                     " is not a time in nanoseconds from 1971 to 2199"};
}

std::optional<Refusal> FindBadValue(const TickBatch& ticks) {
  const std::vector<std::string> names = ValueNames(ticks.kind);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::vector<double>& column = ticks.values[i];
    const bool size = IsSize(ticks.kind, i);
    const double least = size ? 0.0 : -std::numeric_limits<double>::max();
    const auto row = FindBad(column, [least](double value) {
      return !(value >= least && value <= std::numeric_limits<double>::max());
    });
    if (!row) continue;
    const double value = column[*row];
    return Refusal{*row, names[i],
                   names[i] + " is " + PythonFloatRepr(value) +
                       (std::isfinite(value) ? ": sizes are not negative" : ": it must be finite")};
  }
  return {};
}

std::optional<Refusal> FindBadText(const TextColumn& texts, const char* name) {
  for (std::size_t i = 0; i < texts.values.size(); ++i) {
    const std::string& text = texts.values[i];
    const bool whole = ValidUtf8(text);
    if (whole && text.size() <= kTextBytesMax && !text.empty()) continue;
    const auto row =
        std::find(texts.codes.begin(), texts.codes.end(), static_cast<std::uint32_t>(i + 1));
    if (row == texts.codes.end()) continue;
    return Refusal{static_cast<std::size_t>(row - texts.codes.begin()), name,
                   std::string(name) + (text.empty() ? " is an empty text: leave it out"
                                        : whole      ? " is longer than 16 MiB"
                                                     : " is not UTF-8")};
  }
  return {};
}

Status CheckShape(const TickBatch& ticks) {
  const std::size_t rows = ticks.size();
  const auto fits = [&](std::size_t size, bool optional = false) {
    return size == rows || (optional && size == 0);
  };
  bool whole = fits(ticks.contract_id.size()) && fits(ticks.type.size()) &&
               fits(ticks.recv_ns.size(), true) && fits(ticks.flags.size(), true) &&
               fits(ticks.request_id.size(), true);
  for (std::size_t i = 0; i < ValueCount(ticks.kind); ++i) whole &= fits(ticks.values[i].size());
  for (const TextColumn* texts :
       {&ticks.exchange, &ticks.conditions, &ticks.source, &ticks.extra}) {
    whole &= fits(texts->codes.size(), true);
    const std::size_t known = texts->values.size();
    whole &= std::none_of(texts->codes.begin(), texts->codes.end(),
                          [&](std::uint32_t code) { return code > known; });
  }
  if (whole) return Ok();
  return InvalidArgument("the columns of " +
                         std::string(kKindNames[static_cast<std::size_t>(ticks.kind)]) +
                         " have different lengths, or codes without texts");
}

}  // namespace

Result<std::int64_t> StampOfText(std::string_view text) {
  LAMINA_ASSIGN(const FineTime time, ParseFineTime(text));
  const std::int64_t micros = time.micros.value;
  if (micros < kFirstStampNs / 1000 || micros >= kEndStampNs / 1000)
    return InvalidArgument("'" + std::string(text) + "' is not a time from 1971 to 2199");
  if (time.is_finer)
    return InvalidArgument("'" + std::string(text) + "' is finer than nanoseconds");
  return micros * 1000 + time.nanos;
}

std::optional<Refusal> FindRefusal(const TickBatch& ticks) {
  if (auto bad = FindBadStamp(ticks.ts_ns, "ts_ns")) return bad;
  if (auto bad = FindBadStamp(ticks.recv_ns, "recv_ns")) return bad;
  if (const auto row = FindBad(ticks.contract_id, [](std::int64_t id) { return id < 1; })) {
    return Refusal{
        *row, "contract_id",
        "contract_id is " + std::to_string(ticks.contract_id[*row]) + ": ids are positive"};
  }
  const TickKind kind = ticks.kind;
  if (const auto row = FindBad(ticks.type, [kind](TickType type) {
        const auto number = static_cast<unsigned>(type);
        return number < 1 || number > 4 || KindOf(type) != kind;
      })) {
    return Refusal{*row, "tick_type",
                   "tick_type " + std::to_string(static_cast<int>(ticks.type[*row])) +
                       " does not belong to its kind"};
  }
  if (auto bad = FindBadValue(ticks)) return bad;
  if (const auto row =
          FindBad(ticks.flags, [](std::uint32_t flags) { return (flags & ~kKnownFlags) != 0; })) {
    return Refusal{*row, "flags", "flags " + std::to_string(ticks.flags[*row]) + " are unknown"};
  }
  if (auto bad = FindBadText(ticks.exchange, "exchange")) return bad;
  if (auto bad = FindBadText(ticks.conditions, "conditions")) return bad;
  if (auto bad = FindBadText(ticks.source, "source")) return bad;
  return FindBadText(ticks.extra, "extra");
}

Status CheckTicks(const TickBatches& ticks) {
  std::size_t rows = 0;
  for (const TickKind kind : kTickKinds) {
    const auto number = static_cast<std::size_t>(kind);
    const TickBatch& batch = ticks[number];
    if (batch.size() == 0 && batch.contract_id.empty()) continue;
    if (batch.kind != kind) return InvalidArgument("batches stand by kind");
    LAMINA_TRY(CheckShape(batch));
    rows += batch.size();
    if (const auto refusal = FindRefusal(batch)) {
      return InvalidArgument(std::string(kKindNames[number]) + " row " +
                             std::to_string(refusal->row) + ": " + refusal->what);
    }
  }
  if (std::cmp_less_equal(rows, kAppendRowsMax)) return Ok();
  return InvalidArgument("an append has at most " + std::to_string(kAppendRowsMax) +
                         " ticks, not " + std::to_string(rows) + ": append in parts");
}

}  // namespace lamina::tick_log
