# One shape for every module, in src/<name>/CMakeLists.txt:
#   quorate_module(<name> HEADERS ... SOURCES ... TESTS ... TEST_DEPS <targets> DEPS <modules>
#                  EXTERNAL <targets in our headers> PRIVATE_EXTERNAL <targets in .cc files only>)
#   quorate_testing(<name> HEADERS ... SOURCES ... DEPS <targets>)   fakes for other modules' tests
#   quorate_fuzzer(<module> <file_fuzz.cc> CORPUS <folder under test/corpus>)
# Files are listed by hand. TESTS become the binary <name>_test, labelled "unit". Building
# all_verify_interface_header_sets compiles every header on its own.

option(QUORATE_WERROR "Treat warnings as errors" ON)
set(QUORATE_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(quorate_options INTERFACE)
target_compile_features(quorate_options INTERFACE cxx_std_20)
target_include_directories(quorate_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(quorate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fno-omit-frame-pointer
  $<$<BOOL:${QUORATE_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(QUORATE_SANITIZE)
  target_compile_options(quorate_options INTERFACE -fsanitize=${QUORATE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(quorate_options INTERFACE -fsanitize=${QUORATE_SANITIZE})
  if(QUORATE_SANITIZE MATCHES undefined AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # Its check of calls by pointer breaks clang 14 on coroutines: "Cannot represent a difference across sections".
    target_compile_options(quorate_options INTERFACE -fno-sanitize=function)
  endif()
  if(QUORATE_SANITIZE MATCHES thread)  # The file says why.
    set(hidden ${CMAKE_CURRENT_LIST_DIR}/sanitize_thread.map)
    target_link_options(quorate_options INTERFACE -Wl,--version-script=${hidden})
    set_property(TARGET quorate_options PROPERTY INTERFACE_LINK_DEPENDS ${hidden})
  endif()
endif()

function(quorate_module name)
  cmake_parse_arguments(M "" "" "HEADERS;SOURCES;TESTS;TEST_DEPS;DEPS;EXTERNAL;PRIVATE_EXTERNAL" ${ARGN})
  list(TRANSFORM M_DEPS PREPEND quorate::)
  if(M_SOURCES)
    add_library(quorate_${name} STATIC ${M_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(quorate_${name} PRIVATE ${M_PRIVATE_EXTERNAL})
  else()
    add_library(quorate_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(quorate_${name} ${scope} quorate_options Threads::Threads ${M_DEPS} ${M_EXTERNAL})
  target_sources(quorate_${name} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
                 FILES ${M_HEADERS})
  set_target_properties(quorate_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  add_library(quorate::${name} ALIAS quorate_${name})
  if(M_TESTS AND BUILD_TESTING)
    find_package(GTest REQUIRED)
    include(GoogleTest)
    list(TRANSFORM M_TEST_DEPS PREPEND quorate::)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE quorate::${name} ${M_TEST_DEPS}
                          GTest::gtest GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                         PROPERTIES LABELS unit TIMEOUT 300 DISCOVERY_TIMEOUT 120)
  endif()
endfunction()

# quorate::<name>_testing: never linked into the product.
function(quorate_testing name)
  cmake_parse_arguments(M "" "" "HEADERS;SOURCES;DEPS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  list(TRANSFORM M_DEPS PREPEND quorate::)
  add_library(quorate_${name}_testing STATIC ${M_SOURCES})
  target_link_libraries(quorate_${name}_testing PUBLIC quorate::${name} ${M_DEPS})
  target_sources(quorate_${name}_testing PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
                 FILES ${M_HEADERS})
  set_target_properties(quorate_${name}_testing PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  add_library(quorate::${name}_testing ALIAS quorate_${name}_testing)
endfunction()

# A libFuzzer target. With QUORATE_FUZZ (clang) it is a real fuzzer; in every other build it becomes a
# test that replays the corpus, so that a crash once found stays found.
option(QUORATE_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(QUORATE_FUZZ)  # Every module, or the fuzzer sees no coverage and is a monkey at a keyboard.
  target_compile_options(quorate_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
function(quorate_fuzzer module source)
  cmake_parse_arguments(F "" "CORPUS" "" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  get_filename_component(target ${source} NAME_WE)
  if(QUORATE_FUZZ)
    add_executable(${target} ${source})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${target} PRIVATE quorate::${module})
  else()
    add_executable(${target} ${source} ${PROJECT_SOURCE_DIR}/src/base/testing/replay_main.cc)
    target_link_libraries(${target} PRIVATE quorate::${module})
    add_test(NAME fuzz.${target} COMMAND ${target} ${PROJECT_SOURCE_DIR}/test/corpus/${F_CORPUS})
    set_tests_properties(fuzz.${target} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()
