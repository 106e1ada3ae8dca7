//! Contract, section K: the server layer, over real servers and clients.

mod around;
mod joined;
mod messages;
mod served;
mod unclaimed;
