//! K10: the endings of section B, with the server layer around the service.

#[path = "../endings.rs"]
mod endings;
#[path = "../faults.rs"]
mod faults;

type Bed = support::bed::BedOf<support::bed::Layered>;
