#include "lamina/backtests/render.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "lamina/base/csv.h"

namespace lamina::backtests {
namespace {

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// Four decimals as printf's %.4f, in any locale.
std::string Fixed(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 330> buffer;  // 309 digits before the point at most
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, 4)
                       .ptr;
  return {buffer.data(), end};
}

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::string CsvText(const Cell& cell) {
  if (const auto* real = std::get_if<double>(&cell)) return PythonFloatRepr(*real);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return CellText(cell);
}

void AppendObject(std::string& out, const RowSet& rows, const std::vector<Cell>& cells,
                  std::string_view between) {
  out += '{';
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    out += between;
    out += JsonQuoted(rows.columns[i]);
    out += between.empty() ? ":" : ": ";
    JsonWriter json(out);
    WriteCell(json, cells[i]);
  }
}

}  // namespace

std::string CellText(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return Fixed(*real);
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? "true" : "false";
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? OneLine(*text) : std::string();
}

void WriteCell(JsonWriter& json, const Cell& cell) {
  struct Write {
    JsonWriter& json;
    void operator()(std::monostate) const { json.Null(); }
    void operator()(std::int64_t value) const { json.Int(value); }
    void operator()(double value) const {
      if (std::isfinite(value)) {
        json.Raw(PythonFloatRepr(value));  // 5.0 stays a float
      } else {
        json.Null();
      }
    }
    void operator()(const std::string& value) const { json.String(value); }
    void operator()(bool value) const { json.Bool(value); }
  };
  std::visit(Write{json}, cell);
}

std::string RenderAligned(const std::vector<std::string>& header,
                          const std::vector<std::vector<std::string>>& cells) {
  std::vector<std::size_t> widths;
  for (const std::string& name : header) widths.push_back(CodePoints(name));
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], CodePoints(line[i]));
    }
  }
  std::string out;
  const auto append = [&](const std::vector<std::string>& line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) out += "  ";
      out += line[i];
      if (i + 1 < line.size()) out.append(widths[i] - CodePoints(line[i]), ' ');
    }
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
  };
  append(header);
  std::vector<std::string> rule;
  for (const std::size_t width : widths) rule.emplace_back(width, '-');
  append(rule);
  for (const auto& line : cells) append(line);
  return out;
}

std::string RenderTable(const RowSet& rows) {
  if (rows.rows.empty()) return "(no rows)\n";
  std::vector<std::vector<std::string>> cells;
  cells.reserve(rows.rows.size());
  for (const auto& row : rows.rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (const Cell& cell : row) line.push_back(CellText(cell));
  }
  std::vector<std::string> header;
  for (const std::string& column : rows.columns) header.push_back(OneLine(column));
  return RenderAligned(header, cells);
}

std::string RenderJson(const RowSet& rows) {
  if (rows.rows.empty()) return "[]\n";
  std::string out = "[";
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    out += i == 0 ? "\n  " : ",\n  ";
    AppendObject(out, rows, rows.rows[i], "\n    ");
    out += "\n  }";
  }
  return out + "\n]\n";
}

std::string RenderJsonLines(const RowSet& rows) {
  std::string out;
  for (const auto& row : rows.rows) {
    AppendObject(out, rows, row, "");
    out += "}\n";
  }
  return out;
}

std::string RenderCsv(const RowSet& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    if (i > 0) out += ',';
    AppendCsvField(out, rows.columns[i]);
  }
  out += '\n';
  for (const auto& row : rows.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      AppendCsvField(out, CsvText(row[i]));
    }
    out += '\n';
  }
  return out;
}

}  // namespace lamina::backtests
