//! The files of the reference schema, compiled into the library: `MIGRATIONS` and `POLICIES`, written by the build
//! script.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
