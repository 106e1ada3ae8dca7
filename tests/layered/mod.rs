//! K10 and K11: the endings of section B, and what clients see of them, with the server layer around the service.

#[path = "../endings.rs"]
mod endings;
#[path = "../faults.rs"]
mod faults;
#[path = "../transparency.rs"]
mod transparency;

const IS_LAYERED: bool = true;

type Bed = support::bed::BedOf<support::bed::Layered>;
