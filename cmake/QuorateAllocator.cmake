# quorate_allocator: jemalloc, linked into the programs that are to be fast (release, bench). A transaction makes and
# frees some hundred small pieces of memory on several threads; that takes a tenth of its CPU time less than with glibc's
# malloc. Elsewhere malloc stays what debuggers and sanitizers know.

option(QUORATE_JEMALLOC "Allocate with jemalloc" OFF)
add_library(quorate_allocator INTERFACE)
if(QUORATE_JEMALLOC)
  find_library(QUORATE_JEMALLOC_LIBRARY libjemalloc.a REQUIRED)
  target_link_libraries(quorate_allocator INTERFACE ${QUORATE_JEMALLOC_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS})
endif()
