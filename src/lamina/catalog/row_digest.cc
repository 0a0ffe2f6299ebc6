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

constexpr std::uint64_t kColumnSalt = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kSecondHash = 0xd6e8feb86659fd93;

// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Adds a hash of each cell, made with the column's `salt`; a NULL adds nothing, so that columns
/// without a value cost nothing.
template <class Cell>
void AddCells(const arrow::Array& array, std::uint64_t salt, std::uint64_t* hashes, Cell cell) {
  const std::int64_t length = array.length();
  const std::int64_t nulls = array.null_count();
  if (nulls == length) return;
  if (nulls == 0) {
    for (std::int64_t i = 0; i < length; ++i) hashes[i] += Mix(cell(i) + salt);
    return;
  }
  for (std::int64_t i = 0; i < length; ++i) {
    if (array.IsValid(i)) hashes[i] += Mix(cell(i) + salt);
  }
}

template <class Word>
void AddWords(const arrow::Array& array, std::uint64_t salt, std::uint64_t* hashes) {
  const Word* values = array.data()->GetValues<Word>(1);
  AddCells(array, salt, hashes,
           [values](std::int64_t i) { return static_cast<std::uint64_t>(values[i]); });
}

/// Neighbours are mostly alike: the hash of the last one is kept.
void AddBytes(const arrow::BinaryArray& values, std::uint64_t salt, std::uint64_t* hashes) {
  std::string_view last;
  std::uint64_t hash = std::hash<std::string_view>()(last);
  AddCells(values, salt, hashes, [&](std::int64_t i) {
    const std::string_view bytes = values.GetView(i);
    if (bytes != last) {
      last = bytes;
      hash = std::hash<std::string_view>()(bytes);
    }
    return hash;
  });
}

Status AddArray(const arrow::Array& array, std::uint64_t salt, std::uint64_t* hashes) {
  switch (array.type_id()) {
    case arrow::Type::BOOL: {
      const auto& values = static_cast<const arrow::BooleanArray&>(array);
      AddCells(array, salt, hashes, [&](std::int64_t i) { return values.Value(i) ? 3U : 5U; });
      return Ok();
    }
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      AddWords<std::uint32_t>(array, salt, hashes);
      return Ok();
    case arrow::Type::INT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::TIMESTAMP:
      AddWords<std::uint64_t>(array, salt, hashes);
      return Ok();
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      AddBytes(static_cast<const arrow::BinaryArray&>(array), salt, hashes);
      return Ok();
    case arrow::Type::FIXED_SIZE_BINARY: {
      const auto& values = static_cast<const arrow::FixedSizeBinaryArray&>(array);
      AddCells(array, salt, hashes,
               [&](std::int64_t i) { return std::hash<std::string_view>()(values.GetView(i)); });
      return Ok();
    }
    case arrow::Type::EXTENSION:
      return AddArray(*static_cast<const arrow::ExtensionArray&>(array).storage(), salt, hashes);
    case arrow::Type::LIST: {
      const auto& lists = static_cast<const arrow::ListArray&>(array);
      const arrow::Array& elements = *lists.values();
      std::vector<std::uint64_t> element_hashes(static_cast<std::size_t>(elements.length()), 0);
      LAMINA_TRY(AddArray(elements, salt, element_hashes.data()));
      AddCells(array, salt, hashes, [&](std::int64_t i) {
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
    const std::uint64_t salt = Mix(kColumnSalt * (static_cast<std::uint64_t>(c) + 1));
    for (const std::shared_ptr<arrow::Array>& chunk : rows.column(c)->chunks()) {
      LAMINA_TRY(AddArray(*chunk, salt, at));
      at += chunk->length();
    }
  }
  RowDigest digest{.rows = rows.num_rows()};
  for (const std::uint64_t hash : hashes) {
    digest.low += Mix(hash);  // not linear: cells of other rows would not show
    digest.high += Mix(hash ^ kSecondHash);
  }
  return digest;
}

}  // namespace lamina::catalog
