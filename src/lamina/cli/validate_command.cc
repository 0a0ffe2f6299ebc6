#include "lamina/backtests/validate_stored.h"
#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"

namespace lamina::cli {

Outcome Validate(const Context& context, const std::vector<std::string>& handles, bool again) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  backtests::ValidateOptions options;
  options.handles = handles;
  options.again = again;
  options.cancel = context.cancel;
  ProgressLine line(context, "backtests");
  options.progress = [&line](std::int64_t done, std::int64_t total) {
    backtests::ImportProgress progress;
    progress.files_done = done;
    progress.files_total = total;
    line.Update(progress);
  };
  LAMINA_ASSIGN(const auto report, backtests::ValidateStored(opened->backtests(), options));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    for (const auto& [key, count] :
         {std::pair{"validated", report.validated}, std::pair{"up_to_date", report.up_to_date},
          std::pair{"with_disagreements", report.with_disagreements},
          std::pair{"disagreements", report.disagreements}}) {
      json.Key(key);
      json.Int(count);
    }
    json.EndObject();
    Print(out + "\n");
  } else {
    Print(HumanCount(report.validated) + " backtests validated, " + HumanCount(report.up_to_date) +
          " up to date; " + HumanCount(report.with_disagreements) + " with disagreements (" +
          HumanCount(report.disagreements) + ")\n");
  }
  return 0;
}

}  // namespace lamina::cli
