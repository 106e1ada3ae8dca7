use grpc_metrics_runtime::instrument_grpc;

#[instrument_grpc]
struct Service {
    field: u8,
}

#[instrument_grpc(service = "unused")]
#[derive(Clone)]
enum Never {}

#[instrument_grpc]
trait Greeter {}

#[instrument_grpc]
fn greet() {}

#[instrument_grpc]
mod greeter {}

#[instrument_grpc]
type Alias = u8;

#[instrument_grpc]
const CONSTANT: Alias = 1;

#[instrument_grpc]
static STATIC: Alias = CONSTANT;

#[instrument_grpc]
union Either {
    one: u8,
    other: i8,
}

#[instrument_grpc]
macro_rules! one {
    () => {
        1
    };
}

struct Unit;

impl Unit {
    #[instrument_grpc]
    async fn greet(&self) {}
}

fn main() {
    // No second error: all of this is still there.
    let service = Service { field: 1 };
    let _ = service.field;
    let _ = |never: &Never| never.clone();
    struct Polite;
    impl Greeter for Polite {}
    greet();
    let _ = (STATIC, Either { one: one!() });
    let _ = Unit.greet();
}
