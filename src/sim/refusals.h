// Refusals: whether a transaction that was refused had lost to somebody.
//
// A conflict names what stood in the way and who put it there: an entry behind the loser's
// snapshot. That entry is committed there and wrote the key, says the model; or the replica that
// refused had appended it, and nobody had told it yet that it is lost.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "sim/model.h"
#include "sim/spec.h"
#include "txn/conflict.h"

namespace quorate::sim {

class Refusals {
 public:
  // Who wrote an entry: a client's transaction, or the partition itself a consumer's record.
  struct Writer {
    std::string id;              // Of the transaction.
    const Spec* spec = nullptr;  // Null: the partition itself,
    std::string consumer_key;    // which writes this.

    bool MayWrite(std::string_view key) const;
  };

  explicit Refusals(const Model& model) : model_(model) {}

  void NoteAppended(ReplicaId at, Lsn lsn, Writer writer);
  // `at` leads, or no longer: what it appended before is nothing to it any more.
  void NoteLeadership(ReplicaId at);
  // Once for each entry; without a writer, it is no transaction.
  void NoteCommitted(Lsn lsn, std::optional<Writer> writer);
  // `at` knows that all up to `lsn` is committed.
  void NoteDelivered(ReplicaId at, Lsn lsn);

  // Why a kConflict answer to a transaction that read at `snapshot` is wrong.
  std::optional<std::string> FindWrong(const Spec& loser, ReplicaId at, Lsn snapshot,
                                       const Error& error) const;
  // Of one conflict of such an answer, or of an outcome that left a reference out.
  std::optional<std::string> FindWrong(const Spec& loser, ReplicaId at, Lsn snapshot,
                                       const txn::Conflict& conflict) const;

 private:
  struct View {  // A replica's.
    std::map<Lsn, Writer> appended;
    Lsn delivered;
  };

  std::optional<std::string> CheckWinner(ReplicaId at, Lsn snapshot, const std::string& key,
                                         const txn::Conflict& conflict) const;
  std::optional<std::string> CheckAlone(const Spec& loser, Lsn snapshot, const std::string& key,
                                        const txn::Conflict& conflict) const;

  const Model& model_;
  std::map<Lsn, std::optional<Writer>> committed_;
  std::map<ReplicaId, View> views_;
};

}  // namespace quorate::sim
