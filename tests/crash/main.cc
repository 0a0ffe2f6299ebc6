// lamina_crash: cuts power, kills and fails every layer of the program at every point, and prints
// how many of each it tried. See README.md.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "harness.h"
#include <sys/wait.h>
#include <unistd.h>

namespace lamina::crash {
namespace {

struct Arguments {
  std::vector<std::string> layers;
  std::int64_t states = 0, faults = 0;  ///< over all layers
  std::int64_t flips = 0;
  std::uint64_t seed = 1;
  int jobs = 1;
  std::string folder, report;
  std::optional<std::size_t> at;  ///< one state
  Loss loss = Loss::kNothing;
  int draw = 0;
  bool log = false;
};

constexpr const char* kHelp =
    "usage: lamina_crash [--layer NAME]... [--states N] [--faults N] [--flips N] [--seed S]\n"
    "                    [--jobs N] [--folder PATH] [--report FILE]\n"
    "       lamina_crash --layer NAME --seed S --at K --loss LOSS [--draw N]   one state again\n"
    "       lamina_crash --layer NAME --log                                    what is recorded\n";

std::optional<Arguments> Parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string name = values[i];
    if (name == "--log") {
      arguments.log = true;
      continue;
    }
    if (i + 1 >= count) return std::nullopt;
    const std::string value = values[++i];
    if (name == "--layer") {
      arguments.layers.push_back(value);
    } else if (name == "--states") {
      arguments.states = std::atoll(value.c_str());
    } else if (name == "--faults") {
      arguments.faults = std::atoll(value.c_str());
    } else if (name == "--flips") {
      arguments.flips = std::atoll(value.c_str());
    } else if (name == "--seed") {
      arguments.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--jobs") {
      arguments.jobs = std::max(1, std::atoi(value.c_str()));
    } else if (name == "--folder") {
      arguments.folder = value;
    } else if (name == "--report") {
      arguments.report = value;
    } else if (name == "--at") {
      arguments.at = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--draw") {
      arguments.draw = std::atoi(value.c_str());
    } else if (name == "--loss") {
      const auto* const loss = std::find_if(std::begin(kLosses), std::end(kLosses),
                                            [&](Loss each) { return LossName(each) == value; });
      if (loss == std::end(kLosses)) return std::nullopt;
      arguments.loss = *loss;
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

std::string FolderOf(const Arguments& arguments, std::string_view layer) {
  const auto base = arguments.folder.empty() ? std::filesystem::temp_directory_path() /
                                                   ("lamina-crash-" + std::to_string(getpid()))
                                             : std::filesystem::path(arguments.folder);
  return (base / layer).string();
}

int RunOne(const Arguments& arguments, const NamedLayer& layer) {
  Harness harness(layer, FolderOf(arguments, layer.name), arguments.seed);
  Status done = harness.Learn();
  if (arguments.log) {
    harness.PrintLog(0, harness.changes());
    return done.ok() ? 0 : 1;
  }
  if (done.ok()) {
    harness.PrintLog(*arguments.at > 5 ? *arguments.at - 5 : 0, *arguments.at + 5);
    done = harness.RunCrash({*arguments.at, arguments.loss, arguments.draw});
  }
  std::printf("%s\n", done.ok() ? "as it should be" : std::string(done.error().message()).c_str());
  return done.ok() ? 0 : 1;
}

/// One layer in a process of its own: what it counts, one line, and its failures.
int RunLayer(const Arguments& arguments, const NamedLayer& layer, double share,
             const std::string& output) {
  const std::string folder = FolderOf(arguments, layer.name);
  Harness harness(layer, folder, arguments.seed);
  std::ofstream out(output);
  if (const Status learned = harness.Learn(); !learned.ok()) {
    out << "0 0 0 0 0\n" << layer.name << ": " << learned.error().message() << "\n";
    return 1;
  }
  Tally crashes, faults;
  if (arguments.states > 0) {
    crashes = harness.RunCrashes(
        static_cast<std::int64_t>(static_cast<double>(arguments.states) * share));
  }
  if (arguments.faults > 0) {
    faults =
        harness.RunFaults(static_cast<std::int64_t>(static_cast<double>(arguments.faults) * share));
  }
  out << crashes.points << " " << crashes.checked << " " << faults.points << " " << faults.checked
      << " " << faults.refused << "\n";
  for (const Tally* tally : {&crashes, &faults}) {
    for (const std::string& failure : tally->failures) out << failure << "\n";
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return crashes.failures.empty() && faults.failures.empty() ? 0 : 1;
}

int RunFlips(const Arguments& arguments, const std::string& output) {
  const std::string folder = FolderOf(arguments, kDamaged.name);
  const Tally tally = Harness(kDamaged, folder, arguments.seed).RunFlips(arguments.flips);
  std::ofstream out(output);
  out << tally.points << " " << tally.checked << " " << tally.refused << "\n";
  for (const std::string& failure : tally.failures) out << failure << "\n";
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return tally.failures.empty() ? 0 : 1;
}

struct Report {
  std::string text, failures;
  std::int64_t states = 0, faults = 0;

  void Add(const NamedLayer& layer, const std::string& output) {
    std::ifstream in(output);
    long long points = 0, checked = 0, calls = 0, faulty = 0, refused = 0;
    in >> points >> checked >> calls >> faulty >> refused;
    in.ignore();
    char line[200];
    std::snprintf(line, sizeof(line), "| %-12s | %8lld | %8lld | %8lld | %8lld | %8lld |\n",
                  std::string(layer.name).c_str(), points, checked, calls, faulty, refused);
    text += line;
    states += checked;
    faults += faulty;
    failures.append(std::istreambuf_iterator<char>(in), {});
  }

  void AddFlips(const std::string& output) {
    std::ifstream in(output);
    long long bytes = 0, flipped = 0, found = 0;
    in >> bytes >> flipped >> found;
    in.ignore();
    text += "\n" + std::to_string(flipped) + " of the " + std::to_string(bytes) +
            " bytes of a small store flipped one by one: " + std::to_string(found) +
            " found, the others without effect, no wrong answer\n";
    failures.append(std::istreambuf_iterator<char>(in), {});
  }
};

int RunAll(const Arguments& arguments, const std::vector<const NamedLayer*>& layers) {
  // Children are forked before anything of the program has run: each has its own SQLite.
  const std::string base = FolderOf(arguments, "");
  std::filesystem::create_directories(base);
  const double share = 1.0 / static_cast<double>(layers.size());
  int running = 0;
  bool good = true;
  const auto reap = [&] {
    int status = 0;
    if (wait(&status) > 0) --running;
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  };
  Arguments own = arguments;
  own.folder = base;
  const auto output_of = [&](std::string_view name) {
    return base + "/" + std::string(name) + ".out";
  };
  const auto start = [&](const std::function<int()>& work) {
    while (running >= arguments.jobs) reap();
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) _exit(work());
    if (child > 0) ++running;
  };
  for (const NamedLayer* layer : layers) {
    start([&] { return RunLayer(own, *layer, share, output_of(layer->name)); });
  }
  if (arguments.flips > 0) start([&] { return RunFlips(own, output_of(kDamaged.name)); });
  while (running > 0) reap();
  Report report;
  report.text =
      "| layer        |  changes |   states |    calls |   faults |  refused |\n"
      "|--------------|---------:|---------:|---------:|---------:|---------:|\n";
  for (const NamedLayer* layer : layers) {
    report.Add(*layer, output_of(layer->name));
  }
  if (arguments.flips > 0) report.AddFlips(output_of(kDamaged.name));
  report.text += "\n" + std::to_string(report.states) + " crash states and " +
                 std::to_string(report.faults) + " faults, seed " + std::to_string(arguments.seed) +
                 ", " + (good ? "all" : "NOT all") + " as they should be\n";
  std::printf("%s%s", report.failures.c_str(), report.text.c_str());
  if (!arguments.report.empty()) std::ofstream(arguments.report) << report.text;
  std::error_code ignored;
  if (good) std::filesystem::remove_all(base, ignored);
  return good ? 0 : 1;
}

int Main(int count, char** values) {
  const auto arguments = Parse(count, values);
  if (!arguments) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  std::vector<const NamedLayer*> layers;
  for (const NamedLayer& layer : Layers()) {
    const auto& wanted = arguments->layers;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), layer.name) != wanted.end()) {
      layers.push_back(&layer);
    }
  }
  if (layers.empty() || (!arguments->layers.empty() && layers.size() != arguments->layers.size())) {
    std::fputs("no such layer; there are:", stderr);
    for (const NamedLayer& layer : Layers()) {
      std::fprintf(stderr, " %s", std::string(layer.name).c_str());
    }
    std::fputs("\n", stderr);
    return 2;
  }
  if (arguments->at || arguments->log) return RunOne(*arguments, *layers.front());
  return RunAll(*arguments, layers);
}

}  // namespace
}  // namespace lamina::crash

int main(int count, char** values) { return lamina::crash::Main(count, values); }
