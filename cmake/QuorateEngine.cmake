# quorate_engine: the consensus engine (engine/, Rust) as an imported static library.
#
# Cargo's own target directory is shared by all presets, so that the engine is compiled once; every
# build folder has a copy of the archive, so that Ninja knows when it changed.

find_program(CARGO_EXECUTABLE cargo HINTS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin)
set(quorate_cargo_help "The consensus engine needs cargo 1.68 or later: install Debian's cargo-web \
and rustc-web, or rustup (https://rustup.rs), or set CARGO_EXECUTABLE.")
if(NOT CARGO_EXECUTABLE)
  message(FATAL_ERROR "cargo was not found. ${quorate_cargo_help}")
endif()
execute_process(COMMAND ${CARGO_EXECUTABLE} --version OUTPUT_VARIABLE cargo_says
                ERROR_VARIABLE cargo_says RESULT_VARIABLE cargo_failed OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT cargo_says MATCHES "^cargo ([0-9]+\\.[0-9]+\\.[0-9]+)" OR cargo_failed)
  message(FATAL_ERROR "${CARGO_EXECUTABLE} --version says '${cargo_says}'. ${quorate_cargo_help}")
elseif(CMAKE_MATCH_1 VERSION_LESS 1.68)
  message(FATAL_ERROR "${CARGO_EXECUTABLE} is ${CMAKE_MATCH_1}. ${quorate_cargo_help}")
endif()

set(engine_dir ${PROJECT_SOURCE_DIR}/engine)
cmake_path(IS_PREFIX PROJECT_SOURCE_DIR ${PROJECT_BINARY_DIR} in_source_tree)
if(in_source_tree)
  set(default_cargo_dir ${PROJECT_SOURCE_DIR}/build/cargo)
else()
  set(default_cargo_dir ${PROJECT_BINARY_DIR}/cargo)
endif()
set(QUORATE_CARGO_TARGET_DIR ${default_cargo_dir} CACHE PATH "Where cargo builds the engine")

set(engine_sources Cargo.toml Cargo.lock)
foreach(source abi determinism error guards input lib log node ready status storage tests)
  list(APPEND engine_sources src/${source}.rs)
endforeach()
list(TRANSFORM engine_sources PREPEND ${engine_dir}/)

set(cargo ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${QUORATE_CARGO_TARGET_DIR} ${CARGO_EXECUTABLE})
set(engine_archive ${PROJECT_BINARY_DIR}/engine/libquorate_raft.a)
add_custom_command(
  OUTPUT ${engine_archive}
  COMMAND ${cargo} build --release --locked --quiet
  COMMAND ${CMAKE_COMMAND} -E copy ${QUORATE_CARGO_TARGET_DIR}/release/libquorate_raft.a ${engine_archive}
  DEPENDS ${engine_sources}
  WORKING_DIRECTORY ${engine_dir}
  COMMENT "Building the consensus engine with cargo"
  VERBATIM)
add_custom_target(quorate_engine_build DEPENDS ${engine_archive})

file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/engine)
add_library(quorate_engine STATIC IMPORTED GLOBAL)
set_target_properties(quorate_engine PROPERTIES
  IMPORTED_LOCATION ${engine_archive}
  INTERFACE_INCLUDE_DIRECTORIES ${engine_dir}/include
  INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
add_dependencies(quorate_engine quorate_engine_build)
add_library(quorate::engine ALIAS quorate_engine)

# Compiled once more, for its tests. A sanitizer sees nothing of it.
if(BUILD_TESTING AND NOT QUORATE_SANITIZE)
  add_test(NAME engine.cargo_test COMMAND ${cargo} test --release --locked
           WORKING_DIRECTORY ${engine_dir})
  set_tests_properties(engine.cargo_test PROPERTIES LABELS unit TIMEOUT 1200)
endif()
