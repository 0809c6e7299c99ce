# One layer = one folder = one static library = one test program.
#
#   meshstow_layer(codec DEPS base LINK bz2)
#
# DEPS are layers (their headers become visible, and nothing else does); LINK are outside libraries.
# Every .cpp of the folder belongs to the library, every *_test.cpp to the layer's test program, so
# that a new file needs no edit here.

add_library(meshstow_options INTERFACE)
target_compile_options(meshstow_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wno-missing-field-initializers
  -fno-omit-frame-pointer)
if(MESHSTOW_SANITIZE)
  target_compile_options(meshstow_options INTERFACE -fsanitize=${MESHSTOW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(meshstow_options INTERFACE -fsanitize=${MESHSTOW_SANITIZE})
endif()
if(MESHSTOW_FUZZ)
  target_compile_options(meshstow_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_include_directories(meshstow_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

function(meshstow_layer name)
  cmake_parse_arguments(ARG "" "" "DEPS;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ARG_DEPS PREPEND meshstow_)

  add_library(meshstow_${name} STATIC ${sources})
  target_link_libraries(meshstow_${name} PUBLIC meshstow_options ${ARG_DEPS} ${ARG_LINK})

  if(BUILD_TESTING AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE meshstow_${name} GTest::gtest_main GTest::gmock)
    target_compile_definitions(${name}_test PRIVATE
      MESHSTOW_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors")
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60
      PROPERTIES LABELS unit TIMEOUT 600)
  endif()
endfunction()
