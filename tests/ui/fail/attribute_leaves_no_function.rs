use grpc_metrics_runtime::__private::instrument_method_last;

// What a method is to the attribute below it, once another one has made a constant of it.
#[instrument_method_last(by_type (rpc()) (Future) ())]
const SAY_HELLO: u8 = 1;

fn main() {
    let _ = SAY_HELLO;
}
