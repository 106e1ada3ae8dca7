//! The services, as tonic generates them.

macro_rules! generated {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {$(
        $(#[$doc])*
        pub mod $name {
            #![allow(clippy::all, clippy::pedantic, missing_debug_implementations, unreachable_pub)]
            include!(concat!(env!("OUT_DIR"), "/", $file, ".rs"));
        }
    )*};
}

generated! {
    /// All four kinds.
    interop = "interop.v1";
    /// Unary, response streams, and an upload.
    library = "library.v1";
    /// The same with `use_arc_self(true)`.
    library_arc = "arc/library.v1";
    /// 177 methods.
    wide = "wide.v1";
}

/// Nine packages, each with a `QueryService`.
pub mod chain {
    generated! {
        auth = "chain.auth.v1";
        bank = "chain.bank.v1";
        distribution = "chain.distribution.v1";
        evidence = "chain.evidence.v1";
        gov = "chain.gov.v1";
        mint = "chain.mint.v1";
        params = "chain.params.v1";
        slashing = "chain.slashing.v1";
        staking = "chain.staking.v1";
    }
}

/// For reflection.
pub const INTEROP_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/interop.bin"));
