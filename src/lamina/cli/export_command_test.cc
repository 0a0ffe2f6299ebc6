#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/cli/commands.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::cli {
namespace {

TEST(ExportCommand, RefusesWhatNamesNothingOrTwoThings) {
  const io::TemporaryFolder folder;
  Context context;
  context.store = folder.File("store");
  context.quiet = true;
  ASSERT_TRUE(Init(context, context.store).ok());
  ExportArguments arguments;
  arguments.output = folder.File("out/");
  EXPECT_THAT(Export(context, arguments), IsError(ErrorCode::kInvalidArgument));
  arguments.where = "sharpe > 1";
  EXPECT_THAT(Export(context, arguments), IsError(ErrorCode::kNotFound)) << "none is selected";
  arguments.handles = {"a"};
  EXPECT_THAT(Export(context, arguments), IsError(ErrorCode::kInvalidArgument));
  arguments.where.clear();
  EXPECT_THAT(Export(context, arguments), IsError(ErrorCode::kNotFound));
  arguments.output = "-";
  EXPECT_THAT(Export(context, arguments), IsError(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(folder.File("out")));
}

}  // namespace
}  // namespace lamina::cli
