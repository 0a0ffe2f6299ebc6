#pragma once

/// \file lamina/store/contract_names.h
/// What people write where a contract is meant, and the sessions that go with it. Free functions;
/// thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/session_ranges.h"
#include "lamina/store/instruments.h"

namespace lamina::store {

/// The id of `265598`, `#265598` (also of one that is no instrument of the store), `AAPL`,
/// `AAPL@XNAS`. RETURNS kNotFound, kInvalidArgument.
Result<std::int64_t> ContractOf(Instruments& instruments, std::string_view name);

/// The sessions that are asked for; a session without calendar and zone is of the calendar that
/// the contracts have as instruments. RETURNS kInvalidArgument when they have none, or several.
Result<series::SessionChoice> SessionsOf(Instruments& instruments,
                                         const std::vector<std::int64_t>& contracts,
                                         series::SessionChoice choice);

/// The same for instruments by their names, as bars have them; names are looked at only when the
/// calendar hangs on them. RETURNS kNotFound for one that is no instrument then.
Result<series::SessionChoice> SessionsOfNames(Instruments& instruments,
                                              const std::vector<std::string>& names,
                                              series::SessionChoice choice);

/// The symbol under which bars of a contract are kept; its id when it is no instrument.
Result<std::string> SymbolOf(Instruments& instruments, std::int64_t contract);

/// The calendar of the instrument that the contract is, with its own hours; null when it is none or
/// has none.
Result<std::shared_ptr<const market::Calendar>> CalendarOfContract(Instruments& instruments,
                                                                   std::int64_t contract);

}  // namespace lamina::store
