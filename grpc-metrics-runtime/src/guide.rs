//! The repository's pages, one module each.

// The pages link to each other by file name, which works in the repository only. Of two definitions of one link the
// first wins, so these make the links work here. `tests/pages` checks that no link is missing.
macro_rules! page {
    ($name:ident, $file:literal) => {
        /// [contract.md]: crate::guide::contract
        /// [errors.md]: crate::guide::errors
        /// [errors-of-your-own.md]: crate::guide::errors_of_your_own
        /// [monitoring.md]: crate::guide::monitoring
        /// [tracing.md]: crate::guide::tracing
        /// [`monitoring/`]: https://github.com/grpc-metrics/grpc-metrics/tree/HEAD/monitoring
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    };
}

page!(contract, "contract.md");
page!(design, "design.md");
page!(errors, "errors.md");
page!(errors_of_your_own, "errors-of-your-own.md");
page!(monitoring, "monitoring.md");
page!(tracing, "tracing.md");
