# quorate_rocksdb: RocksDB, shared where programs are linked often (dev), linked in where they are to be fast (release,
# bench). RocksDB counts in thread-local variables on every operation; within a shared library each access is a function
# call, which was a sixth of the CPU time of a transaction.

option(QUORATE_STATIC_ROCKSDB "Link RocksDB into the programs" OFF)
find_package(RocksDB REQUIRED)
add_library(quorate_rocksdb INTERFACE)
if(QUORATE_STATIC_ROCKSDB)
  target_link_libraries(quorate_rocksdb INTERFACE RocksDB::rocksdb)
else()
  target_link_libraries(quorate_rocksdb INTERFACE RocksDB::rocksdb-shared)
endif()
