#include "lamina/backtests/query_guard.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sqlite3.h>

#include "lamina/backtests/filter.h"
#include "lamina/backtests/json_member.h"

namespace lamina::backtests {
namespace {

int Authorize(void* /*context*/, int action, const char* first, const char* second,
              const char* /*database*/, const char* /*trigger*/) {
  constexpr std::array<std::string_view, 8> kFunctions = {
      "typeof", "like", "lower", "hex", kMemberAny, kMemberNumber, kMemberText, kAnyTag};
  const std::string_view name = first == nullptr ? "" : first;
  const std::string_view function = second == nullptr ? "" : second;
  switch (action) {
    case SQLITE_SELECT:
      return SQLITE_OK;
    case SQLITE_READ:
      return name == "backtest_index" ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
      return std::find(kFunctions.begin(), kFunctions.end(), function) != kFunctions.end()
                 ? SQLITE_OK
                 : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

std::string_view TextOf(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void GiveText(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void GiveNumber(sqlite3_context* context, const JsonScalar& value) {
  if (const auto* truth = std::get_if<bool>(&value)) {
    sqlite3_result_int(context, *truth ? 1 : 0);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    sqlite3_result_int64(context, *integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    sqlite3_result_double(context, *real);  // NaN becomes NULL
  }
}

void GiveAny(sqlite3_context* context, const JsonScalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    GiveText(context, *text);
  } else if (const auto* nested = std::get_if<JsonNested>(&value)) {
    GiveText(context, nested->text);
  } else {
    GiveNumber(context, value);
  }
}

/// Text members as they are; everything else as its JSON text.
void GiveText(sqlite3_context* context, const JsonScalar& value, std::string_view written) {
  const auto* real = std::get_if<double>(&value);
  if (std::holds_alternative<JsonNull>(value) || (real != nullptr && std::isnan(*real))) return;
  const auto* text = std::get_if<std::string>(&value);
  GiveText(context, text != nullptr ? std::string_view(*text) : written);
}

void Member(sqlite3_context* context, int count, sqlite3_value** values) {
  if (count < 2 || sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  std::vector<std::string_view> path;
  for (int i = 1; i < count; ++i) path.push_back(TextOf(values[i]));
  const auto found = FindJsonText(TextOf(values[0]), path);
  const auto value = found ? ParseJsonScalar(*found) : std::nullopt;
  if (!value) return;  // the result stays NULL
  const std::string_view kind = static_cast<const char*>(sqlite3_user_data(context));
  if (kind == kMemberNumber) {
    GiveNumber(context, *value);
  } else if (kind == kMemberText) {
    GiveText(context, *value, *found);
  } else {
    GiveAny(context, *value);
  }
}

bool TagRelates(const std::string& tag, std::string_view relation, int count,
                sqlite3_value** operands) {
  if (count < 1) return false;
  if (relation == "LIKE") {
    const std::string pattern(TextOf(operands[0]));
    return sqlite3_strlike(pattern.c_str(), tag.c_str(), 0) == 0;
  }
  if (relation == "IN") {
    return std::any_of(operands, operands + count,
                       [&](sqlite3_value* operand) { return TextOf(operand) == tag; });
  }
  if (relation == "BETWEEN") {
    return count == 2 && tag >= TextOf(operands[0]) && tag <= TextOf(operands[1]);
  }
  const int order = tag.compare(TextOf(operands[0]));
  if (relation == "=") return order == 0;
  if (relation == "<") return order < 0;
  if (relation == "<=") return order <= 0;
  return relation == ">" ? order > 0 : relation == ">=" && order >= 0;
}

void AnyTag(sqlite3_context* context, int count, sqlite3_value** values) {
  if (count < 4) return;
  for (int i = 3; i < count; ++i) {
    if (sqlite3_value_type(values[i]) == SQLITE_NULL) return;
  }
  std::vector<std::string> tags = JsonTexts(TextOf(values[1]));
  if (sqlite3_value_type(values[0]) != SQLITE_NULL) tags.emplace_back(TextOf(values[0]));
  if (tags.empty()) return;
  const std::string_view relation = TextOf(values[2]);
  sqlite3_result_int(context, std::any_of(tags.begin(), tags.end(), [&](const std::string& tag) {
                       return TagRelates(tag, relation, count - 3, values + 3);
                     }));
}

using SqlFunction = void (*)(sqlite3_context*, int, sqlite3_value**);
constexpr std::array<std::pair<const char*, SqlFunction>, 4> kSqlFunctions = {{
    {kMemberAny, Member},
    {kMemberNumber, Member},
    {kMemberText, Member},
    {kAnyTag, AnyTag},
}};

}  // namespace

QueryGuard::QueryGuard(catalog::Database& database, const QueryLimits& limits)
    : database_(database), steps_left_(limits.max_steps) {
  sqlite3_set_authorizer(database_.handle(), Authorize, nullptr);
  sqlite3_progress_handler(database_.handle(), kStepsPerCall, OnProgress, this);
}

QueryGuard::~QueryGuard() {
  sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
  sqlite3_set_authorizer(database_.handle(), nullptr, nullptr);
}

int QueryGuard::OnProgress(void* self) {
  auto* guard = static_cast<QueryGuard*>(self);
  guard->steps_left_ -= kStepsPerCall;
  if (guard->steps_left_ > 0) return 0;
  guard->stopped_ = true;
  return 1;
}

Status QueryGuard::AddFunctions() {
  for (const auto& [name, function] : kSqlFunctions) {
    const int code = sqlite3_create_function_v2(
        database_.handle(), name, -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
        const_cast<char*>(name), function, nullptr, nullptr, nullptr);
    // Busy: a statement runs, and the function is there already.
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
      return Internal(std::string("adding the SQL function ") + name + ": " +
                      sqlite3_errmsg(database_.handle()));
    }
  }
  return Ok();
}

Error QueryGuard::Explain(Error error) const {
  if (!stopped_) return error;
  return ResourceExhausted("the query took too many steps; narrow it with a simpler filter");
}

}  // namespace lamina::backtests
