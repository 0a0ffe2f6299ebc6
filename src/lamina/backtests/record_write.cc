#include <charconv>
#include <cmath>

#include "lamina/backtests/json_text.h"
#include "lamina/backtests/record_codec.h"
#include "lamina/base/time.h"

namespace lamina::backtests {

namespace {

using bundle::Writer;

Error Misfit(std::string_view what) { return Corruption("backtest rows: " + std::string(what)); }

/// No document that was taken apart is larger.
constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 32;

/// One key of the shape while records are written.
struct FieldWriter {
  const FieldPart* part;
  const ColumnView* cells;   ///< null for kRaw
  const ColumnView* second;  ///< of kId and kOrderMetadata
  FormCursor cursor;
};

bool Fits(CellCodec codec, table::LakeType type) {
  switch (codec) {
    case CellCodec::kRaw:
      return true;
    case CellCodec::kDouble:
      return type == table::LakeType::kDouble;
    case CellCodec::kText:
    case CellCodec::kJson:
    case CellCodec::kOrderMetadata:
      return type == table::LakeType::kVarchar;
    case CellCodec::kTime:
      return type == table::LakeType::kTimestampTz;
    case CellCodec::kBool:
      return type == table::LakeType::kBoolean;
    case CellCodec::kId:
      return type == table::LakeType::kUuid;
    case CellCodec::kOrderReferences:
      return type == table::LakeType::kInt32List;
  }
  return false;
}

Result<FieldWriter> Bind(const FieldPart& part, std::span<const ColumnView> columns) {
  FieldWriter field{&part, nullptr, nullptr, FormCursor(part.forms)};
  if (part.codec == CellCodec::kRaw) return field;
  if (part.column >= columns.size() || !Fits(part.codec, columns[part.column].type)) {
    return Misfit("a field names a column that is not its own");
  }
  field.cells = &columns[part.column];
  if (part.codec == CellCodec::kId || part.codec == CellCodec::kOrderMetadata) {
    if (part.column + 1 >= columns.size() ||
        columns[part.column + 1].type != table::LakeType::kVarchar) {
      return Misfit("a field lacks its second column");
    }
    field.second = &columns[part.column + 1];
  }
  return field;
}

Status WriteInteger(std::string& out, ByteView text) {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    return Misfit("an integer's cell holds other text");
  }
  Writer(out).Int(number);
  return Ok();
}

Status WriteDouble(std::string& out, const ColumnView& cells, std::int64_t row,
                   std::uint32_t form) {
  Writer writer(out);
  if (form == cell_form::kMinusZero) {
    writer.Double(-0.0);
    return Ok();
  }
  if (cells.IsNull(row)) return Misfit("a number's cell is NULL");
  const double value = PlainCell(cells.doubles[row]);
  if (form == cell_form::kFloat) {
    writer.Double(value);
    return Ok();
  }
  constexpr double kExactInteger = 9007199254740992.0;
  if (form != cell_form::kInteger) return Misfit("unknown form of a number");
  if (!(std::fabs(value) <= kExactInteger) || value != std::trunc(value)) {
    return Misfit("an integer's cell is not whole");
  }
  writer.Int(static_cast<std::int64_t>(value));
  return Ok();
}

Status WriteTime(std::string& out, const ColumnView& cells, std::int64_t row, std::uint32_t form) {
  if (form > cell_form::kDateOnly) return Misfit("unknown form of a time");
  if (cells.IsNull(row)) return Misfit("a time's cell is NULL");
  TimeSpelling spelling;
  if (form == cell_form::kDateOnly) {
    spelling.date_only = true;
    spelling.zone = TimeSpelling::Zone::kNone;
  } else {
    const std::uint32_t kind = form - cell_form::kFirstTime;
    spelling.separator = kind >= 3 ? ' ' : 'T';
    spelling.zone = static_cast<TimeSpelling::Zone>(kind % 3);
  }
  // A time's text is shorter than 256 bytes; its length byte is put right afterwards.
  const std::size_t header = out.size();
  out.push_back('\0');
  AppendTime(out, Micros{cells.integers[row]}, spelling);
  const std::size_t length = out.size() - header - 1;
  if (length < 32) {
    out[header] = static_cast<char>(0xa0 | length);
  } else {
    out[header] = static_cast<char>(0xd9);
    out.insert(header + 1, 1, static_cast<char>(length));
  }
  return Ok();
}

Status WriteReferences(std::string& out, const ColumnView& cells, std::int64_t row,
                       const RecordBytes* orders) {
  if (cells.IsNull(row)) return Misfit("a list of orders is NULL");
  if (orders == nullptr) return Misfit("trades name orders that the skeleton does not have");
  const std::int64_t begin = cells.offsets[row], end = cells.offsets[row + 1];
  if (begin < 0 || end < begin || end > cells.list_value_count) {
    return Misfit("a list of orders is damaged");
  }
  AppendArrayHeader(out, static_cast<std::uint32_t>(end - begin));
  for (const std::int32_t position : cells.List(row)) {
    if (position < 0 || static_cast<std::size_t>(position) >= orders->size()) {
      return Misfit("a trade names order " + std::to_string(position) + " of " +
                    std::to_string(orders->size()));
    }
    out += orders->Record(static_cast<std::size_t>(position));
  }
  return Ok();
}

Status WriteId(std::string& out, const FieldWriter& field, std::int64_t row, std::uint32_t form) {
  if (form == cell_form::kUuid) {
    if (field.cells->IsNull(row)) return Misfit("an id's cell is NULL");
    Writer(out).String(field.cells->UuidAt(row).ToString());
    return Ok();
  }
  if (field.second->IsNull(row)) return Misfit("an id's text is NULL");
  const ByteView text = field.second->Text(row);
  if (form == cell_form::kInteger) return WriteInteger(out, text);
  if (form != cell_form::kIdString) return Misfit("unknown form of an id");
  Writer(out).String(text);
  return Ok();
}

Status WriteCell(std::string& out, const FieldWriter& field, std::int64_t row, std::uint32_t form,
                 const RecordBytes* orders) {
  if (form >= cell_form::kFirstRaw) {
    out += field.part->raws[form - cell_form::kFirstRaw];
    return Ok();
  }
  if (form == cell_form::kNil) {
    Writer(out).Nil();
    return Ok();
  }
  switch (field.part->codec) {
    case CellCodec::kRaw:
      return Misfit("a field without column has no bytes");
    case CellCodec::kDouble:
      return WriteDouble(out, *field.cells, row, form);
    case CellCodec::kText:
      if (field.cells->IsNull(row)) return Misfit("a text's cell is NULL");
      if (form == cell_form::kInteger) return WriteInteger(out, field.cells->Text(row));
      if (form != cell_form::kString) return Misfit("unknown form of a text");
      Writer(out).String(field.cells->Text(row));
      return Ok();
    case CellCodec::kTime:
      return WriteTime(out, *field.cells, row, form);
    case CellCodec::kBool:
      if (form != cell_form::kBoolean) return Misfit("unknown form of a flag");
      if (field.cells->IsNull(row)) return Misfit("a flag's cell is NULL");
      Writer(out).Bool(field.cells->Bool(row));
      return Ok();
    case CellCodec::kId:
      return WriteId(out, field, row, form);
    case CellCodec::kOrderMetadata:
      if (form == cell_form::kOrderReason) {
        if (field.second->IsNull(row)) return Misfit("an order's reason is NULL");
        Writer writer(out);
        writer.MapHeader(1);
        writer.String("order_reason");
        writer.String(field.second->Text(row));
        return Ok();
      }
      [[fallthrough]];
    case CellCodec::kJson:
      if (form == cell_form::kJsonText) {
        if (field.cells->IsNull(row)) return Misfit("a JSON text is NULL");
        return AppendMessagePackOfJson(field.cells->Text(row), out);
      }
      if (form != cell_form::kEmptyMap) return Misfit("unknown form of a map");
      Writer(out).MapHeader(0);
      return Ok();
    case CellCodec::kOrderReferences:
      if (form != cell_form::kReferences) return Misfit("unknown form of a list of orders");
      return WriteReferences(out, *field.cells, row, orders);
  }
  return Misfit("unknown codec");
}

}  // namespace

