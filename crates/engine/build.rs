//! Has the crate compiled again when rules, escalations or profiles are added: the embedding macro by itself
//! notices changed files, not new ones.

fn main() {
    for folder in ["rules", "escalations", "actors"] {
        println!("cargo::rerun-if-changed=../../{folder}");
    }
}
