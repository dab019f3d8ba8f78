use crate::{Recognition, Source};

// Every file of `src/sources/`, as a module, and `SOURCES`, in order of name.
include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// All log sources, in order of their files' names.
pub fn sources() -> &'static [&'static dyn Source] {
    SOURCES
}

/// The source with this id.
pub fn source(id: &str) -> Option<&'static dyn Source> {
    SOURCES.iter().copied().find(|source| source.id() == id)
}

/// What the beginning of a file, decompressed, is; `None` where no source knows it. 64 KiB
/// suffice.
pub fn recognise(head: &[u8]) -> Option<Recognition> {
    SOURCES.iter().find_map(|source| source.recognise(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_lead_to_their_source() {
        let mut ids: Vec<&str> = sources().iter().map(|source| source.id()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(ids.contains(&"aws.cloudtrail"));
        for id in ids {
            assert_eq!(source(id).map(Source::id), Some(id));
        }
        assert!(source("no.such").is_none());
    }
}
