# lamina_module(name [DEPS other modules] [LIBS external targets] [PCH] [PROGRAM output])
#
# One module = folder src/lamina/<name>/ = library lamina_<name> = namespace lamina::<name>. Files are found by
# suffix, so none can be forgotten:
#   x.cc x.h        the library          x_test.cc    GoogleTest, one executable a module
#   x_bench.cc      Google Benchmark     x_fuzz.cc    one libFuzzer target each; replayed by replay_fuzz
# PROGRAM: main.cc becomes the executable target and file bin/<output>.
# PCH precompiles the Arrow headers for the library and its tests (option LAMINA_PCH).
function(lamina_module name)
  cmake_parse_arguments(A "PCH" "PROGRAM" "DEPS;LIBS" ${ARGN})
  set(folder "${PROJECT_SOURCE_DIR}/src/lamina/${name}")
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cc")
  file(GLOB headers CONFIGURE_DEPENDS "${folder}/*.h")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  list(TRANSFORM A_DEPS PREPEND lamina_)

  if(sources)
    add_library(lamina_${name} STATIC ${sources})
    target_link_libraries(lamina_${name} PRIVATE lamina_options)
    set(scope PUBLIC)
    if(A_PCH AND LAMINA_PCH)
      target_precompile_headers(lamina_${name} PRIVATE <arrow/api.h> <parquet/arrow/reader.h>
        <parquet/arrow/writer.h> <parquet/file_reader.h> <string> <vector> <memory> <functional>)
    endif()
  else()
    add_library(lamina_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(lamina_${name} ${scope} FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/src"
                 FILES ${headers})
  target_link_libraries(lamina_${name} ${scope} ${A_DEPS} ${A_LIBS})

  if(A_PROGRAM)
    add_executable(${A_PROGRAM} "${folder}/main.cc")
    target_link_libraries(${A_PROGRAM} PRIVATE lamina_options lamina_${name})
    target_compile_definitions(${A_PROGRAM} PRIVATE LAMINA_VERSION="${PROJECT_VERSION}")
    set_target_properties(${A_PROGRAM} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  endif()

  if(LAMINA_DEV AND tests)
    add_executable(lamina_${name}_test ${tests})
    target_link_libraries(lamina_${name}_test PRIVATE lamina_options lamina_${name} GTest::gmock
                          GTest::gtest_main)
    target_compile_definitions(lamina_${name}_test PRIVATE
      LAMINA_SOURCE_DIR="${PROJECT_SOURCE_DIR}" LAMINA_SHARED_DIR="${LAMINA_SHARED_DIR}"
      LAMINA_PYTHON_EXECUTABLE="${Python_EXECUTABLE}")
    if(A_PCH AND LAMINA_PCH)
      target_precompile_headers(lamina_${name}_test PRIVATE <arrow/api.h> <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    lamina_disable_shared_tests(${name} "${tests}" without_shared)
    gtest_discover_tests(lamina_${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_PREFIX "${name}."
      ${without_shared} PROPERTIES LABELS "cc" TIMEOUT 600
      ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")
  endif()

  foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(target "${fuzzer}" NAME_WE)
    if(LAMINA_FUZZ)
      add_executable(${target} "${fuzzer}")
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    elseif(LAMINA_DEV)      # replay of the committed corpus by the ordinary compiler
      add_executable(${target} "${fuzzer}" "${PROJECT_SOURCE_DIR}/fuzz/replay_main.cc")
      add_test(NAME fuzz.${target} COMMAND ${target} "${PROJECT_SOURCE_DIR}/fuzz/corpus/${target}")
      set_tests_properties(fuzz.${target} PROPERTIES LABELS "fuzz" TIMEOUT 300)
    else()
      continue()
    endif()
    target_link_libraries(${target} PRIVATE lamina_options lamina_${name})
    if(NOT TARGET lamina_fuzzers)
      add_custom_target(lamina_fuzzers)
    endif()
    add_dependencies(lamina_fuzzers ${target})
  endforeach()

  if(LAMINA_DEV AND benches)
    find_package(benchmark REQUIRED)
    add_executable(lamina_${name}_bench ${benches})
    target_link_libraries(lamina_${name}_bench PRIVATE lamina_options lamina_${name}
                          benchmark::benchmark_main)
    add_test(NAME bench.${name} COMMAND lamina_${name}_bench --benchmark_min_time=0.001)
    set_tests_properties(bench.${name} PROPERTIES LABELS "bench" TIMEOUT 300)
  endif()
endfunction()

# Where LAMINA_SHARED_DIR is absent: list every test of the files that name it as disabled (ctest counts it as
# skipped), and set `result` to the filter that keeps them from being discovered.
function(lamina_disable_shared_tests module files result)
  set(${result} "" PARENT_SCOPE)
  if(IS_DIRECTORY "${LAMINA_SHARED_DIR}")
    return()
  endif()
  set(filter "")
  foreach(file IN LISTS files)
    file(READ "${file}" text)
    if(NOT text MATCHES "LAMINA_SHARED_DIR")
      continue()
    endif()
    string(REGEX MATCHALL "\nTEST(_F|_P)?\\([A-Za-z0-9_]+, *[A-Za-z0-9_]+\\)" found "${text}")
    foreach(test IN LISTS found)
      string(REGEX REPLACE ".*\\(([A-Za-z0-9_]+), *([A-Za-z0-9_]+)\\)" "\\1.\\2" test "${test}")
      list(APPEND filter "${test}" "*/${test}/*")
      add_test(NAME ${module}.${test} COMMAND lamina_${module}_test --gtest_filter=${test})
      set_tests_properties(${module}.${test} PROPERTIES LABELS "cc" DISABLED TRUE)
    endforeach()
  endforeach()
  if(filter)
    list(JOIN filter ":" filter)
    set(${result} "TEST_FILTER;-${filter}" PARENT_SCOPE)
  endif()
endfunction()
