#include "lamina/base/rejected_lines.h"

#include <utility>

namespace lamina {

void RejectedLines::Add(RejectedLine line, const RejectedLineSink& sink) {
  constexpr std::size_t kKept = 1000;
  ++count;
  if (sink) sink(line);
  if (first.size() < kKept) first.push_back(std::move(line));
}

void WriteRejected(JsonWriter& json, const RejectedLines& rejected) {
  json.Key("rejected_count");
  json.Int(rejected.count);
  json.Key("rejected");
  json.BeginArray();
  for (const RejectedLine& one : rejected.first) {
    json.BeginObject();
    json.Key("line");
    json.Int(one.line);
    json.Key("message");
    json.String(one.message);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace lamina
