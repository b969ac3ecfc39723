#include "consensus/internal/storage_bridge.h"

#include <exception>

namespace quorate::consensus::internal {
namespace {

class EngineSink final : public EntrySink {
 public:
  explicit EngineSink(qr_entry_sink* sink) : sink_(sink) {}

  void Push(const EntryView& entry) override {
    const qr_entry raw{
        entry.lsn.value,     entry.term.value, static_cast<std::uint32_t>(entry.type), 0,
        ToSlice(entry.data), {nullptr, 0}};
    qr_push_entry(sink_, &raw);
  }

 private:
  qr_entry_sink* sink_;
};

}  // namespace

int StorageBridge::Fatal(std::string_view what) {
  last_failure_ = what;
  return QR_ST_FATAL;
}

struct StorageBridge::Callbacks {
  static StorageBridge& Self(void* self) { return *static_cast<StorageBridge*>(self); }

  // Runs one callback; nothing is thrown into the engine.
  template <class Body>
  static int Guard(void* self, Body&& body) noexcept {
    try {
      return body(Self(self).storage_);
    } catch (const std::exception& e) {
      return Self(self).Fatal(e.what());
    } catch (...) {
      return Self(self).Fatal("unknown exception");
    }
  }

  // The engine's answer for an error; `unavailable` is what kUnavailable means in this callback.
  static int Answer(void* self, const Error& error, int unavailable) {
    if (error.code() == Code::kUnavailable) {
      return unavailable;
    }
    if (error.code() == Code::kNotFound && unavailable == QR_ST_UNAVAILABLE) {
      return QR_ST_COMPACTED;
    }
    return Self(self).Fatal(error.ToString());
  }

  static int InitialState(void* self, qr_hard_state* out, qr_sink conf_state) {
    return Guard(self, [&](Storage& storage) {
      const auto state = storage.ReadInitialState();
      if (!state) {
        return Self(self).Fatal(state.error().ToString());
      }
      out->term = state->hard_state.term.value;
      out->vote = state->hard_state.vote.value;
      out->commit = state->hard_state.commit.value;
      conf_state.write(conf_state.ctx, ToSlice(state->conf_state.Encode()));
      return int{QR_ST_OK};
    });
  }

  static int Entries(void* self, std::uint64_t low, std::uint64_t high, std::uint64_t bytes_max,
                     qr_entry_sink* sink) {
    return Guard(self, [&](Storage& storage) {
      EngineSink engine_sink(sink);
      const Status read = storage.Entries(Lsn{low}, Lsn{high}, bytes_max, engine_sink);
      return read ? int{QR_ST_OK} : Answer(self, read.error(), QR_ST_UNAVAILABLE);
    });
  }

  static int TermAt(void* self, std::uint64_t index, std::uint64_t* out) {
    return Guard(self, [&](Storage& storage) {
      const auto term = storage.TermAt(Lsn{index});
      if (!term) {
        return Answer(self, term.error(), QR_ST_UNAVAILABLE);
      }
      *out = term->value;
      return int{QR_ST_OK};
    });
  }

  static int Index(void* self, Result<Lsn> (Storage::*read)(), std::uint64_t* out) {
    return Guard(self, [&](Storage& storage) {
      const auto lsn = (storage.*read)();
      if (!lsn) {
        return Self(self).Fatal(lsn.error().ToString());
      }
      *out = lsn->value;
      return int{QR_ST_OK};
    });
  }

  static int FirstIndex(void* self, std::uint64_t* out) {
    return Index(self, &Storage::FirstIndex, out);
  }
  static int LastIndex(void* self, std::uint64_t* out) {
    return Index(self, &Storage::LastIndex, out);
  }

  static int Snapshot(void* self, std::uint64_t request_index, std::uint64_t to, qr_sink sink) {
    return Guard(self, [&](Storage& storage) {
      const auto checkpoint = storage.MakeCheckpoint(Lsn{request_index}, ReplicaId{to});
      if (!checkpoint) {
        return Answer(self, checkpoint.error(), QR_ST_SNAP_TEMP_UNAVAILABLE);
      }
      sink.write(sink.ctx, ToSlice(checkpoint->Encode()));
      return int{QR_ST_OK};
    });
  }
};

qr_storage StorageBridge::callbacks() {
  return {this,
          &Callbacks::InitialState,
          &Callbacks::Entries,
          &Callbacks::TermAt,
          &Callbacks::FirstIndex,
          &Callbacks::LastIndex,
          &Callbacks::Snapshot};
}

}  // namespace quorate::consensus::internal
