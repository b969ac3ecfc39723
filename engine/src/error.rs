//! Status numbers, the text of the last error, and the guard that turns a panic into poison.

use std::any::Any;
use std::cell::RefCell;
use std::os::raw::c_int;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

use raft::Error;

use crate::abi::{Slice, ABI_VERSION};
use crate::node::Node;

pub const OK: c_int = 0;
pub const DROPPED: c_int = 1;
pub const NOT_LEADER: c_int = 2;
pub const PEER_NOT_FOUND: c_int = 3;
pub const REFUSED_MSG: c_int = 4;
pub const BAD_MESSAGE: c_int = 5;
pub const CONFIG_INVALID: c_int = 6;
pub const CONF_REFUSED: c_int = 7;
pub const STORAGE: c_int = 8;
pub const BAD_ARG: c_int = 9;
pub const NO_READY: c_int = 10;
pub const TRANSFERRING: c_int = 11;
pub const POISONED: c_int = 100;

thread_local!(static LAST_ERROR: RefCell<String> = RefCell::new(String::new()));

pub fn set_error(text: String) {
    LAST_ERROR.with(|last| *last.borrow_mut() = text)
}

#[cfg(test)]
pub fn last_error() -> String {
    LAST_ERROR.with(|last| last.borrow().clone())
}

/// The status for an error of the engine; remembers its text.
pub fn status_of(error: Error) -> c_int {
    let status = match error {
        Error::ProposalDropped | Error::RequestSnapshotDropped => DROPPED,
        Error::StepLocalMsg => REFUSED_MSG,
        Error::StepPeerNotFound => PEER_NOT_FOUND,
        Error::ConfigInvalid(_) => CONFIG_INVALID,
        Error::CodecError(_) => BAD_MESSAGE,
        Error::ConfChangeError(_) | Error::Exists { .. } | Error::NotExists { .. } => CONF_REFUSED,
        Error::Store(_) | Error::Io(_) => STORAGE,
    };
    set_error(error.to_string());
    status
}

pub fn status_of_result(result: raft::Result<()>) -> c_int {
    result.map_or_else(status_of, |_| OK)
}

/// Turns a caught panic into the last error. The panic hook left the place there.
pub fn record_panic(payload: Box<dyn Any + Send>) {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|s| s.to_string()));
    let place = LAST_ERROR.with(|last| last.borrow().clone());
    set_error(format!("panic: {} {}", text.unwrap_or_default(), place));
}

/// Runs `call` on a node that is not poisoned; poisons it if `call` panics.
///
/// A panic may leave the node half changed. That is why nothing but `qr_free` gets at it again:
/// this is what AssertUnwindSafe asserts.
pub unsafe fn with(node: *mut Node, call: impl FnOnce(&mut Node) -> c_int) -> c_int {
    if node.is_null() {
        return BAD_ARG;
    }
    let node = &mut *node;
    if node.poisoned {
        return POISONED;
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        let status = call(node);
        node.timeouts.settle(&mut node.raw.raft);
        status
    }));
    match result {
        Ok(status) => status,
        Err(payload) => {
            node.poisoned = true;
            record_panic(payload);
            POISONED
        }
    }
}

#[no_mangle]
pub extern "C" fn qr_abi_version() -> u32 {
    ABI_VERSION
}

/// Makes panics be recorded instead of printed. The first call counts, more do no harm.
#[no_mangle]
pub extern "C" fn qr_init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(|at| format!("at {}:{}", at.file(), at.line()));
            set_error(place.unwrap_or_default());
        }))
    });
}

/// Text of the last failure on this thread; valid until the next call on this thread.
#[no_mangle]
pub extern "C" fn qr_last_error() -> Slice {
    LAST_ERROR.with(|last| Slice::of(last.borrow().as_bytes()))
}
