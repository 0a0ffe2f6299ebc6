// Random filters over random rows against a plain evaluator with three-valued logic.

#include <cmath>
#include <functional>
#include <memory>
#include <random>

#include "lamina/backtests/rank_catalog_test_support.h"
#include "lamina/backtests/ranking.h"

namespace lamina::backtests {
namespace {

using test::RankCatalog;
using test::RowOf;
using test::SetMetric;

using Truth = std::optional<bool>;  // absent: unknown
using Real = std::optional<double>;

struct Condition {
  std::string text;
  std::function<Truth(const IndexRow&)> holds;
};
struct Operand {
  std::string text;
  std::function<Real(const IndexRow&)> value;
};

Real MetricOf(const IndexRow& row, std::string_view name) {
  const Number& number = row.summary.at(FindSummaryField(name).value());
  if (const auto* integer = std::get_if<std::int64_t>(&number))
    return static_cast<double>(*integer);
  const auto* real = std::get_if<double>(&number);
  return real != nullptr && !std::isnan(*real) ? Real(*real) : Real();
}

Real Finite(double value) { return std::isnan(value) ? Real() : Real(value); }

/// Makes filters whose arithmetic is exact in doubles, so that both sides agree to the bit.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t Below(std::size_t bound) { return random_() % bound; }

  IndexRow Row(int id) {
    IndexRow row = RowOf("run_" + std::to_string(1000 + id));
    for (const char* metric : kMetrics) SetMetric(row, metric, Value(metric));
    if (Below(4) != 0) row.study_description = std::string(1, static_cast<char>('a' + Below(4)));
    return row;
  }

  Condition AnyCondition(int depth) {
    const std::size_t kind = depth == 0 ? 0 : Below(5);
    if (kind <= 1) return Atom(depth);
    if (kind == 2) {
      Condition inner = AnyCondition(depth - 1);
      return {"NOT (" + inner.text + ")", [inner](const IndexRow& row) -> Truth {
                const Truth truth = inner.holds(row);
                return truth ? Truth(!*truth) : Truth();
              }};
    }
    const bool conjunction = kind == 3;
    Condition left = AnyCondition(depth - 1), right = AnyCondition(depth - 1);
    return {"(" + left.text + (conjunction ? ") AND (" : ") OR (") + right.text + ")",
            [=](const IndexRow& row) -> Truth {
              const Truth x = left.holds(row), y = right.holds(row);
              const Truth decisive = !conjunction;
              if (x == decisive || y == decisive) return decisive;
              return x && y ? Truth(conjunction) : Truth();
            }};
  }

 private:
  static constexpr const char* kMetrics[] = {"sharpe_ratio", "cagr", "number_of_trades", "var_95"};

  Number Value(std::string_view metric) {
    if (Below(6) == 0) return Number();
    if (metric == "number_of_trades") return static_cast<std::int64_t>(Below(8));
    switch (Below(12)) {
      case 0:
        return std::nan("");
      case 1:
        return HUGE_VAL;
      case 2:
        return -HUGE_VAL;
      default:
        return static_cast<double>(Below(16)) / 4 - 2;
    }
  }

  Operand Literal() {
    const double value = static_cast<double>(Below(16)) / 4;
    std::string text = std::to_string(value);
    if (Below(3) == 0 && value == std::floor(value)) text = std::to_string(static_cast<int>(value));
    return {text, [value](const IndexRow&) { return Real(value); }};
  }

  Operand AnyOperand(int depth) {
    const std::size_t kind = depth == 0 ? Below(2) : Below(5);
    if (kind == 0) return Literal();
    if (kind == 1) {
      const std::string metric = kMetrics[Below(std::size(kMetrics))];
      const std::string spelling = Below(2) == 0 ? metric : "`summary_" + metric + "`";
      return {spelling, [metric](const IndexRow& row) { return MetricOf(row, metric); }};
    }
    if (kind == 2) {
      Operand inner = AnyOperand(depth - 1);
      return {"-(" + inner.text + ")", [inner](const IndexRow& row) -> Real {
                const Real value = inner.value(row);
                return value ? Real(-*value) : Real();
              }};
    }
    Operand left = AnyOperand(depth - 1), right = AnyOperand(depth - 1);
    const char symbol = "+-*/"[Below(4)];
    return {"(" + left.text + " " + symbol + " " + right.text + ")",
            [=](const IndexRow& row) -> Real {
              const Real x = left.value(row), y = right.value(row);
              if (!x || !y || (symbol == '/' && *y == 0)) return Real();
              switch (symbol) {
                case '+':
                  return Finite(*x + *y);
                case '-':
                  return Finite(*x - *y);
                case '*':
                  return Finite(*x * *y);
                default:
                  return Finite(*x / *y);
              }
            }};
  }

