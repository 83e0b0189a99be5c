//! From a door of the model to what is attacked: the object behind it, what the role may do there, the rows, the session.
//!
//! `aim` decides by the door's kind; the others know what it takes for one kind each.

mod aim;
mod functions;
mod queries;
mod roles;
mod writes;

pub(crate) use aim::Aim;
