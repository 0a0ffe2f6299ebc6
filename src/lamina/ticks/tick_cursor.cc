#include "lamina/ticks/tick_cursor.h"

#include <charconv>
#include <vector>

#include "lamina/base/hash.h"

namespace lamina::ticks {
namespace {

constexpr std::size_t kCursorBytesMax = 1 << 20;

/// `prefix`, the numbers and a checksum over them and `bound_to`, dots between.
std::string Format(std::string_view prefix, const std::vector<std::int64_t>& numbers,
                   std::string_view bound_to) {
  std::string text(prefix);
  for (const std::int64_t number : numbers) text += "." + std::to_string(number);
  const std::uint32_t check = Crc32c(text + "|" + std::string(bound_to));
  return text + "." + std::to_string(check);
}

Result<std::vector<std::int64_t>> Parse(std::string_view text, std::string_view prefix,
                                        std::string_view bound_to) {
  const Error error = InvalidArgument("'" + std::string(text.substr(0, 60)) +
                                      "' is not a cursor that was given for this");
  if (text.size() > kCursorBytesMax || !text.starts_with(prefix)) return error.Clone();
  const std::size_t last = text.rfind('.');
  if (last == std::string_view::npos || last < prefix.size()) return error.Clone();
  const std::string body(text.substr(0, last));
  if (std::to_string(Crc32c(body + "|" + std::string(bound_to))) != text.substr(last + 1)) {
    return error.Clone();
  }
  std::vector<std::int64_t> numbers;
  for (std::size_t at = prefix.size(); at < body.size();) {
    const std::size_t end = std::min(body.find('.', at + 1), body.size());
    std::int64_t number = 0;
    const auto parsed = std::from_chars(body.data() + at + 1, body.data() + end, number);
    if (body[at] != '.' || parsed.ec != std::errc() || parsed.ptr != body.data() + end) {
      return error.Clone();
    }
    numbers.push_back(number);
    at = end;
  }
  return numbers;
}

}  // namespace

std::string FormatRowCursor(const RowKey& key, std::string_view query) {
  return Format("q1", {key.begin(), key.end()}, query);
}

Result<RowKey> ParseRowCursor(std::string_view text, std::string_view query) {
  LAMINA_ASSIGN(const std::vector<std::int64_t> numbers, Parse(text, "q1", query));
  RowKey key{};
  if (numbers.size() != key.size()) return InvalidArgument("the cursor is cut off");
  std::copy(numbers.begin(), numbers.end(), key.begin());
  return key;
}

std::string FormatLogCursor(const LogCursor& cursor) {
  std::vector<std::int64_t> numbers;
  for (const auto& [writer, seq] : cursor) {
    numbers.push_back(writer);
    numbers.push_back(seq);
  }
  return Format("t1", numbers, "");
}

Result<LogCursor> ParseLogCursor(std::string_view text) {
  LAMINA_ASSIGN(const std::vector<std::int64_t> numbers, Parse(text, "t1", ""));
  if (numbers.size() % 2 != 0) return InvalidArgument("the cursor is cut off");
  LogCursor cursor;
  for (std::size_t i = 0; i < numbers.size(); i += 2) cursor[numbers[i]] = numbers[i + 1];
  return cursor;
}

}  // namespace lamina::ticks
