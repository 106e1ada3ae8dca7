//! Synchronisation primitives: from `std`, or from loom in the model.

#[cfg(not(cells_model))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64};
    pub(crate) use std::sync::{Mutex, OnceLock};

    macro_rules! shared {
        ($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            $(#[$attr])* static $name: $ty = $init;
        };
    }
    pub(crate) use shared;
}

// loom recreates its statics for each execution, so they are lazy.
#[cfg(cells_model)]
mod imp {
    use std::sync::atomic::Ordering;

    use loom::sync::atomic::AtomicBool;

    pub(crate) use loom::sync::Mutex;
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU64};

    macro_rules! shared {
        ($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;) => {
            loom::lazy_static! { $(#[$attr])* static ref $name: $ty = $init; }
        };
    }
    pub(crate) use shared;

    /// loom has no `OnceLock`. This wraps that of `std`, and repeats its release and acquire for loom.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        set: AtomicBool,
        setting: Mutex<()>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self::new()
        }
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            let value = std::sync::OnceLock::new();
            Self { set: AtomicBool::new(false), setting: Mutex::new(()), value }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            if self.set.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
            if let Some(value) = self.get() {
                return value;
            }
            let _setting = self.setting.lock();
            let value = self.value.get_or_init(init);
            self.set.store(true, Ordering::Release);
            value
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            let _setting = self.setting.lock();
            self.value.set(value)?;
            self.set.store(true, Ordering::Release);
            Ok(())
        }
    }
}

pub(crate) use imp::{AtomicU8, AtomicU64, Mutex, OnceLock, shared};
