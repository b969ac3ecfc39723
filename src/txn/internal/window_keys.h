// What verification keeps apart: the logical keys of the conflict window.
//
// The value of a reference or HEAD is its encoded RefValue, of a user key its bytes; of a
// repository only whether it exists, of a consumer likewise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "txn/conflict.h"
#include "txn/internal/conflict_window.h"
#include "txn/internal/log_record.h"

namespace quorate::txn::internal {

// A prefix of a name gives the prefix of its keys.
std::string RefWindowKey(RepositoryId repository, std::string_view name);
std::string_view RefNameOfWindowKey(std::string_view key);
std::string HeadWindowKey(RepositoryId repository);
std::string RepositoryWindowKey(RepositoryId repository);
std::string ConfigWindowKey(RepositoryId repository, std::string_view name);
std::string UserWindowKey(std::string_view key);
std::string ConsumerWindowKey(RepositoryId repository, std::string_view name);

// What people and programs are told of a key.
ConflictKey ConflictKeyOf(std::string_view window_key);

// What the window remembers of the entry at `lsn` with this record, encoded in so many bytes.
ConflictWindow::EntryInfo InfoOf(const LogRecord& record, Lsn lsn, std::size_t log_bytes);

// Everything that an entry with this record writes.
std::vector<ConflictWindow::Write> WindowWrites(const LogRecord& record);

}  // namespace quorate::txn::internal
