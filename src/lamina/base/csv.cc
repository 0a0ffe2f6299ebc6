#include "lamina/base/csv.h"

#include <algorithm>
#include <utility>

namespace lamina {

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

Result<CsvRecord> CsvReader::Next() {
  CsvRecord record{line_, {}};
  while (true) {
    LAMINA_ASSIGN(std::string cell, Cell());
    record.cells.push_back(std::move(cell));
    if (rest_.starts_with(',')) {
      rest_.remove_prefix(1);
      continue;
    }
    EndLine();
    return record;
  }
}

void CsvReader::SkipLine() {
  rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
  EndLine();
}

Result<std::string> CsvReader::Cell() {
  std::string cell;
  if (!rest_.starts_with('"')) {
    const auto end = std::min(rest_.find_first_of(",\n"), rest_.size());
    cell = std::string(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (!cell.empty() && cell.back() == '\r') cell.pop_back();
    return cell;
  }
  rest_.remove_prefix(1);
  while (true) {
    const auto quote = rest_.find('"');
    if (quote == std::string_view::npos) return InvalidArgument("a quote is not closed");
    const auto part = rest_.substr(0, quote);
    line_ += std::count(part.begin(), part.end(), '\n');
    cell += part;
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) break;
    cell += '"';
    rest_.remove_prefix(1);
  }
  if (rest_.starts_with('\r')) rest_.remove_prefix(1);
  if (!rest_.empty() && rest_.front() != ',' && rest_.front() != '\n') {
    return InvalidArgument("text behind a closed quote");
  }
  return cell;
}

void CsvReader::EndLine() {
  if (rest_.starts_with('\n')) rest_.remove_prefix(1);
  ++line_;
}

void AppendCsvField(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace lamina
