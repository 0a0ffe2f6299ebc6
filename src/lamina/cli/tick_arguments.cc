#include "lamina/cli/tick_arguments.h"

#include <algorithm>
#include <charconv>

#include "lamina/base/fine_time.h"
#include "lamina/store/contract_names.h"

namespace lamina::cli {

std::vector<std::string> SplitAtCommas(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) parts.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return parts;
}

Result<std::int64_t> TimeOf(const std::string& text) {
  std::int64_t nanos = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), nanos);
  if (text.size() > 8 && parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
    return nanos;
  }
  LAMINA_ASSIGN(const Nanos at, ParseNanos(text));
  return at.value;
}

Result<std::vector<std::int64_t>> ContractsOf(store::Store& store, const TickArguments& arguments) {
  std::vector<std::int64_t> contracts;
  for (const std::string& name : SplitAtCommas(arguments.contracts)) {
    LAMINA_ASSIGN(contracts.emplace_back(), store::ContractOf(store.instruments(), name));
  }
  return contracts;
}

}  // namespace lamina::cli
