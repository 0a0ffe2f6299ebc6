#pragma once

/// \file lamina/base/rejected_lines.h
/// RejectedLines: the lines of an input that were left out while the rest was taken.
/// Thread-compatible.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lamina/base/json.h"

namespace lamina {

struct RejectedLine {
  std::int64_t line = 0;  ///< the first is 1; of an array of JSON the number of its element
  std::string message;
};

/// Gets every rejected line, as it is found.
using RejectedLineSink = std::function<void(const RejectedLine& line)>;

/// All are counted; the first 1,000 are kept.
struct RejectedLines {
  std::int64_t count = 0;
  std::vector<RejectedLine> first;

  void Add(RejectedLine line, const RejectedLineSink& sink = {});
};

/// The members `"rejected_count": 1, "rejected": [{"line": 3, "message": "…"}]` of an object.
void WriteRejected(JsonWriter& json, const RejectedLines& rejected);

}  // namespace lamina
