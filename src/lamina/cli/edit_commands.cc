#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"

namespace lamina::cli {
namespace {

std::string ObjectWithList(const char* key, const std::vector<std::string>& values) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key(key);
  json.BeginArray();
  for (const std::string& value : values) json.String(value);
  json.EndArray();
  json.EndObject();
  return out + "\n";
}

std::string ObjectWithTexts(std::initializer_list<std::pair<const char*, std::string>> texts) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  for (const auto& [key, value] : texts) {
    json.Key(key);
    json.String(value);
  }
  json.EndObject();
  return out + "\n";
}

}  // namespace

Outcome Delete(const Context& context, const std::vector<std::string>& handles) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_TRY(opened->backtests().Delete(handles));
  if (context.structured()) {
    Print(ObjectWithList("deleted", handles));
  } else {
    Say(context, "deleted " + HumanCount(static_cast<std::int64_t>(handles.size())) +
                     (handles.size() == 1 ? " backtest" : " backtests"));
  }
  return 0;
}

Outcome Undelete(const Context& context, const std::string& handle) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_TRY(opened->backtests().Undelete(handle));
  if (context.structured()) {
    Print(ObjectWithList("undeleted", {handle}));
  } else {
    Say(context, "'" + handle + "' is back");
  }
  return 0;
}

Outcome Tag(const Context& context, const std::string& handle,
            const std::vector<std::string>& changes) {
  std::vector<std::string> add;
  std::vector<std::string> remove;
  for (const std::string& change : changes) {
    if (change.size() > 1 && change.front() == '+') {
      add.push_back(change.substr(1));
    } else if (change.size() > 1 && change.front() == '-') {
      remove.push_back(change.substr(1));
    } else {
      return InvalidArgument("'" + change + "' is neither +name nor -name");
    }
  }
  if (add.empty() && remove.empty()) return InvalidArgument("no +name or -name given");
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto tags, opened->backtests().Tag(handle, add, remove));
  if (context.structured()) {
    Print(ObjectWithList("tags", tags));
  } else {
    std::string text = "tags of '" + handle + "':";
    for (const std::string& tag : tags) text += " " + tag;
    Say(context, tags.empty() ? text + " none" : text);
  }
  return 0;
}

Outcome Note(const Context& context, const std::string& handle, const std::string& text) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_TRY(opened->backtests().Note(handle, text));
  if (context.structured()) {
    Print(ObjectWithTexts({{"handle", handle}, {"note", text}}));
  } else {
    Say(context, text.empty() ? "note removed" : "note written");
  }
  return 0;
}

Outcome Rename(const Context& context, const std::string& from, const std::string& to) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_TRY(opened->backtests().Rename(from, to));
  if (context.structured()) {
    Print(ObjectWithTexts({{"renamed", from}, {"to", to}}));
  } else {
    Say(context, "'" + from + "' is now '" + to + "'");
  }
  return 0;
}

}  // namespace lamina::cli
