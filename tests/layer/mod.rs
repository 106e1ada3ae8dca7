//! Contract, section K: the server layer, over real servers and clients.

mod around;
mod deadlines;
mod flood;
mod garbage;
mod joined;
mod messages;
mod mixed;
mod raw;
mod served;
mod unclaimed;
