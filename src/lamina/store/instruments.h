#pragma once

/// \file lamina/store/instruments.h
/// Instruments: the store's table of what is traded. Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/market/calendar.h"
#include "lamina/market/instrument.h"

namespace lamina::store {

struct AddedInstruments {
  std::int64_t added = 0, unchanged = 0, replaced = 0;
};

class Instruments {
 public:
  explicit Instruments(catalog::Catalog& catalog) : catalog_(&catalog) {}

  /// Add rows, all or none, in one commit; a row that is there already, field by field, is
  /// unchanged. With `replace`, a row takes the place of the one with the same id and valid_from.
  /// RETURNS kInvalidArgument (a field), kAlreadyExists (overlaps in time with a row of the same
  /// id, or of the same symbol and venue).
  Result<AddedInstruments> Add(std::vector<market::Instrument> rows, bool replace = false);

  /// The same with the rows of a CSV file (market/instrument_csv.h); errors name file and line.
  Result<AddedInstruments> ImportCsv(const std::string& path, bool replace = false);

  /// Live rows, or those that snapshot saw, by symbol, venue, id and time.
  Result<std::vector<market::Instrument>> List(std::optional<std::int64_t> snapshot = {});

  /// By symbol (`AAPL`, `AAPL@XNAS`) or id (`265598`, `#265598`), as valid at `at`, now unless
  /// given. RETURNS kNotFound, kInvalidArgument (it means several).
  Result<market::Instrument> Get(std::string_view name, std::optional<Micros> at = {});

  /// The calendar of an instrument with its own trading hours put in. RETURNS kNotFound when it has
  /// none.
  static Result<std::shared_ptr<const market::Calendar>> CalendarOf(
      const market::Instrument& instrument);

 private:
  Result<AddedInstruments> AddFrom(std::vector<market::Instrument> rows,
                                   const std::vector<std::string>& places, bool replace);
  catalog::Catalog* catalog_;
};

}  // namespace lamina::store