void AppendArrayHeader(std::string& out, std::uint32_t count) { Writer(out).ArrayHeader(count); }

Status WriteRecords(const RecordsShape& shape, std::span<const ColumnView> columns,
                    const RecordBytes* orders, RecordBytes& out) {
  for (const ColumnView& column : columns) {
    if (column.rows != shape.count) {
      return Misfit(std::to_string(column.rows) + " rows for " + std::to_string(shape.count) +
                    " records");
    }
  }
  std::vector<FieldWriter> fields;
  fields.reserve(shape.fields.size());
  for (const FieldPart& part : shape.fields) {
    LAMINA_ASSIGN(const FieldWriter field, Bind(part, columns));
    fields.push_back(field);
  }
  std::string record_header;
  const auto width = static_cast<std::uint32_t>(fields.size());
  if (shape.arrays) {
    Writer(record_header).ArrayHeader(width);
  } else {
    Writer(record_header).MapHeader(width);
  }
  out.ends.reserve(out.ends.size() + shape.count);
  std::size_t next_whole = 0;
  for (std::uint32_t row = 0; row < shape.count; ++row) {
    if (next_whole < shape.whole.size() && shape.whole[next_whole].first == row) {
      for (FieldWriter& field : fields) static_cast<void>(field.cursor.Next());
      out.bytes += shape.whole[next_whole++].second;
    } else {
      out.bytes += record_header;
      for (FieldWriter& field : fields) {
        out.bytes += field.part->key;
        LAMINA_TRY(WriteCell(out.bytes, field, row, field.cursor.Next(), orders));
      }
    }
    out.ends.push_back(out.bytes.size());
    if (out.bytes.size() > kMaxRecordBytes) {
      return ResourceExhausted("backtest rows: the records of one table exceed 4 GiB");
    }
  }
  return Ok();
}

}  // namespace lamina::backtests
