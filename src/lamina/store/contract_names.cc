#include "lamina/store/contract_names.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lamina::store {

Result<std::int64_t> ContractOf(Instruments& instruments, std::string_view name) {
  const std::string_view digits = name.starts_with('#') ? name.substr(1) : name;
  if (!digits.empty() &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return market::ParseInstrumentId(digits);
  }
  LAMINA_ASSIGN(const market::Instrument found, instruments.Get(name));
  return found.instrument_id;
}

Result<series::SessionChoice> SessionsOf(Instruments& instruments,
                                         const std::vector<std::int64_t>& contracts,
                                         series::SessionChoice choice) {
  if (choice.session.empty() || !choice.calendar.empty() || !choice.zone.empty() || choice.own) {
    return choice;
  }
  std::optional<market::Instrument> first;
  for (const std::int64_t contract : contracts) {
    auto found = instruments.Get("#" + std::to_string(contract));
    if (!found.ok() && found.error().code() == ErrorCode::kNotFound) {
      return InvalidArgument("session `" + choice.session + "` needs a calendar: contract " +
                             std::to_string(contract) + " is no instrument of this store");
    }
    if (!found.ok()) return std::move(found).error();
    if (!found->calendar) {
      return InvalidArgument("session `" + choice.session + "` needs a calendar: " +
                             market::DescribeInstrument(*found) + " has none");
    }
    const bool same = !first || (first->calendar == found->calendar &&
                                 first->trading_hours == found->trading_hours);
    if (!same) return InvalidArgument("the contracts have several calendars: name one");
    first = *std::move(found);
  }
  if (!first) return choice;
  if (first->trading_hours) {
    LAMINA_ASSIGN(choice.own, Instruments::CalendarOf(*first));
  } else {
    choice.calendar = *first->calendar;
  }
  return choice;
}

Result<series::SessionChoice> SessionsOfNames(Instruments& instruments,
                                              const std::vector<std::string>& names,
                                              series::SessionChoice choice) {
  std::vector<std::int64_t> contracts;
  if (!choice.session.empty() && choice.calendar.empty() && choice.zone.empty() && !choice.own) {
    if (names.empty()) {
      return InvalidArgument("session `" + choice.session +
                             "` needs a calendar: name one, or the instruments");
    }
    for (const std::string& name : names) {
      LAMINA_ASSIGN(contracts.emplace_back(), ContractOf(instruments, name));
    }
  }
  return SessionsOf(instruments, contracts, std::move(choice));
}

Result<std::string> SymbolOf(Instruments& instruments, std::int64_t contract) {
  auto found = instruments.Get("#" + std::to_string(contract));
  if (found.ok()) return std::move(found->symbol);
  if (found.error().code() == ErrorCode::kNotFound) return std::to_string(contract);
  return std::move(found).error();
}

Result<std::shared_ptr<const market::Calendar>> CalendarOfContract(Instruments& instruments,
                                                                   std::int64_t contract) {
  std::shared_ptr<const market::Calendar> none;
  auto found = instruments.Get("#" + std::to_string(contract));
  if (!found.ok()) {
    if (found.error().code() == ErrorCode::kNotFound) return none;
    return std::move(found).error();
  }
  if (!found->calendar) return none;
  return Instruments::CalendarOf(*found);
}

}  // namespace lamina::store
