#include "lamina/backtests/run_id_column.h"

#include <cstring>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>

namespace lamina::backtests {

Result<RunIdColumn> RunIdColumn::Of(const arrow::Table& table) {
  const auto column = table.GetColumnByName("run_id");
  if (column == nullptr) return Corruption("a lake table has no column run_id");
  RunIdColumn ids;
  std::int64_t begin = 0;
  for (const auto& chunk : column->chunks()) {
    std::shared_ptr<arrow::Array> storage = chunk;
    if (chunk->type_id() == arrow::Type::EXTENSION) {
      storage = static_cast<const arrow::ExtensionArray&>(*chunk).storage();
    }
    auto fixed = std::dynamic_pointer_cast<arrow::FixedSizeBinaryArray>(storage);
    if (fixed == nullptr || fixed->byte_width() != 16 || fixed->null_count() != 0) {
      return Corruption("column run_id is not made of UUIDs");
    }
    ids.chunks_.push_back(std::move(fixed));
    ids.begins_.push_back(begin);
    begin += chunk->length();
  }
  return ids;
}

Uuid RunIdColumn::At(std::int64_t row) const {
  while (last_ > 0 && begins_[last_] > row) --last_;
  while (last_ + 1 < begins_.size() && begins_[last_ + 1] <= row) ++last_;
  Uuid id;
  std::memcpy(id.bytes.data(), chunks_[last_]->GetValue(row - begins_[last_]), id.bytes.size());
  return id;
}

table::ColumnRange RunIdRange(const Uuid& first, const Uuid& last) {
  const auto scalar = [](const Uuid& id) -> std::shared_ptr<arrow::Scalar> {
    auto storage = std::make_shared<arrow::FixedSizeBinaryScalar>(
        arrow::Buffer::FromString(std::string(id.View())), arrow::fixed_size_binary(16));
    return std::make_shared<arrow::ExtensionScalar>(std::move(storage), arrow::extension::uuid());
  };
  return {"run_id", scalar(first), scalar(last)};
}

}  // namespace lamina::backtests
