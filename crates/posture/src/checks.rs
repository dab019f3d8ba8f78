//! The checks, one file each. `build.rs` lists the files of this folder, so that a new one needs no
//! second edit.

include!(concat!(env!("OUT_DIR"), "/checks.rs"));
