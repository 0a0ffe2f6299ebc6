#pragma once

/// \file interop.h
/// What every binding file shares: errors become Python exceptions, tables cross as Arrow C
/// streams. Data never crosses by pyarrow's own C++ API, so any library that speaks the protocol
/// works.

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nanobind/nanobind.h>

#include "lamina/base/result.h"

namespace arrow {
class RecordBatchReader;
class Table;
}  // namespace arrow

namespace lamina::python {

namespace nb = nanobind;

/// Carries an Error to the translator, which raises the matching class of lamina.errors.
class Raised : public std::exception {
 public:
  explicit Raised(Error error) : error_(std::make_shared<Error>(std::move(error))) {}
  const Error& error() const { return *error_; }
  const char* what() const noexcept override { return "lamina error"; }

 private:
  std::shared_ptr<const Error> error_;
};

template <class T>
T OrRaise(Result<T> result) {
  if (!result.ok()) throw Raised(std::move(result).error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// Run `work`, which touches no Python object and returns Result<T>, without the GIL; raise its
/// error.
template <class Work>
auto Unlocked(Work&& work) {
  auto result = [&] {
    nb::gil_scoped_release release;
    return work();
  }();
  return OrRaise(std::move(result));
}

/// An immutable table that Python can take any number of times.
class ArrowTable {
 public:
  explicit ArrowTable(std::shared_ptr<arrow::Table> table) : table_(std::move(table)) {}
  const std::shared_ptr<arrow::Table>& table() const { return table_; }

 private:
  std::shared_ptr<arrow::Table> table_;
};

/// The stream of any object with __arrow_c_stream__. Reads batch by batch, also without the GIL.
std::shared_ptr<arrow::RecordBatchReader> ImportStream(nb::handle source);
/// All of it.
std::shared_ptr<arrow::Table> ImportTable(nb::handle source);

/// Text of ours as a str; bytes that are not UTF-8 (parts of file names) as Python's os.fsdecode
/// does.
nb::str Text(std::string_view bytes);
/// A str, bytes or os.PathLike as the operating system spells it.
std::string Path(nb::handle path);
/// The class of lamina.errors for `code`.
nb::object ErrorClass(ErrorCode code);

void BindErrors(nb::module_& module);
void BindSeries(nb::module_& module);
void BindTable(nb::module_& module);
void BindStore(nb::module_& module);

}  // namespace lamina::python