  static Truth Compare(const Real& x, const Real& y, const std::string& symbol) {
    if (!x || !y) return Truth();
    if (symbol == "=" || symbol == "==") return *x == *y;
    if (symbol == "!=" || symbol == "<>") return *x != *y;
    if (symbol == "<") return *x < *y;
    if (symbol == "<=") return *x <= *y;
    return symbol == ">" ? *x > *y : *x >= *y;
  }

  Condition Atom(int depth) {
    const int inner = depth > 2 ? 2 : depth;
    const Operand left = AnyOperand(inner);
    const std::string negation = Below(2) == 0 ? "" : " NOT";
    const bool negated = !negation.empty();
    const auto negate = [negated](Truth truth) {
      return truth ? Truth(*truth != negated) : Truth();
    };
    switch (Below(5)) {
      case 0:
        return {left.text + " IS" + negation + " NULL", [=](const IndexRow& row) -> Truth {
                  return left.value(row).has_value() == negated;
                }};
      case 1: {
        const Operand low = AnyOperand(inner), high = AnyOperand(inner);
        return {left.text + negation + " BETWEEN " + low.text + " AND " + high.text,
                [=](const IndexRow& row) {
                  const Real value = left.value(row);
                  const Truth x = Compare(value, low.value(row), ">=");
                  const Truth y = Compare(value, high.value(row), "<=");
                  if (x == false || y == false) return negate(false);
                  return x && y ? negate(true) : Truth();
                }};
      }
      case 2: {
        std::vector<Operand> list(1 + Below(4));
        std::string text = left.text + negation + " IN (";
        for (std::size_t i = 0; i < list.size(); ++i) {
          list[i] = Literal();
          text += (i == 0 ? "" : ", ") + list[i].text;
        }
        return {text + ")", [=](const IndexRow& row) {
                  const Real value = left.value(row);
                  if (!value) return Truth();
                  bool found = false;
                  for (const Operand& element : list) found |= element.value(row) == value;
                  return negate(found);
                }};
      }
      case 3: {
        const std::string wanted(1, static_cast<char>('a' + Below(4)));
        return {"study_description" + negation + " LIKE '" + wanted + "%'",
                [=](const IndexRow& row) {
                  return row.study_description ? negate(*row.study_description == wanted) : Truth();
                }};
      }
      default: {
        constexpr const char* kSymbols[] = {"=", "==", "!=", "<>", "<", "<=", ">", ">="};
        const std::string symbol = kSymbols[Below(std::size(kSymbols))];
        const Operand right = AnyOperand(inner);
        return {left.text + " " + symbol + " " + right.text, [=](const IndexRow& row) {
                  return Compare(left.value(row), right.value(row), symbol);
                }};
      }
    }
  }

  std::mt19937_64 random_;
};

TEST(FilterModelTest, AgreesWithAPlainEvaluator) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Generator generator(seed);
    RankCatalog catalog;
    std::vector<IndexRow> rows;
    ASSERT_THAT((*catalog).Execute("BEGIN"), IsOk());
    for (int i = 0; i < 60; ++i) {
      rows.push_back(generator.Row(i));
      catalog.Add(rows.back());
    }
    ASSERT_THAT((*catalog).Execute("COMMIT"), IsOk());
    std::size_t selected = 0;
    for (int round = 0; round < 400; ++round) {
      const Condition condition = generator.AnyCondition(3);
      std::vector<std::string> expected;
      for (const IndexRow& row : rows) {
        if (condition.holds(row) == true) expected.push_back(row.bundle_path);
      }
      ListQuery query;
      query.columns = {"handle"};
      query.rows.where = condition.text;
      const auto set = List(*catalog, query);
      ASSERT_THAT(set, IsOk()) << condition.text;
      std::vector<std::string> found;
      for (const auto& cells : set->rows) found.push_back(std::get<std::string>(cells.front()));
      ASSERT_EQ(found, expected) << condition.text;
      selected += found.size();
    }
    EXPECT_GT(selected, 2000u) << "the filters select something";
    EXPECT_LT(selected, 20000u) << "and leave something out";
  }
}

}  // namespace
}  // namespace lamina::backtests
