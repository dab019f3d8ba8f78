//! Scenarios are data in a folder beside the crates: a new file there rebuilds this crate.

fn main() {
    println!("cargo:rerun-if-changed=../../scenarios");
}
