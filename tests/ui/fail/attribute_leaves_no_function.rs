use grpc_metrics_runtime::__private::carry_rpc;

// What a method is to the attribute below it, once another one has made a constant of it.
#[carry_rpc(by_type (rpc()) (Future) ())]
const SAY_HELLO: u8 = 1;

fn main() {
    let _ = SAY_HELLO;
}
