//! The engine's log lines, handed to a callback of the host.

use std::fmt::{Arguments, Write};
use std::os::raw::{c_int, c_void};

use crate::abi::{LogFn, Slice};

struct CallbackDrain {
    callback: LogFn,
    ctx: usize, // A pointer of the host; slog wants Send.
    id: u64,
}

/// Writes " key=value" for each pair behind the message.
struct Pairs(String);

impl slog::Serializer for Pairs {
    fn emit_arguments(&mut self, key: slog::Key, value: &Arguments) -> slog::Result {
        let _ = write!(self.0, " {}={}", key, value); // Writing to a String does not fail.
        Ok(())
    }
}

impl slog::Drain for CallbackDrain {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &slog::Record, _: &slog::OwnedKVList) -> Result<(), slog::Never> {
        let mut line = Pairs(record.msg().to_string());
        let _ = slog::KV::serialize(&record.kv(), record, &mut line);
        let level = record.level().as_usize() as c_int;
        unsafe {
            (self.callback)(self.ctx as *mut c_void, level, self.id, Slice::of(line.0.as_bytes()))
        };
        Ok(())
    }
}

pub fn logger(callback: Option<LogFn>, ctx: *mut c_void, id: u64) -> slog::Logger {
    match callback {
        Some(callback) => {
            slog::Logger::root(CallbackDrain { callback, ctx: ctx as usize, id }, slog::o!())
        }
        None => slog::Logger::root(slog::Discard, slog::o!()),
    }
}
