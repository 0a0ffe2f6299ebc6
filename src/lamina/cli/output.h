#pragma once

/// \file lamina/cli/output.h
/// Text for people: sizes, durations, errors, the progress line. Used by one thread unless said.

#include <condition_variable>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lamina/backtests/import.h"
#include "lamina/base/json.h"
#include "lamina/base/result.h"
#include "lamina/catalog/verify.h"
#include "lamina/cli/commands.h"

namespace lamina::cli {

/// Write all of `text` to stdout.
void Print(std::string_view text);
/// Write `text` and a line end to stderr unless the context is quiet.
void Say(const Context& context, std::string_view text);
/// The error on stderr: `lamina: message`, or one JSON object.
void PrintError(const Context& context, const Error& error);

std::string HumanBytes(std::int64_t bytes);  ///< "1.2 MB"
std::string HumanCount(std::int64_t count);  ///< "12,500"
std::string HumanSeconds(double seconds);    ///< "2.1 s"
std::string OneDecimal(double value);
/// With blanks after the text, or before it.
std::string Padded(std::string text, std::size_t width, bool right = false);

/// A member of a JSON object that is a number.
struct JsonField {
  const char* name;
  std::int64_t value;
};
void WriteFields(JsonWriter& json, std::initializer_list<JsonField> fields);
/// An array of texts.
void WriteTexts(JsonWriter& json, const std::vector<std::string>& texts);

/// A line on a terminal that is written over. Thread-safe by the importer's promise (one call at a
/// time).
class ProgressLine {
 public:
  explicit ProgressLine(const Context& context, std::string unit = "files");
  ~ProgressLine();
  void Update(const backtests::ImportProgress& progress);

 private:
  std::string unit_;
  bool shown_ = false;
  bool active_ = false;
  double begin_ = 0;
};

/// "merging small files, 12.3 s" on a terminal while it lives, counted by a thread of its own; with
/// figures where the work gives some. Thread-safe.
class WorkLine {
 public:
  WorkLine(const Context& context, std::string work);
  ~WorkLine();
  WorkLine(const WorkLine&) = delete;
  WorkLine& operator=(const WorkLine&) = delete;
  void Update(const catalog::WorkProgress& progress);

 private:
  void Show();

  std::string work_, figures_;
  double begin_ = 0;
  bool ended_ = false, shown_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace lamina::cli
