//! Has the crate compiled again when rules or escalations are added: the embedding macro by itself
//! notices changed files, not new ones.

fn main() {
    for folder in ["rules", "escalations"] {
        println!("cargo::rerun-if-changed=../../{folder}");
    }
}
