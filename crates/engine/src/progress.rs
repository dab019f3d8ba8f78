/// What a run tells about how far it is. All methods may be called from several threads.
pub trait Progress: Sync {
    /// A new part of the run begins; `total` is in bytes on disk, 0 where it is not known.
    fn begin(&self, what: &str, total: u64);

    /// So many more bytes on disk were dealt with.
    fn advance(&self, bytes: u64);

    /// So many more matches were found.
    fn found(&self, _matches: u64) {}
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, _: u64) {}
}
