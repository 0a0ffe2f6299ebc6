#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "interop.h"
#include <arrow/api.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace lamina::python {
namespace {

constexpr const char* kStreamName = "arrow_array_stream";
constexpr const char* kSchemaName = "arrow_schema";

template <class T>
T OrRaiseArrow(arrow::Result<T> result) {
  if (!result.ok()) throw Raised(InvalidArgument(result.status().ToString()));
  return result.MoveValueUnsafe();
}

/// A capsule that owns `exported`, released when no consumer took it over.
template <class Exported>
nb::object Capsule(std::unique_ptr<Exported> exported, const char* name) {
  PyObject* capsule = PyCapsule_New(exported.get(), name, [](PyObject* object) {
    auto* held = static_cast<Exported*>(PyCapsule_GetPointer(object, PyCapsule_GetName(object)));
    if (held->release != nullptr) held->release(held);
    delete held;
  });
  if (capsule == nullptr) throw nb::python_error();
  exported.release();
  return nb::steal(capsule);
}

nb::object ExportStream(const ArrowTable& self, const nb::object& requested_schema) {
  (void)requested_schema;  // the protocol allows to ignore it
  auto out = std::make_unique<ArrowArrayStream>();
  auto reader = std::make_shared<arrow::TableBatchReader>(self.table());
  const arrow::Status status = arrow::ExportRecordBatchReader(std::move(reader), out.get());
  if (!status.ok()) throw Raised(Internal(status.ToString()));
  return Capsule(std::move(out), kStreamName);
}

nb::object ExportSchema(const ArrowTable& self) {
  auto out = std::make_unique<ArrowSchema>();
  const arrow::Status status = arrow::ExportSchema(*self.table()->schema(), out.get());
  if (!status.ok()) throw Raised(Internal(status.ToString()));
  return Capsule(std::move(out), kSchemaName);
}

std::string CellText(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return "";
  if (scalar.type->id() == arrow::Type::DICTIONARY) {
    const auto& word = static_cast<const arrow::DictionaryScalar&>(scalar);
    return CellText(*OrRaiseArrow(word.GetEncodedValue()));
  }
  if (scalar.type->id() == arrow::Type::DOUBLE) {
    char text[32];
    const double value = static_cast<const arrow::DoubleScalar&>(scalar).value;
    std::snprintf(text, sizeof(text), "%.6g", value);
    return text;
  }
  return scalar.ToString();
}

/// The first rows as display text, column by column; of doubles six digits.
std::vector<std::vector<std::string>> HeadText(const ArrowTable& self, std::int64_t rows) {
  const auto head = self.table()->Slice(0, rows);
  std::vector<std::vector<std::string>> columns;
  for (const auto& column : head->columns()) {
    std::vector<std::string>& cells = columns.emplace_back();
    for (std::int64_t row = 0; row < head->num_rows(); ++row) {
      cells.push_back(CellText(*OrRaiseArrow(column->GetScalar(row))));
    }
  }
  return columns;
}

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> ImportStream(nb::handle source) {
  if (!nb::hasattr(source, "__arrow_c_stream__")) {
    throw nb::type_error(
        "expected an object with __arrow_c_stream__: a table or frame of pyarrow, polars, pandas, "
        "duckdb");
  }
  nb::object capsule = source.attr("__arrow_c_stream__")();
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), kStreamName));
  if (stream == nullptr) throw nb::python_error();
  // Moves the struct out of the capsule and marks it released there.
  return OrRaiseArrow(arrow::ImportRecordBatchReader(stream));
}

std::shared_ptr<arrow::Table> ImportTable(nb::handle source) {
  auto reader = ImportStream(source);
  auto table = [&]() -> arrow::Result<std::shared_ptr<arrow::Table>> {
    nb::gil_scoped_release release;
    // An imported batch without rows may have an offset behind its buffers' ends.
    arrow::RecordBatchVector batches;
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) break;
      if (batch->num_rows() > 0) batches.push_back(std::move(batch));
    }
    return arrow::Table::FromRecordBatches(reader->schema(), batches);
  }();
  return OrRaiseArrow(std::move(table));
}

void BindTable(nb::module_& module) {
  nb::class_<ArrowTable>(module, "ArrowTable", "Columns in Arrow memory; see lamina.Table.")
      .def(
          "__init__",
          [](ArrowTable* self, const nb::object& source) {
            new (self) ArrowTable(ImportTable(source));
          },
          nb::arg("source").none())
      .def_prop_ro("num_rows", [](const ArrowTable& self) { return self.table()->num_rows(); })
      .def_prop_ro("column_names",
                   [](const ArrowTable& self) { return self.table()->ColumnNames(); })
      .def("head_text", &HeadText, nb::arg("rows"))
      .def("__arrow_c_stream__", &ExportStream, nb::arg("requested_schema") = nb::none())
      .def("__arrow_c_schema__", &ExportSchema);
}

}  // namespace lamina::python
