#include "lamina/catalog/row_digest.h"

#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/extension_type.h>
#include <arrow/table.h>
#include <arrow/util/bit_util.h>

namespace lamina::catalog {
namespace {

constexpr std::uint64_t kNullCell = 0x9e3779b97f4a7c15;

// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

template <class Cell>
void AddCells(const arrow::Array& array, std::uint64_t* hashes, Cell cell) {
  const std::int64_t length = array.length();
  if (array.null_count() == 0) {
    for (std::int64_t i = 0; i < length; ++i) hashes[i] = Mix(hashes[i] ^ cell(i));
    return;
  }
  for (std::int64_t i = 0; i < length; ++i)
    hashes[i] = Mix(hashes[i] ^ (array.IsNull(i) ? kNullCell : cell(i)));
}

template <class Word>
void AddWords(const arrow::Array& array, std::uint64_t* hashes) {
  const Word* values = array.data()->GetValues<Word>(1);
  AddCells(array, hashes,
           [values](std::int64_t i) { return Mix(static_cast<std::uint64_t>(values[i]) + 1); });
}

std::uint64_t HashBytes(std::string_view bytes) { return std::hash<std::string_view>()(bytes); }

Status AddArray(const arrow::Array& array, std::uint64_t* hashes) {
  switch (array.type_id()) {
    case arrow::Type::BOOL: {
      const auto& values = static_cast<const arrow::BooleanArray&>(array);
      AddCells(array, hashes, [&](std::int64_t i) { return values.Value(i) ? 3U : 5U; });
      return Ok();
    }
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      AddWords<std::uint32_t>(array, hashes);
      return Ok();
    case arrow::Type::INT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::TIMESTAMP:
      AddWords<std::uint64_t>(array, hashes);
      return Ok();
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const auto& values = static_cast<const arrow::BinaryArray&>(array);
      AddCells(array, hashes, [&](std::int64_t i) { return HashBytes(values.GetView(i)); });
      return Ok();
    }
    case arrow::Type::FIXED_SIZE_BINARY: {
      const auto& values = static_cast<const arrow::FixedSizeBinaryArray&>(array);
      AddCells(array, hashes, [&](std::int64_t i) { return HashBytes(values.GetView(i)); });
      return Ok();
    }
    case arrow::Type::EXTENSION:
      return AddArray(*static_cast<const arrow::ExtensionArray&>(array).storage(), hashes);
    case arrow::Type::LIST: {
      const auto& lists = static_cast<const arrow::ListArray&>(array);
      const arrow::Array& elements = *lists.values();
      std::vector<std::uint64_t> element_hashes(static_cast<std::size_t>(elements.length()), 0);
      LAMINA_TRY(AddArray(elements, element_hashes.data()));
      AddCells(array, hashes, [&](std::int64_t i) {
        auto hash = static_cast<std::uint64_t>(lists.value_length(i));
        for (std::int64_t e = lists.value_offset(i); e < lists.value_offset(i + 1); ++e)
          hash = Mix(hash ^ element_hashes[static_cast<std::size_t>(e)]);
        return hash;
      });
      return Ok();
    }
    default:
      return Unsupported("no digest of rows with type " + array.type()->ToString());
  }
}

}  // namespace

RowDigest& RowDigest::operator+=(const RowDigest& other) {
  rows += other.rows;
  low += other.low;
  high += other.high;
  return *this;
}

Result<RowDigest> DigestRows(const arrow::Table& rows) {
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(rows.num_rows()), 0);
  for (int c = 0; c < rows.num_columns(); ++c) {
    std::uint64_t* at = hashes.data();
    for (std::uint64_t& hash : hashes) hash += static_cast<std::uint64_t>(c) + 1;
    for (const std::shared_ptr<arrow::Array>& chunk : rows.column(c)->chunks()) {
      LAMINA_TRY(AddArray(*chunk, at));
      at += chunk->length();
    }
  }
  RowDigest digest{.rows = rows.num_rows()};
  for (const std::uint64_t hash : hashes) {
    digest.low += hash;
    digest.high += Mix(hash ^ kNullCell);
  }
  return digest;
}

}  // namespace lamina::catalog
