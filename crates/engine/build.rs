//! Has the crate compiled again when rules, correlations, escalations or profiles are added: the
//! embedding macro by itself notices changed files, not new ones.

fn main() {
    for folder in ["rules", "correlations", "escalations", "actors"] {
        println!("cargo::rerun-if-changed=../../{folder}");
    }
}
