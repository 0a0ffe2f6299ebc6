#pragma once

/// \file lamina/cli/report_problems.h
/// What a report says of things that failed, as messages and as JSON. Used by one thread.

#include <string>
#include <string_view>

#include "lamina/base/error_table.h"
#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"

namespace lamina::cli {

/// Warnings, and failures after `verb` ("refused"), on stderr.
template <class Report>
void SayProblems(const Context& context, std::string_view verb, const Report& report) {
  for (const auto& warning : report.warnings) {
    Say(context, "warning: " + warning.path + ": " + warning.message);
  }
  for (const auto& failure : report.failed) {
    Say(context, std::string(verb) + ": " + failure.path + ": " + failure.message + " (" +
                     std::string(ErrorName(failure.code)) + ")");
  }
}

/// `"<name>":[{"<what>","code","message"}]`; `what`: "path" or "handle".
template <class Failures>
void WriteFailures(JsonWriter& json, std::string_view name, std::string_view what,
                   const Failures& failures) {
  json.Key(name);
  json.BeginArray();
  for (const auto& failure : failures) {
    json.BeginObject();
    json.Key(what);
    json.String(failure.path);
    json.Key("code");
    json.String(ErrorName(failure.code));
    json.Key("message");
    json.String(failure.message);
    json.EndObject();
  }
  json.EndArray();
}

/// `"failed":[…],"warnings":[{"<what>","message"}]`.
template <class Report>
void WriteProblems(JsonWriter& json, std::string_view what, const Report& report) {
  WriteFailures(json, "failed", what, report.failed);
  json.Key("warnings");
  json.BeginArray();
  for (const auto& warning : report.warnings) {
    json.BeginObject();
    json.Key(what);
    json.String(warning.path);
    json.Key("message");
    json.String(warning.message);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace lamina::cli
